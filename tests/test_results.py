"""Is what a run leaves behind always whole, and does it come back as it was?"""

import os

import numpy as np
import pandas as pd
import pytest
from compiled import run_scenario

from algorithms.tickets import Ticket
from simulator.campaign.run import write_tickets
from simulator.cluster import Vector
from simulator.mistakes import Mistake
from simulator.results import results
from simulator.results import writer as writing
from simulator.results.directory import claim_directory, free_directory
from simulator.results.ledger import Ledger
from simulator.results.writer import Writer
from simulator.scenario.loading import check
from simulator.schedule import Accounts, Computation, Step
from simulator.system.files import replace
from simulator.training.record import Run
from simulator.training.schedules import vector_of

SCENARIO = check(
    {
        "title": "by hand",
        "seeds": [3],
        "cluster": {"workers": 2, "compute": [1.0, float("inf")]},
        "objective": {"kind": "quadratic", "dimension": 2},
        "stop": {"steps": 2},
        "methods": {"rennala-nigt": {"batch": 1, "step": 0.1, "momentum": 0.5}},
    }
)


def run_by_hand(seed=3, parameters=(1.0, 2.0)):
    """Two steps by worker 0; worker 1 is still at its first gradient when the run ends."""
    run = Run("rennala-nigt", seed, ("gap", "gradient_norm"))
    run.record_metrics({"gap": 4.0, "gradient_norm": 2.0})
    for version in range(2):
        first = Ticket(worker=0, version=version, index=0)
        run.close(Step(version, version + 1.0, [first], [1.0], version + 1, None), 25)
    run.point = np.array(parameters)
    run.record_metrics({"gap": 1.0, "gradient_norm": 0.5})
    run.accounts = Accounts(
        time=2.0,
        started=np.array([2, 1]),
        used=np.array([2, 0]),
        recalled=np.array([0, 0]),
        dropped=np.array([0, 0]),
        lost=np.array([0, 0]),
        unfinished=np.array([0, 1]),
        busy=np.array([2.0, 1.5]),
        communicating=np.array([0.0, 0.0]),
        down=np.array([0.0, 0.2]),
        idle=np.array([0.0, 0.3]),
        wasted=np.array([0.5, 0.0]),
    )
    run.evaluated, run.real_seconds = 2, 0.25
    return run


FATES = ["started", "used", "recalled", "dropped", "lost", "unfinished"]
DOINGS = ["busy", "communicating", "down", "idle", "wasted"]
COMPUTATIONS = [
    Computation(Ticket(0, 0, 0), 0.0, 1.0, "used", 1, 1.0),
    Computation(Ticket(1, 0, 0), 0.0, 2.0, "unfinished"),
    Computation(Ticket(0, 1, 0), 1.0, 2.0, "used", 2, 1.0),
]


@pytest.fixture
def writer(tmp_path):
    return writer_at(tmp_path / "run", SCENARIO)


def writer_at(directory, scenario, **options):
    claim_directory(directory)
    return Writer(directory, scenario, "straggle run x", vector_of(scenario), **options)


def keep(writer, run, computations):
    """A run, and the record of its gradients."""
    writer.add(run)
    with Ledger(writer.directory / "tickets.parquet", run) as ledger:
        for computation in computations:
            ledger.add(computation)


@pytest.fixture
def complete(writer):
    """A finished directory with one run, and its tickets."""
    keep(writer, run_by_hand(), COMPUTATIONS)
    writer.write("complete")
    return writer.directory


# There and back


def test_steps_and_workers_hold_the_record_of_the_run(complete):
    found = results.load(str(complete))
    assert found.schedule_only is False
    assert found.vector == Vector(dimension=2, itemsize=8)
    assert found.run("rennala-nigt", 3).lengths is None
    kinds = found.steps.dtypes[["seed", "step", "time", "gradients", "gap"]].astype(str).tolist()
    assert kinds == ["int64", "int64", "float64", "int64", "float64"]
    assert found.steps["time"].tolist() == [0.0, 1.0, 2.0]
    assert found.steps["environment_steps"].tolist() == [0, 25, 50]
    assert found.steps["gradients"].tolist() == [0, 1, 2]
    # No evaluation followed the first step.
    np.testing.assert_array_equal(found.steps["gap"], [4.0, np.nan, 1.0])
    assert found.workers["unfinished"].tolist() == [0, 1]
    assert found.workers["seconds"].tolist() == [2.0, 2.0]
    (run,) = found.runs.to_dict("records")
    assert (run["method"], run["seed"], run["end"], run["steps"]) == ("rennala-nigt", 3, "stop", 2)
    assert (run["started"], run["used"], run["unfinished"], run["evaluated"]) == (3, 2, 1, 2)
    shares = [run[f"{doing}_share"] for doing in DOINGS]
    assert shares == pytest.approx([3.5 / 4, 0, 0.2 / 4, 0.3 / 4, 0.5 / 4])
    assert found.manifest["runs"][0]["seconds_to_target"] is None


