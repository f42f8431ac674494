"""Are the bits of a run the same, whatever runs beside it, and whichever process dies?"""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from children import start
from test_cli import straggle, written

SCENARIO = """
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 6, scale = 0.1 }
stop = { steps = 200 }
methods.rennala-pg = { batch = 3, step = 0.05 }
methods.afedpg = { step = 0.01, momentum = 0.3 }
"""
QUIET = ["--figures", "none", "--quiet"]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    return written(tmp_path_factory.mktemp("side") / "four.toml", SCENARIO)


@pytest.fixture(scope="module")
def alone(scenario, tmp_path_factory):
    """What the runs leave behind when each runs by itself."""
    out = tmp_path_factory.mktemp("alone") / "o"
    assert straggle("run", scenario, "--out", out, "--jobs", 1, *QUIET).code == 0
    return content(out)


def content(directory):
    """The bytes of every table and point."""
    files = [*directory.rglob("*.parquet"), *directory.rglob("*.npz")]
    return {str(f.relative_to(directory)): f.read_bytes() for f in files if f.is_file()}


def started(*words):
    return start(words, STRAGGLE_CHECKPOINT_SECONDS="0")


def those_at_work(process):
    """The processes that do pieces of work for it."""
    while process.poll() is None:
        place = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        pids = [int(pid) for pid in place.read_text().split()]
        found = [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        if len(found) == 2:
            return found
        time.sleep(0.01)
    raise AssertionError("it ended before two processes were at work")


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")
def test_runs_side_by_side_have_the_same_bits_though_a_process_is_killed(scenario, alone, tmp_path):
    out = tmp_path / "o"
    process = started("run", scenario, "--out", out, "--jobs", 2, *QUIET)
    os.kill(those_at_work(process)[0], signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "")
    assert content(out) == alone
    assert straggle("verify", out).code == 0


@pytest.mark.parametrize(
    ("number", "jobs"),
    [pytest.param(signal.SIGINT, 2, marks=pytest.mark.nightly), (signal.SIGKILL, 1)],
)
def test_runs_stopped_side_by_side_are_resumed_to_the_same_bits(
    number, jobs, scenario, alone, tmp_path
):
    out = tmp_path / "o"
    process = started("run", scenario, "--out", out, "--jobs", 2, "--figures", "none")
    next(line for line in process.stderr if line.startswith("[1/4]"))
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    if number == signal.SIGINT:
        assert process.returncode in (0, 130)  # 0: all had ended
        assert "Traceback" not in said
    assert straggle("run", "--resume", out, "--jobs", jobs, *QUIET).code == 0
    assert content(out) == alone
    assert not (out / "checkpoints").exists()
