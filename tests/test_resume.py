"""Does a killed and resumed run equal an uninterrupted one?  To the last bit.

In one process a run is killed after each of its checkpoints; then real processes are, at random
moments, on a full disk, and with files that the kill left damaged.
"""

import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress

import numpy as np
import pandas as pd
import pytest
from children import ended, start, start_sending
from compiled import compiled_once, run_in
from test_cli import straggle

from algorithms.methods import METHODS
from simulator.campaign.run import RunOptions, resume
from simulator.mistakes import Mistake
from simulator.results import results
from simulator.scenario.loading import check
from simulator.scenario.paths import override
from simulator.system.files import alone_in
from simulator.training import checkpoint
from simulator.training.checkpoint import Keeper
from simulator.training.laboratory import laboratory_of

__all__ = ["compiled_once"]  # the fixture

SAID = {"batch": 3, "step": 0.1, "momentum": 0.3, "threshold": 4, "attempts": 2, "limit": 2.0}
SAID |= {"probability": 0.5, "buffer": 2, "local_step": 0.1, "local_steps": 2, "worker_batch": 2}
QUADRATIC = {"kind": "quadratic", "dimension": 4, "scale": 0.1}
CARTPOLE = {
    "kind": "policy-gradient",
    "environment": "CartPole-v1",
    "horizon": 12,
    "policy": {"hidden": [3]},
}
QUIET = RunOptions(quiet=True)
FOUR = ("rennala-nigt", "malenia-nigt", "afedpg", "synchronous-nigt")
KILLS = int(os.environ.get("STRAGGLE_KILLS", "2"))
"""Of every one of the four methods, at random moments."""


def table_of(method):
    required = METHODS[method].parameters()
    return {name: SAID[name] for name, p in required.items() if p.default is p.empty}


def scenario_of(method, *settings, objective=QUADRATIC, **tables):
    plain = {
        "seeds": [3],
        "cluster": {
            "workers": 4,
            "compute": {"law": "log-normal", "mean": [1, 1.7, 2.9, 5.3], "sigma": 0.3},
        },
        "objective": dict(objective),
        "evaluation": {"episodes": 4},
        "stop": {"steps": 14},
        "methods": {method: table_of(method)},
        **tables,
    }
    for setting in settings:
        override(plain, setting)
    return check(plain)


class Killed(BaseException):
    """No run notices that it is killed."""


class Deadly(Keeper):
    """Writes a checkpoint after each group of steps, and kills the run after some of them."""

    def __init__(self, *arguments, lives):
        super().__init__(*arguments)
        self.lives = lives

    def save(self, memory):
        super().save(memory)
        self.lives -= 1
        if self.lives == 0:
            raise Killed