def test_tickets_hold_their_use_or_nothing(complete):
    tickets = results.load(complete).tickets.set_index(["worker", "version"])
    assert tickets.loc[(0, 1), "used_in_step"] == 2
    assert tickets.loc[(0, 1), "weight"] == 1.0
    assert tickets.loc[(1, 0), ["used_in_step", "weight"]].isna().all()
    assert tickets.loc[(1, 0), "outcome"] == "unfinished"


def test_the_scenario_and_the_final_point_come_back_as_they_were(complete):
    found = results.load(complete)
    assert found.scenario == SCENARIO
    assert found.scenario.fingerprint() == found.manifest["scenario_hash"]
    point = found.parameters("rennala-nigt", 3)
    assert point.dtype == np.float64
    np.testing.assert_array_equal(point, [1.0, 2.0])


def test_a_real_run_comes_back_as_it_was(tmp_path):
    plain = SCENARIO.model_dump(exclude_none=True) | {"cluster": {"workers": 2, "compute": 1.0}}
    scenario = check(plain)
    writer = writer_at(tmp_path / "run", scenario)
    (run,) = run_scenario(scenario)
    writer.add(run)
    with Ledger(writer.directory / "tickets.parquet", run) as ledger:
        write_tickets(scenario, run, ledger)
    found = results.load(writer.directory)
    np.testing.assert_array_equal(found.parameters("rennala-nigt", 3), run.parameters())
    wanted = pd.DataFrame(run.columns())
    pd.testing.assert_frame_equal(found.steps, wanted, check_exact=True, check_dtype=False)
    assert len(found.tickets) == found.workers["started"].sum()


def test_a_run_without_numbers_leaves_neither_metrics_nor_a_point(tmp_path):
    writer = writer_at(tmp_path / "run", SCENARIO, schedule_only=True)
    full = run_by_hand()
    run = Run("rennala-nigt", 3, accounts=full.accounts)
    run.times, run.tickets, run.used, run.delays = full.times, full.tickets, full.used, full.delays
    run.mean_delays, run.arrival_delays = full.mean_delays, full.arrival_delays
    run.training_seconds = full.training_seconds
    writer.add(run)
    found = results.load(writer.directory)
    assert found.schedule_only is True
    columns = ["method", "seed", "step", "time", "tickets", "gradients", "max_delay"]
    columns += ["mean_delay", "arrival_delay", "training_seconds"]
    assert list(found.steps.columns) == columns
    assert found.steps["time"].tolist() == [0.0, 1.0, 2.0]
    assert not (found.directory / "parameters").exists()
    with pytest.raises(Mistake, match=r"it has no rennala-nigt-3\.npz"):
        found.parameters("rennala-nigt", 3)


def test_a_run_that_took_no_time_has_no_shares(writer):
    run = Run("rennala-nigt", 3, ("gap", "gradient_norm"))
    run.record_metrics({"gap": 0.0, "gradient_norm": 0.0})
    run.point = np.zeros(2)
    nothing = dict.fromkeys(FATES, np.zeros(2, int)) | dict.fromkeys(DOINGS, np.zeros(2))
    run.accounts = Accounts(time=0.0, **nothing)
    writer.add(run)
    (row,) = results.load(writer.directory).manifest["runs"]
    assert [row[f"{doing}_share"] for doing in DOINGS] == [None] * 5


# What it takes to simulate a schedule once more


def by_environment_steps(directory):
    plain = SCENARIO.model_dump(exclude_none=True)
    plain["cluster"] = {"workers": 2, "compute": 0.1, "per": "environment-step"}
    plain["objective"] = {"kind": "policy-gradient", "environment": "CartPole-v1"}
    return writer_at(directory, check(plain))


def test_lengths_come_back_by_their_tickets_if_they_decide_the_times(tmp_path):
    writer = by_environment_steps(tmp_path / "run")
    lengths = {done.ticket: 9 + at for at, done in enumerate(COMPUTATIONS)}
    for seed, plus in ((3, 0), (4, 100)):
        run = run_by_hand(seed)
        run.lengths = {ticket: length + plus for ticket, length in lengths.items()}
        keep(writer, run, COMPUTATIONS)
    again = results.load(writer.directory).run("rennala-nigt", 3)
    assert again.lengths == lengths
    assert all(type(length) is int for length in again.lengths.values())
    assert all(type(number) is int for ticket in again.lengths for number in ticket)


