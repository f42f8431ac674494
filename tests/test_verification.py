"""Does verification believe every honest run, and no altered one?"""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from test_cli import straggle
from verified import METHODS, RANDOM, UNEQUAL, VARIANTS, message, recorded, retell, rewrite, sealed

from algorithms.methods import METHODS as KNOWN
from simulator.mistakes import Mistake
from simulator.results.results import load
from simulator.verification import verify_directory

ALL = METHODS | VARIANTS
FAILURES = {
    "failures": {"mean_time_between_failures": 20.0, "mean_time_to_repair": 3.0},
    "outages": [{"worker": 1, "begin": 8.5, "end": 14.0}],
}
DAY = {"law": "periodic", "period": 9.0, "times": [0.0, 4.0], "speeds": [1.0, 0.5]}
TO_AND_FRO = {"upload": [0.5, 0.1, 0.9, 0.3], "download": 0.25}
WIRE = {"upload": {"bandwidth": 64.0, "latency": 0.1}, "download": 0.3}
CHANCE = {"law": "exponential", "mean": 0.4}
SERVED = {"upload": 0.25, "collective": "parameter-server"}
CASES = {
    "equal": ({"compute": 1.0}, {}),
    "chance-gather": ({"compute": RANDOM}, {**TO_AND_FRO, "collective": "gather"}),
    "heavy-chance": (
        {"compute": {"law": "pareto", "minimum": 1.0, "shape": 1.2}, "in_flight": "finish"},
        {"upload": CHANCE, "download": CHANCE},
    ),
    "never-ring": (
        {"compute": {"law": "never-finishes", "of": [1.0, 2.0, 3.0, 4.0], "probability": 0.1}},
        {**WIRE, "collective": "ring"},
    ),
    "lost-tree": ({"compute": RANDOM, **FAILURES}, {**WIRE, "collective": "tree"}),
    "lost-finish": ({"compute": RANDOM, "in_flight": "finish", **FAILURES}, TO_AND_FRO),
    "continued": ({"compute": RANDOM, "in_outage": "continued", **FAILURES}, {}),
    "continued-speed": (
        {"compute": RANDOM, "in_outage": "continued", "speed": DAY, **FAILURES},
        {**SERVED, "uplink": {"bandwidth": 64.0, "contention": "share"}},
    ),
    "speed-queue": (
        {"compute": RANDOM, "speed": DAY},
        {**SERVED, "uplink": {"bandwidth": 64.0}},
    ),
}


def problems(directory):
    return [str(problem) for problem in verify_directory(directory).problems]


# Honest runs


@pytest.mark.parametrize("case", ["equal", "continued"])
def test_runs_of_every_method_are_believed(case, tmp_path):
    """On the clusters with transfers too, as test_verified_seconds shows."""
    cluster, network = CASES[case]
    recorded(tmp_path, ALL, cluster, network=network, stop={"seconds": 30.5})
    report = verify_directory(tmp_path)
    assert report.problems == []
    assert len(report.findings) == 1 + len(ALL)
    assert report.checked > 10_000


def test_every_method_is_tested():
    assert set(KNOWN) == set(METHODS)


@pytest.mark.parametrize("stop", [{"steps": 7}, {"gradients": 23}, {"seconds": 1e-3}])
def test_runs_are_believed_wherever_they_stop(stop, tmp_path):
    recorded(tmp_path, ALL, {"compute": RANDOM}, network=TO_AND_FRO, stop=stop)
    assert problems(tmp_path) == []


def test_a_run_that_stalls_is_believed(tmp_path):
    gone = {"compute": RANDOM, "outages": [{"worker": 2, "begin": 10.0}]}
    recorded(tmp_path, ALL, gone)
    ends = {run["end"] for run in message(tmp_path)["runs"]}
    assert ends == {"stop", "stalled"}
    assert problems(tmp_path) == []


def test_a_run_that_learns_and_meets_its_target_is_believed(tmp_path):
    chosen = {name: METHODS[name] for name in ("rennala-nigt", "afedpg", "fedsvrpg-m")}
    stop = {"seconds": 200.0, "target": 0.2}
    recorded(tmp_path, chosen, learn=True, stop=stop)
    assert "target" in {run["end"] for run in message(tmp_path)["runs"]}
    assert problems(tmp_path) == []


