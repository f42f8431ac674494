"""Does a command end with one line and its exit code, whenever it is interrupted?"""

import os
import signal
import subprocess
import threading
from contextlib import suppress

import pytest
from children import ended, sigint, start, start_sending
from test_cli import TINY, straggle, written

from simulator.results import results
from simulator.system.interrupts import Interrupts, remedy
from simulator.training.laboratory import Laboratory

IMPORTING = """
import os, signal, sys
from simulator.cli import main
at, imports = int(sys.argv.pop(1)), []

def count(event, arguments):
    if event == "import":
        imports.append(1)
        if len(imports) == at:
            os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(count)
main()
"""
LEAVING = """
import atexit, os, signal
from simulator.cli import main
atexit.register(os.kill, os.getpid(), signal.SIGINT)
main()
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return written(tmp_path_factory.mktemp("tiny") / "tiny.toml", TINY)


@pytest.mark.parametrize("at", [1, 300])
def test_an_interrupt_while_modules_are_imported(at):
    assert ended(start([at, "list"], IMPORTING), 130) == "straggle: interrupted\n"


def test_a_command_that_has_ended_ignores_an_interrupt():
    assert ended(start(["--version"], LEAVING)) == ""


PLACES = [
    (signal.SIGTERM, "simulator.estimate.estimate:check", False),
    (signal.SIGTERM, "simulator.training.record:Run.close", True),
    (signal.SIGINT, "simulator.verification:verify", True),
    (signal.SIGINT, "simulator.figures.painter:Painter.finish", True),
]


@pytest.mark.parametrize(("number", "place", "begun"), PLACES)
def test_an_interrupted_run_names_the_command_that_finishes_it(
    number, place, begun, tiny, tmp_path
):
    out = tmp_path / "out"
    words = ["run", tiny, "--schedule-only", "--quiet", "--out", out]
    said = ended(start_sending(number, place, words), 128 + number)
    hint = f"; straggle run --resume {out} finishes it" if begun else ""
    assert said == f"straggle: interrupted{hint}\n"
    if begun:
        results.load(out)


def test_an_interrupt_before_the_first_run_is_recorded(tiny, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Laboratory, "train", interrupted)
    out = tmp_path / "out"
    for words in (["--out", out], ["--out", tmp_path / "json", "--json"]):
        answer = straggle("run", tiny, "--figures", "none", *words)
        assert answer.code == 130
        hint = f"straggle run --resume {words[1]} finishes it"
        assert answer.err.splitlines()[-1] == f"straggle: interrupted; {hint}"
    monkeypatch.undo()
    assert straggle("run", "--resume", out, "--quiet", "--figures", "none") == (0, "", "")


# Signals that are ignored when the command begins


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), pytest.param(15, 143, marks=pytest.mark.nightly)]
)
def test_only_an_ignored_interrupt_stays_ignored(number, code, tiny, tmp_path):
    words = [
        "run",
        tiny,
        "--schedule-only",
        "--quiet",
        "--figures",
        "none",
        "--out",
        tmp_path / "o",
    ]
    place = "simulator.training.record:Run.close"
    said = ended(start_sending(number, place, words, ignoring=True), code)
    assert bool(said) == bool(code)


# In this process


@pytest.fixture
def heard():
    """Interrupts of a command in this process, whose own signals are put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with sigint(signal.default_int_handler):
        try:
            with Interrupts() as interrupts:
                yield interrupts
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def test_a_doubled_signal_counts_once(heard):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
    assert (heard.signal, heard.exit_code) == (signal.SIGTERM, 143)


def test_an_interrupt_that_python_ignores_comes_again(heard):
    class Interrupting:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    Interrupting()  # and at once no more
    with pytest.raises(KeyboardInterrupt):
        threading.Event().wait(60)


def test_the_first_remedy_is_the_one_that_is_named():
    with pytest.raises(KeyboardInterrupt, match="inner"), remedy("outer"), remedy("inner"):
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="mine"), remedy("outer"):
        raise ValueError("mine")


# Any command, at any moment

NEVER = ("Traceback", "internal error", "Exception ignored", "leaked", "KeyboardInterrupt")
BEGINNING = "from simulator.cli import main; print('begins', flush=True); main()"
SWEEP = """
scenario = "tiny.toml"
[grid]
"methods.*.step" = [0.05, 0.2]
"""
SUITE = """
[benchmarks.schedule]
kind = "exact"
why = "nothing else"
scenario = "tiny.toml"
"""


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """A command line of every command that takes a while, by its name."""
    folder = tmp_path_factory.mktemp("commands")
    tiny = written(folder / "tiny.toml", TINY)
    done = folder / "done"
    assert straggle("run", tiny, "--tickets", "--quiet", "--out", done).code == 0
    sweep, suite = written(folder / "sweep.toml", SWEEP), written(folder / "suite.toml", SUITE)
    vary = ["--vary", "cluster.workers=3,4", "--set", "cluster.compute=1"]
    target = ["--set", "stop={steps=20,target=0.1}"]
    lines = {
        "run": ["run", tiny, "--quiet", "--out", "OUT"],
        "schedule": ["run", tiny, "--schedule-only", "--quiet", "--out", "OUT"],
        "validate": ["validate", tiny],
        "list": ["list"],
        "sweep": ["sweep", sweep, "--quiet", "--jobs", "2", "--out", "OUT"],
        "complexity": ["complexity", tiny, *vary, *target, "--quiet", "--jobs", "2"],
        "check": ["check", suite, "--quiet", "--update", "--baseline", "OUT"],
        "evaluate": ["evaluate", done],
        "verify": ["verify", done],
        "replay": ["replay", done, "0.0.0", "--method", "rennala-nigt", "--seed", "0"],
        "timeline": ["timeline", done, "--out", "OUT"],
    }
    lines["complexity"] += ["--out", "OUT"]
    for name, words in lines.items():
        ended(start([str(folder / name) if word == "OUT" else word for word in words]))
    return lines


NAMES = (
    *("run", "schedule", "validate", "list", "sweep", "complexity", "check", "evaluate", "verify"),
    *("replay", "timeline"),
)


@pytest.mark.nightly
@pytest.mark.parametrize("moment", [round(0.1 * 1.2**at, 2) for at in range(20)])
@pytest.mark.parametrize("name", NAMES)
def test_a_command_that_is_interrupted_says_so_in_one_line(name, moment, commands, tmp_path):
    words = [str(tmp_path / "out") if word == "OUT" else word for word in commands[name]]
    process = start(words, BEGINNING, session=True)
    assert process.stdout.readline() == "begins\n"
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, said = process.communicate(timeout=60)
    lines = said.splitlines()
    message = [line for line in lines if line.startswith("straggle: interrupted")]
    assert process.returncode in (0, 130), said
    assert message == (lines[-1:] if process.returncode else [])
    assert not [words for words in NEVER if words in said]