def test_without_the_lengths_their_times_cannot_be_had_again(tmp_path):
    writer = by_environment_steps(tmp_path / "run")
    writer.add(run_by_hand())
    with pytest.raises(Mistake) as caught:
        results.load(writer.directory).run("rennala-nigt", 3)
    printed = f"{writer.directory}: has no tickets.parquet, which tells its times"
    assert str(caught.value) == printed


# Whole at any moment


@pytest.mark.parametrize("broken", ["steps.parquet", "manifest.json", "rennala-nigt-3.npz"])
def test_a_write_that_fails_half_way_leaves_the_file_before(broken, complete, writer, monkeypatch):
    before = results.load(complete)
    halfway(broken, monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        writer.add(run_by_hand(parameters=(7.0, 7.0)))
    after = results.load(complete)
    if broken == "steps.parquet":
        pd.testing.assert_frame_equal(after.steps, before.steps)
    if broken == "manifest.json":
        assert after.manifest == before.manifest
    if broken == "rennala-nigt-3.npz":
        np.testing.assert_array_equal(after.parameters("rennala-nigt", 3), [1.0, 2.0])


def halfway(name, monkeypatch):
    """Let the disk fill up while a file of this name is written."""
    honest = writing.replace

    def full(target, write):
        def half(path):
            write(path)
            os.truncate(path, path.stat().st_size // 2)
            raise OSError(28, "No space left on device")

        honest(target, half if target.name == name else write)

    monkeypatch.setattr(writing, "replace", full)


def test_of_two_processes_that_write_one_file_the_last_stands(tmp_path, monkeypatch):
    target = tmp_path / "sweep.parquet"

    def write(path):
        path.write_text("the first to begin")
        with monkeypatch.context() as other:
            other.setattr(os, "getpid", lambda: -1)
            replace(target, lambda path: path.write_text("in between"))
        assert target.read_text() == "in between"

    replace(target, write)
    assert target.read_text() == "the first to begin"
    assert [*tmp_path.iterdir()] == [target]


def test_tickets_that_broke_off_leave_the_parts_before(complete, writer):
    before = results.load(complete).tickets
    place = writer.directory / "tickets.parquet"
    with pytest.raises(KeyboardInterrupt), Ledger(place, run_by_hand(seed=4)) as ledger:  # noqa: PT012
        ledger.add(COMPUTATIONS[0])
        raise KeyboardInterrupt
    assert not [path for path in complete.rglob("*") if "partial" in path.name]
    # As a process that was killed leaves it.
    (place / ".rennala-nigt-4.parquet.partial").write_bytes(b"PAR1 and no")
    pd.testing.assert_frame_equal(results.load(complete).tickets, before)


# What cannot be read is one line


PART = "tickets.parquet/rennala-nigt-3.parquet"
FILES = ("manifest.json", "steps.parquet", "workers.parquet", PART)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["truncated", "empty", "garbage"])
def test_a_damaged_file_is_a_mistake_in_one_line(name, damage, complete):
    whole = (complete / name).read_bytes()
    content = {"truncated": whole[: len(whole) // 2], "empty": b"", "garbage": b"\xff\xfe\x00" * 99}
    (complete / name).write_bytes(content[damage])
    message = mistake_of(complete)
    assert message.startswith(f"{complete}")
    assert name.split("/")[0] in message, "which of the files is damaged?"


@pytest.mark.parametrize("manifest", ["[]", "{}", '{"runs": 3, "scenario": {}}', '{"format": 999}'])
def test_invalid_manifests_are_a_mistake_in_one_line(manifest, complete):
    (complete / "manifest.json").write_text(manifest)
    assert "manifest.json" in mistake_of(complete)


@pytest.mark.parametrize("name", [name for name in FILES if name != PART])
def test_a_missing_file_is_a_mistake_that_names_it(name, complete):
    (complete / name).unlink()
    assert mistake_of(complete) == f"{complete}: not a result directory, it has no {name}"
    assert mistake_of(complete / "nowhere") == f"{complete / 'nowhere'}: no such directory"


def mistake_of(directory):
    with pytest.raises(Mistake) as caught:
        results.load(directory)
    message = str(caught.value)
    assert "\n" not in message
    return message


# Where results go


def test_a_free_directory_gets_the_first_number_that_is_free(tmp_path):
    wanted = tmp_path / "run"
    assert free_directory(wanted) == wanted
    wanted.mkdir()
    (tmp_path / "run-2").write_text("a file takes a name, too")
    assert free_directory(wanted) == tmp_path / "run-3"


def test_a_directory_that_holds_something_is_not_claimed(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Mistake, match="is not empty"):
        claim_directory(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