def test_workers_that_join_later_are_believed(tmp_path):
    outages = [{"workers": [0, 2], "end": 5.5}, {"worker": 0, "begin": 8.0, "end": 9.0}]
    recorded(tmp_path, ALL, {**UNEQUAL, "outages": outages})
    assert problems(tmp_path) == []


def test_an_uplink_takes_time_even_if_the_links_to_it_do_not(tmp_path):
    """Ringleader's workers are in the midst of another gradient when they are served."""
    methods = {"ringleader-pg": METHODS["ringleader-pg"]}
    uplink = {"collective": "parameter-server", "uplink": {"bandwidth": 64.0}}
    recorded(tmp_path, methods, {**UNEQUAL, "in_flight": "finish"}, network=uplink)
    assert problems(tmp_path) == []


def test_without_tickets_the_rest_is_checked_and_it_is_said(tmp_path):
    recorded(tmp_path, ALL)
    shutil.rmtree(tmp_path / "tickets.parquet")
    (problem,) = verify_directory(sealed(tmp_path)).problems
    assert problem.message == "tickets = True, which does not agree with tickets.parquet"
    retell(tmp_path, lambda manifest: manifest.update(tickets=False))
    sealed(tmp_path)
    report = verify_directory(tmp_path)
    assert report.problems == []
    assert len(report.unchecked) == len(ALL)
    assert "tickets.parquet was not recorded" in str(report.unchecked[0])


# Altered ones, sealed anew: what is wrong is seen from what it means


TAMPERED = ("rennala-nigt", "malenia-pg", "mindflayer-nigt", "stops", "ringleader-pg")
COLUMNS = {
    "steps.parquet": "method seed step time tickets gradients max_delay mean_delay "
    "arrival_delay training_seconds",
    "workers.parquet": "method seed worker started used recalled dropped lost unfinished busy "
    "communicating down idle wasted seconds",
    "tickets": "method seed worker version index start finish outcome used_in_step weight "
    "environment_steps",
}


@pytest.fixture(scope="module", params=TAMPERED)
def honest(request, tmp_path_factory):
    """A run of one method, and its name."""
    folder = tmp_path_factory.mktemp(request.param)
    method = {request.param: ALL[request.param]}
    recorded(folder / "honest", method, {"compute": RANDOM}, network=TO_AND_FRO)
    return folder / "honest", request.param


def altered(value, bold):
    """Another value of the same kind, near or far."""
    match value:
        case str():
            return "other"
        case bool() | None:
            return value
        case int():
            return value + (2 if bold else 1)
    if value is pd.NA:
        return 1
    return 0.5 if np.isnan(value) else value + (0.3 if bold else -1e-6 * max(1.0, abs(value)))


def tamper_at(file, column, row, bold):
    def change(frame):
        value = frame[column].iloc[row]
        value = value.item() if isinstance(value, np.generic) else value
        new = altered(value, bold)
        if column == "outcome":
            new = "dropped" if value != "dropped" else "used"
        frame.loc[frame.index[row], column] = new

    rewrite(file, change)


def copy_of(directory, tmp_path):
    return shutil.copytree(directory, tmp_path / "altered")


