"""Does a command end with one line and its exit code, whenever it is interrupted?"""

import signal
import threading

import pytest
from children import ended, sigint, start, start_sending
from test_cli import TINY, straggle, written

from simulator.results import results
from simulator.runs.experiment import Laboratory
from simulator.system.interrupts import Interrupts, remedy

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


@pytest.mark.parametrize("at", [1, 30, 300])
def test_an_interrupt_while_modules_are_imported(at):
    assert ended(start([at, "list"], IMPORTING), 130) == "straggle: interrupted\n"


def test_a_command_that_has_ended_ignores_an_interrupt():
    assert ended(start(["--version"], LEAVING)) == ""


PLACES = {
    "before its directory": ("simulator.estimate.estimate:check", False),
    "while its schedule is simulated": ("simulator.engine:Simulation.step", True),
    "while it writes": ("simulator.results.writer:Writer.write", True),
    "while it verifies": ("simulator.verification:verify", True),
    "while it shows its table": ("simulator.running.report:table", True),
    "while it draws": ("simulator.figures.painter:Painter.finish", True),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_names_what_finishes_it(place, number, tiny, tmp_path):
    (name, begun), out = PLACES[place], tmp_path / "out"
    words = ["run", tiny, "--schedule-only", "--quiet", "--out", out]
    said = ended(start_sending(number, name, words), 128 + number)
    hint = f"; straggle run --resume {out} finishes it" if begun else ""
    assert said == f"straggle: interrupted{hint}\n"
    if begun:
        results.load(out)


def test_an_interrupt_before_the_first_run_is_recorded(tiny, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Laboratory, "run", interrupted)
    out = tmp_path / "out"
    for words in (["--out", out], ["--out", tmp_path / "json", "--json"]):
        answer = straggle("run", tiny, "--figures", "none", *words)
        assert answer.code == 130
        hint = f"straggle run --resume {words[1]} finishes it"
        assert answer.err.splitlines()[-1] == f"straggle: interrupted; {hint}"
    monkeypatch.undo()
    assert straggle("run", "--resume", out, "--quiet", "--figures", "none") == (0, "", "")


# Signals that are ignored when the command begins


def test_an_ignored_interrupt_stays_ignored(tiny, tmp_path):
    words = ["run", tiny, "--schedule-only", "--quiet", "--figures", "none"]
    place = "simulator.engine:Simulation.step"
    said = start_sending(signal.SIGINT, place, [*words, "--out", tmp_path / "a"], ignoring=True)
    assert ended(said) == ""
    said = start_sending(signal.SIGTERM, place, [*words, "--out", tmp_path / "b"], ignoring=True)
    assert ended(said, 143).startswith("straggle: interrupted; straggle run --resume ")


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


def test_a_signal_that_comes_twice_at_once_is_heard_once(heard):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGINT)
    assert (heard.signal, heard.exit_code) == (signal.SIGTERM, 143)


def test_an_interrupt_that_python_ignores_comes_again(heard):
    class Interrupting:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        Interrupting()  # and at once no more
        threading.Event().wait(60)


def test_the_first_remedy_is_the_one_that_is_named():
    with pytest.raises(KeyboardInterrupt, match="inner"), remedy("outer"), remedy("inner"):
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="mine"), remedy("outer"):
        raise ValueError("mine")