@pytest.fixture(autouse=True)
def always_due(monkeypatch):
    """A checkpoint after each group of steps."""
    monkeypatch.setenv("STRAGGLE_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr(checkpoint, "SHARE", math.inf)


def trained(scenario, keeper=None):
    return laboratory_of(scenario).run(scenario, keeper)


def trained_by_many_lives(scenario, folder, steps_each):
    """The same run, by processes that each die after so many checkpoints; how many there were."""
    for lives in range(1, 100):
        with suppress(Killed):
            name = (folder, "run", scenario.fingerprint())
            return trained(scenario, Deadly(*name, lives=steps_each)), lives
    raise AssertionError("it never ends")


def assert_same(one, other):
    mine, theirs = one.columns(), other.columns()
    assert mine.keys() == theirs.keys()
    for name, column in mine.items():
        np.testing.assert_array_equal(column, theirs[name])
    for mine, theirs in zip(one.accounts, other.accounts, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(one.parameters(), other.parameters())
    assert one.parameters().dtype == other.parameters().dtype
    ends = ("end", "message", "reached", "evaluated", "lengths", "newest")
    assert [getattr(one, name) for name in ends] == [getattr(other, name) for name in ends]


@pytest.mark.parametrize("method", METHODS)
def test_a_run_with_many_lives_is_the_run_with_one(method, tmp_path):
    scenario = scenario_of(method)
    run, lives = trained_by_many_lives(scenario, tmp_path, steps_each=2)
    assert lives > 2
    assert run.steps == 14
    assert_same(run, trained(scenario))


EPISODES_DECIDE = {"workers": 3, "compute": [0.1, 0.2, 0.5], "per": "environment-step"}
TRAINED = {
    "a policy": ("afedpg", {"objective": CARTPOLE}),
    "a target": ("afedpg", {"stop": {"steps": 60, "target": 0.2}}),
    "seconds": ("rennala-nigt", {"stop": {"seconds": 31.0}, "evaluation": {"every_seconds": 4}}),
    "times that episodes decide": ("afedpg", {"objective": CARTPOLE, "cluster": EPISODES_DECIDE}),
    "points of others": (
        "queued-pg",
        {
            "objective": {"kind": "tabular", "states": 3, "actions": 2, "horizon": 4},
            "server": {"seconds": 0.3},
            "methods": {
                "queued-pg": {"batch": 2, "step": 0.1, "importance": 1.1, "update": "during"}
            },
        },
    ),
    "an environment on the host": (
        "rennala-nigt",
        {"objective": {**CARTPOLE, "environment": "Acrobot-v1"}, "stop": {"steps": 5}},
    ),
    "diagnostics": (
        "afedpg",
        {"evaluation": {"every_steps": 3, "diagnostics_every_steps": 2, "episodes": 4}},
    ),
}


@pytest.mark.parametrize("name", TRAINED)
def test_a_run_with_many_lives_may_train(name, tmp_path):
    method, tables = TRAINED[name]
    scenario = scenario_of(method, **tables)
    run, lives = trained_by_many_lives(scenario, tmp_path, steps_each=1)
    assert lives > 2
    assert_same(run, trained(scenario))


# Files that a kill left damaged


def kept_twice(folder, scenario):
    """Two checkpoints of a run, the older one and the newer."""
    with pytest.raises(Killed):
        trained(scenario, Deadly(folder, "run", scenario.fingerprint(), lives=2))
    first, second = sorted(folder.glob("run.*.npz"), key=lambda path: steps_in(path))
    assert steps_in(first) < steps_in(second)
    return first, second


def steps_in(path):
    with np.load(path) as arrays:
        return int(arrays["record/steps"])


def newest(keeper):
    found = keeper.found()
    return found[max(found)] if found else None


def keeper_of(folder, scenario, printed):
    return Keeper(folder, "run", scenario.fingerprint(), printed.append)


def test_of_a_checkpoint_cut_short_the_one_before_is_used(tmp_path):
    scenario, printed = scenario_of("rennala-nigt"), []
    older, newer = kept_twice(tmp_path, scenario)
    steps = steps_in(older)
    whole = newer.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        newer.write_bytes(whole[:size])
        keeper = keeper_of(tmp_path, scenario, printed := [])
        assert newest(keeper)["record/steps"] == steps
        (line,) = printed
        assert line.startswith(f"{newer}: this checkpoint is damaged and left aside: ")
    assert_same(trained(scenario, keeper_of(tmp_path, scenario, printed)), trained(scenario))


def test_with_both_damaged_a_run_begins_anew(tmp_path):
    scenario, printed = scenario_of("afedpg"), []
    for path in kept_twice(tmp_path, scenario):
        path.write_bytes(path.read_bytes()[:-100])
    run = trained(scenario, keeper_of(tmp_path, scenario, printed))
    assert len(printed) == 2
    assert_same(run, trained(scenario))


def test_a_checkpoint_of_another_scenario_or_with_code_in_it_is_left_aside(tmp_path):
    kept_twice(tmp_path, scenario_of("afedpg"))
    with (tmp_path / "code.a.npz").open("wb") as file:
        np.savez(file, **{"record/steps": np.array([print], dtype=object)})
    for name, many in (("run", 2), ("code", 1)):
        printed = []
        assert newest(Keeper(tmp_path, name, "another", printed.append)) is None
        assert len(printed) == many


def test_a_changed_byte_is_never_believed(tmp_path):
    scenario = scenario_of("rennala-nigt")
    older, newer = kept_twice(tmp_path, scenario)
    whole, chance = bytearray(newer.read_bytes()), random.Random(1)
    honest = newest(Keeper(tmp_path, "run", scenario.fingerprint()))
    for _ in range(100):
        altered = bytearray(whole)
        altered[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        newer.write_bytes(altered)
        found = newest(Keeper(tmp_path, "run", scenario.fingerprint()))
        if found["record/steps"] == steps_in(older):
            continue  # left aside
        assert found.keys() == honest.keys()
        for name, values in found.items():
            np.testing.assert_array_equal(values, honest[name])


# Directories


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of its own scenario, all of it."""
    folder = tmp_path_factory.mktemp("finished") / "whole"
    scenario = scenario_of("rennala-nigt")
    assert run_in(folder, scenario) == (folder, 0)
    return folder


@pytest.fixture
def begun(finished, tmp_path):
    """The finished run, and a directory in which nothing has ended yet, as a kill leaves it."""
    out = shutil.copytree(finished, tmp_path / "whole")
    copy = shutil.copytree(finished, tmp_path / "cut")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest |= {"status": "running", "runs": []}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return out, copy, scenario_of("rennala-nigt")


def assert_equal_directories(one, other):
    one, other = results.load(one), results.load(other)
    for frame in ("steps", "workers", "tickets"):
        mine, theirs = getattr(one, frame), getattr(other, frame)
        pd.testing.assert_frame_equal(mine, theirs, check_exact=True)
    same = [name for name in one.runs if name != "real_seconds"]
    pd.testing.assert_frame_equal(one.runs[same], other.runs[same], check_exact=True)
    for run in one.runs.itertuples():
        for point in (one.parameters(run.method, run.seed),):
            np.testing.assert_array_equal(point, other.parameters(run.method, run.seed))
    assert one.manifest["status"] == other.manifest["status"]
    assert not list(other.directory.rglob("*.partial"))
    assert not (other.directory / "checkpoints").exists()


def test_a_directory_is_finished_in_place(begun):
    out, cut, scenario = begun
    (cut / "steps.parquet.77.partial").write_text("half")
    assert resume(cut, scenario, options=QUIET).good
    assert_equal_directories(out, cut)
    assert results.load(cut).manifest["resumed"] == 1


def test_finished_runs_are_not_repeated(begun, caplog):
    out, _, _ = begun
    before = results.load(out).runs
    assert resume(out, None, options=RunOptions()).good
    assert "1 of 1 runs had ended" in caplog.text
    pd.testing.assert_frame_equal(results.load(out).runs, before)


def unwritten(out):
    next((out / "tickets.parquet").iterdir()).unlink()


def unsealed(out):
    """A kill may come between the tickets and the manifest that names them."""
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["files"]["tickets.parquet/rennala-nigt-3.parquet"]
    (out / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("spoil", [unwritten, unsealed])
def test_missing_or_unsealed_tickets_are_written_again(spoil, begun):
    out, _, _ = begun
    whole = shutil.copytree(out, out.parent / "copy")
    spoil(out)
    assert resume(out, None, options=QUIET).good
    assert_equal_directories(whole, out)


@pytest.mark.parametrize(
    ("setting", "printed"),
    {
        "methods.rennala-nigt.step=0.2": "methods.rennala-nigt.step is 0.2, was 0.1",
        "stop={seconds=9}": "stop.steps is nothing, was 14; stop.seconds is 9.0, was nothing",
        "cluster.compute=[1,2,3,4]": 'cluster.compute.law is "fixed", was "log-normal"; ',
    }.items(),
)
def test_a_changed_scenario_is_refused_and_the_difference_named(setting, printed, begun):
    _, cut, _ = begun
    with pytest.raises(Mistake) as refused:
        resume(cut, scenario_of("rennala-nigt", setting), options=QUIET)
    assert str(refused.value).startswith(
        f"--resume {cut}: was begun with another scenario: {printed}"
    )


@pytest.mark.parametrize(
    ("keys", "value", "printed"),
    [
        (("scenario", "methods", "rennala-nigt", "step"), 0.2, "is not the one that was begun"),
        (("versions", "jax"), "0.0.1", "other versions: jax is"),
    ],
)
def test_a_directory_of_another_scenario_or_version_is_refused(keys, value, printed, begun):
    _, cut, _ = begun
    manifest = table = json.loads((cut / "manifest.json").read_text())
    for key in keys[:-1]:
        table = table[key]
    table[keys[-1]] = value
    (cut / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(Mistake, match=printed):
        resume(cut, None, options=QUIET)


def test_of_two_that_resume_the_same_one_is_refused(begun, monkeypatch, caplog):
    _, cut, _ = begun
    with alone_in(cut), pytest.raises(Mistake, match="another straggle is writing there"):
        resume(cut, None, options=QUIET)
    monkeypatch.setenv("STRAGGLE_CORES", "61")
    assert resume(cut, None, options=QUIET).good
    assert "other cores; the last digits may differ" in caplog.text


# Processes

SCENARIO = """
seeds = [0, 1]
cluster = { workers = 5, compute = { law = "power", exponent = 0.5 } }
objective = { kind = "quadratic", dimension = 5, scale = 0.1 }
stop = { steps = STEPS }
[methods.METHOD]
"""
EAGER = {"STRAGGLE_CHECKPOINT_SECONDS": "0"}
PLAIN = ("--quiet", "--figures", "none")
SAVE = "simulator.training.checkpoint:Keeper.save"


def scenario_file(folder, method="rennala-nigt", steps=40):
    text = SCENARIO.replace("METHOD", method).replace("STEPS", str(steps))
    text += "\n".join(f"{name} = {value}" for name, value in table_of(method).items())
    file = folder / f"{method}-{steps}.toml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The scenario of these processes, and its uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    file = scenario_file(folder)
    assert straggle("run", file, "--out", folder / "out", *PLAIN) == (0, "", "")
    return file, folder / "out"


def stopped(process):
    """Wait until a process has stopped itself."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


@pytest.mark.parametrize(
    "place",
    [
        SAVE,
        "simulator.results.writer:Writer.add",
        pytest.param("simulator.training.checkpoint:Keeper.clear", marks=pytest.mark.nightly),
    ],
)
def test_a_process_that_is_killed_is_resumed_by_another(place, whole, tmp_path):
    file, out = whole
    cut = tmp_path / "cut"
    words = ["run", file, "--out", cut, *PLAIN]
    process = start_sending(signal.SIGSTOP, place, words, **EAGER)
    stopped(process)
    refused = straggle("run", "--resume", cut)
    assert refused.code == 2
    assert refused.err.startswith(f"straggle: {cut}: another straggle is writing there")
    process.kill()
    ended(process, -signal.SIGKILL)
    results.load(cut)  # what is left can be read
    assert straggle("run", "--resume", cut, *PLAIN) == (0, "", "")
    assert_equal_directories(out, cut)


def test_a_process_that_is_interrupted_is_resumed_by_another(whole, tmp_path):
    file, out = whole
    cut = tmp_path / "cut"
    words = ["run", file, "--out", cut, *PLAIN]
    printed = ended(start_sending(signal.SIGINT, SAVE, words, nth=2, **EAGER), 130)
    assert printed == f"straggle: interrupted; straggle run --resume {cut} finishes it\n"
    assert results.load(cut).manifest["status"] == "interrupted"
    assert straggle("run", "--resume", cut, *PLAIN) == (0, "", "")
    assert_equal_directories(out, cut)


@pytest.mark.nightly
@pytest.mark.parametrize("method", FOUR)
def test_killed_at_random_moments(method, tmp_path):
    file, whole, cut = scenario_file(tmp_path, method, 600), tmp_path / "whole", tmp_path / "cut"
    assert straggle("run", file, "--out", whole, *PLAIN) == (0, "", "")
    chance, longest, kills = random.Random(method), 20.0, 0
    process = start(["run", file, "--out", cut, *PLAIN], **EAGER)
    while kills < KILLS:
        try:
            process.wait(chance.uniform(0.1, 1) * longest)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        else:  # it was quicker: next time less patience, and once more from its start
            ended(process)
            longest *= 0.7
            shutil.rmtree(cut)
        if (cut / "manifest.json").exists():
            results.load(cut)  # what is left can be read
            process = start(["run", "--resume", cut, *PLAIN], **EAGER)
        else:
            shutil.rmtree(cut, ignore_errors=True)
            process = start(["run", file, "--out", cut, *PLAIN], **EAGER)
    ended(process)
    assert_equal_directories(whole, cut)


@contextmanager
def longest_file(size):
    """A disk on which no file can be longer: writing more fails, as on a full one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [10, 3_000])
def test_a_full_disk_loses_nothing_that_was_written(size, whole, tmp_path, monkeypatch):
    file, out = whole
    cut = tmp_path / "cut"
    monkeypatch.setenv("STRAGGLE_CHECKPOINT_SECONDS", "0")
    with longest_file(size):
        answer = straggle("run", file, "--out", cut, *PLAIN)
    assert answer.code == 3
    remedy = f"when that is mended, straggle run --resume {cut} finishes it"
    assert answer.err.splitlines()[-1].startswith(f"straggle: {cut}: cannot be written: ")
    assert answer.err.splitlines()[-1].endswith(remedy)
    if size > 10:
        results.load(cut)
        assert straggle("run", "--resume", cut, *PLAIN).code == 0
        assert_equal_directories(out, cut)