def file_of(directory, name, method):
    return directory / (f"tickets.parquet/{method}-0.parquet" if name == "tickets" else name)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_that_the_schedule_decides_is_checked(name, honest, tmp_path):
    directory, method = honest
    frame = pd.read_parquet(file_of(directory, name, method))
    assert " ".join(frame.columns) == COLUMNS[name]
    folder = copy_of(directory, tmp_path)
    file = file_of(folder, name, method)
    for at, column in enumerate(frame.columns):
        # Of the two ends the methods take turns, for each column.
        end = (len(frame) - 1) * ((at + TAMPERED.index(method)) % 2)
        for row, bold in ((end, True), (len(frame) // 2, False)):
            tamper_at(file, column, row, bold)
            sealed(folder)
            assert problems(folder), (column, row)
            shutil.copy(file_of(directory, name, method), file)


REARRANGED = {
    "the last row is gone": lambda frame: frame.iloc[:-1],
    "the second row is gone": lambda frame: frame.drop(index=1),
    "a row is there twice": lambda frame: pd.concat([frame, frame.iloc[[1]]], ignore_index=True),
    "the file is empty": lambda frame: frame.iloc[:0],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_that_go_or_come_are_missed(name, honest, tmp_path):
    directory, method = honest
    folder = copy_of(directory, tmp_path)
    file = file_of(folder, name, method)
    for what, change in REARRANGED.items():
        rewrite(file, change)
        sealed(folder)
        assert problems(folder), what
        shutil.copy(file_of(directory, name, method), file)


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_that_change_places_are_seen(name, honest, tmp_path):
    directory, method = honest
    folder = copy_of(directory, tmp_path)

    def swap(frame):
        rows = np.arange(len(frame))
        first, last = 0, len(frame) - 1
        if name == "tickets":  # only the order of the steps they were used in means anything
            used = np.flatnonzero(frame["used_in_step"].notna())
            first, last = used[0], used[-1]
        rows[[first, last]] = last, first
        return frame.iloc[rows].reset_index(drop=True)

    rewrite(file_of(folder, name, method), swap)
    assert problems(sealed(folder))


# The manifest


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A run that learnt something, by which what is not the schedule's can be altered."""
    folder = tmp_path_factory.mktemp("learnt") / "honest"
    chosen = {"rennala-nigt": METHODS["rennala-nigt"]}
    return recorded(folder, chosen, learn=True)


ONLY_SEALED = {
    "runs": {"real_seconds"},
    "top": {"command", "python", "machine"},
}
"""Nothing else in the files tells whether these are true."""


def test_every_key_of_a_run_is_checked_or_known_to_be_only_sealed(learnt, tmp_path):
    assert problems(learnt) == []
    folder = copy_of(learnt, tmp_path)
    for key, value in message(learnt)["runs"][0].items():
        new = value + 1 if isinstance(value, int | float) else f"{value}!"
        new = 1 if key == "failed_step" else new

        def change(manifest, key=key, new=new):
            manifest["runs"][0][key] = new

        retell(folder, change)
        assert problems(folder), key  # the seal
        found = problems(sealed(folder))
        assert bool(found) == (key not in ONLY_SEALED["runs"]), (key, found)
        shutil.copy(learnt / "manifest.json", folder / "manifest.json")


def test_every_key_of_the_manifest_is_checked_or_known_to_be_only_sealed(learnt, tmp_path):
    folder = copy_of(learnt, tmp_path)
    others = {"scenario": {}, "settings": {}, "vector": {}, "runs": [], "files": {}}
    for key, value in message(learnt).items():
        new = others.get(key, f"{value}!")

        def change(manifest, key=key, new=new):
            manifest[key] = new

        retell(folder, change)
        assert problems(folder), key
        if key not in ("seal", "files"):
            found = problems(sealed(folder))
            assert bool(found) == (key not in ONLY_SEALED["top"]), (key, found)
        shutil.copy(learnt / "manifest.json", folder / "manifest.json")


def test_another_scenario_with_its_own_hash_is_not_that_of_the_run(learnt, tmp_path):
    """The law, the network and the settings decide the times."""
    from simulator.scenario.loading import check

    def change(manifest):
        manifest["scenario"]["cluster"]["compute"]["seconds"][0] = 1.1
        manifest["scenario_hash"] = check(manifest["scenario"]).fingerprint()

    folder = copy_of(learnt, tmp_path)
    retell(folder, change)
    assert any("by replay" in problem for problem in problems(sealed(folder)))


def test_the_seal_guards_learning(learnt, tmp_path):
    """Of metrics it is only known where they must be, and when a target was met."""
    folder = copy_of(learnt, tmp_path)
    for column in ("gradient_norm", "gap", "environment_steps"):
        tamper_at(folder / "steps.parquet", column, 1, bold=False)
        assert problems(folder), column
        found = problems(sealed(folder))
        assert bool(found) == (column == "environment_steps"), found
        tamper_at(folder / "steps.parquet", column, -1, bold=True)
        shutil.copytree(learnt, folder, dirs_exist_ok=True)
    np.savez(folder / "parameters" / "rennala-nigt-0.npz", parameters=np.ones(4))
    assert problems(folder)
    assert problems(sealed(folder)) == []


# Files


def test_a_point_that_cannot_be_one_is_found(learnt, tmp_path):
    folder = copy_of(learnt, tmp_path)
    file = folder / "parameters" / "rennala-nigt-0.npz"
    for point in (np.ones(3), np.full(4, np.nan)):
        np.savez(file, parameters=point)
        assert problems(sealed(folder))
    file.unlink()
    assert problems(sealed(folder))


def names(directory):
    files = [path for path in directory.rglob("*.*") if path.is_file()]
    return sorted(str(path.relative_to(directory)) for path in files)


def test_a_file_that_is_missing_or_cut_short_is_found(learnt, tmp_path):
    for name in names(learnt):
        for cut in (True, False):
            folder = shutil.copytree(learnt, tmp_path / f"{name.replace('/', '-')}-{cut}")
            content = (folder / name).read_bytes()
            if cut:
                (folder / name).write_bytes(content[: len(content) // 2])
            else:
                (folder / name).unlink()
            if name == "manifest.json" and not cut:
                with pytest.raises(Mistake, match="not a result directory"):
                    verify_directory(folder)
            else:
                assert problems(folder), name


def test_any_byte_is_covered_by_the_seal(learnt, tmp_path):
    folder = copy_of(learnt, tmp_path)
    for name in names(learnt):
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)
        assert problems(folder), name
        shutil.copy(learnt / name, folder / name)


def test_a_directory_without_seals_is_reported(tmp_path):
    recorded(tmp_path, {"synchronous-pg": METHODS["synchronous-pg"]})

    def open_it(manifest):
        del manifest["files"], manifest["seal"]

    retell(tmp_path, open_it)
    assert problems(tmp_path) == ["manifest.json: not sealed: names no digests of its files"]


# What it says


def test_a_problem_names_the_run_and_the_step(tmp_path):
    recorded(tmp_path, {"rennala-pg": METHODS["rennala-pg"]})

    def fewer(frame):
        frame.loc[2, "tickets"] = 4

    rewrite(tmp_path / "steps.parquet", fewer)
    said = problems(sealed(tmp_path))
    assert "rennala-pg, seed 0, step 2: tickets = 4, by replay 5" in said


def test_many_problems_are_counted_and_the_first_listed(tmp_path):
    recorded(tmp_path, {"rennala-pg": METHODS["rennala-pg"]})

    def lighter(frame):
        frame["weight"] /= 2

    rewrite(tmp_path / "tickets.parquet" / "rennala-pg-0.parquet", lighter)
    report = verify_directory(sealed(tmp_path))
    used = pd.read_parquet(tmp_path / "workers.parquet")["used"].sum()
    assert report.wrong == used
    assert len(report.problems) == 3
    assert f"rennala-pg, seed 0: {used - 3} more of this kind (replay)" in report.lines()


def test_the_command_answers_by_its_exit_code(tmp_path):
    folder = recorded(tmp_path / "run", {"afedpg": METHODS["afedpg"]})
    answer = straggle("verify", folder)
    assert answer.code == 0
    assert "afedpg, seed 0:" in answer.out
    assert answer.out.splitlines()[-1].endswith("checked: no problem")
    data = json.loads(straggle("verify", folder, "--json").out)
    assert data["clean"]
    assert data["runs"][1]["method"] == "afedpg"

    def later(frame):
        frame.loc[3, "time"] += 1e-3

    rewrite(folder / "steps.parquet", later)
    answer = straggle("verify", folder)
    assert answer.code == 1
    assert "steps.parquet: was altered since it was written" in answer.out
    assert straggle("verify", tmp_path / "nowhere").code == 2


def test_a_ring_waits_for_a_paused_worker_even_if_messages_are_free(tmp_path):
    outages = [{"worker": 1, "begin": 2.5, "end": 6.0}]
    cluster = {
        "workers": 3,
        "compute": [1.0, 1.0, 3.0],
        "outages": outages,
        "in_outage": "continued",
    }
    methods = {"synchronous-pg": {"step": 0.1}}
    recorded(tmp_path, methods, cluster, network={"collective": "ring"})
    assert load(tmp_path).workers["communicating"].tolist()[0] >= 3.0
    assert problems(tmp_path) == []
