"""Does every table fit its width, with each number and each name whole?"""

import re
import sys
from typing import NamedTuple

import pytest
from benchmarks import report as bench_report
from benchmarks.published import published
from compiled import compiled_once
from test_cli import straggle, written

from simulator import gate
from simulator.cli import scenarios
from simulator.text_table import Table, laid_out

__all__ = ["compiled_once"]  # the fixture

FRAME = re.compile(r"[┏━┳┓┃┡╇┩│└─┴┘]+")
UNDRAWN = ["--figures", "none"]
WIDTHS = [40, 60, 80, 200]
SCENARIO = """
title = "Three workers on a quadratic of four dimensions, which all end after some server steps"
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 4 }
network = { upload = 0.3 }
evaluation = { every_steps = 5 }
stop = { steps = 20, seconds = 1000, target = 0.2 }
[methods]
rennala-nigt = { batch = 2, step = 0.1, momentum = 0.5 }
synchronous-nigt = { step = 0.1, momentum = 0.5 }
vanilla-asynchronous-pg = { step = 1e-9, momentum = 0.5 }
"""
SWEEP = """
scenario = "scenario.toml"
grid = { methods.rennala-nigt.step = [0.05, 0.1], methods.rennala-nigt.batch = [1, 2] }
"""
SUITE = """
[benchmarks.a-rather-long-name-of-a-benchmark]
kind = "exact"
scenario = "scenario.toml"
seeds = [0]
methods = ["rennala-nigt"]
why = "a reader wants to know what every single comparison on this page rests on"
[benchmarks.much-sooner]
kind = "claim"
scenario = "scenario.toml"
of = "rennala-nigt"
over = "synchronous-nigt"
measure = "time-to-steps"
count = 10
at_least = 1000
why = "it is not that much sooner, which this sentence goes on to tell at some length"
"""


class Case(NamedTuple):
    """A command, and words that its answer has to have."""

    words: list[str]
    message: list[str]


CASES = {
    "run": Case(["run", "--resume", "learnt", *UNDRAWN], ["vanilla-asynchronous-pg", "not within"]),
    "schedule": Case(["run", "--resume", "schedules", *UNDRAWN], ["seconds per step", "sending"]),
    "evaluate": Case(["evaluate", "learnt"], ["gradient_norm", "vanilla-asynchronous-pg"]),
    "verify": Case(["verify", "learnt"], ["vanilla-asynchronous-pg, seed 1:", "no problem"]),
    "sweep": Case(["sweep", "sweep.toml", "--out", "swept", *UNDRAWN], ["20% to 80%", "0 of 8"]),
    "complexity": Case(
        ["complexity", "scenario.toml", "--vary", "cluster.workers=3,4", "--out", "grown",
         "--set", "cluster.compute=1", *UNDRAWN],
        ["vanilla-asynchronous-pg", "seconds at 3", "interval"],
    ),
    "check": Case(["check", "suite.toml"], ["a-rather-long-name-of-a-benchmark", "fails"]),
    "validate": Case(["validate", "scenario.toml"], ["vanilla-asynchronous-pg), 3 workers"]),
    "list": Case(["list"], ["vanilla-asynchronous-pg", "never-finishes"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the commands are about: finished runs, whose tables are only shown once more."""
    place = tmp_path_factory.mktemp("tables")
    for name, text in (("scenario", SCENARIO), ("sweep", SWEEP), ("suite", SUITE)):
        written(place / f"{name}.toml", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert straggle("run", "scenario.toml", "--quiet", "--out", "learnt", *UNDRAWN).code == 0
        dry = ["--schedule-only", "--quiet", "--out", "schedules", *UNDRAWN]
        assert straggle("run", "scenario.toml", *dry).code == 0
        update = ["--only", "a-rather-long-name-of-a-benchmark", "--update", "--quiet"]
        assert straggle("check", "suite.toml", *update).code == 0
        for name in ("sweep", "complexity"):
            assert straggle(*CASES[name].words, "--jobs", "1", "--quiet").code == 0
        checked = gate.conduct(place / "suite.toml")
    return place, checked


@pytest.fixture
def answer(folder, monkeypatch):
    """What a command prints on a terminal so wide, or into a file."""
    place, checked = folder
    monkeypatch.chdir(place)
    monkeypatch.setattr(gate, "conduct", lambda suite, **options: checked)

    def asked(name, width=None):
        for room in (sys.modules["simulator.cli.app"], scenarios):
            monkeypatch.setattr(room, "width", lambda: width)
        return straggle(*CASES[name].words).out

    return asked


def words(text):
    return {word.rstrip(":") for word in FRAME.sub(" ", text).split()}


def is_command(line):
    """To be copied, so it stays in one line."""
    return line.startswith("  straggle ")


@pytest.mark.parametrize("name", CASES)
def test_every_command_shows_the_same_words_at_any_width(name, answer):
    wide = answer(name)
    for message in CASES[name].message:
        assert message in " ".join(FRAME.sub(" ", wide).split())
    for width in WIDTHS:
        narrow = answer(name, width)
        assert all(len(line) <= width or is_command(line) for line in narrow.splitlines())
        assert words(wide) <= words(narrow)
        assert "…" not in narrow
        assert "`" not in narrow


@pytest.mark.parametrize("width", WIDTHS)
def test_figures_of_a_machine_fit_too(width):
    table = bench_report.table(published())
    wide, narrow = lines(table), lines(table, width)
    assert max(map(len, narrow)) <= width
    assert words(" ".join(wide)) <= words(" ".join(narrow))


def lines(table, width=None):
    return [line.text for line in laid_out(table, width)]


# Layouts, from the widest to the narrowest

HEADINGS = ["method", "seconds to target", "work wasted"]
ROWS = [["rennala-nigt", "not within 1,000 s", "10%"], ["afedpg", "60", "0%"]]
TABLE = Table(HEADINGS, ROWS, "Two methods")


def shown(text):
    return text.strip("\n").splitlines()


def test_a_frame_needs_room():
    framed = shown("""
Two methods
┏━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━┓
┃ method       ┃  seconds to target ┃ work wasted ┃
┡━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━┩
│ rennala-nigt │ not within 1,000 s │         10% │
│ afedpg       │                 60 │          0% │
└──────────────┴────────────────────┴─────────────┘
""")
    assert lines(TABLE) == lines(TABLE, 51) == lines(TABLE, 200) == framed


def test_headings_break_before_the_frame_goes():
    assert lines(TABLE, 50) == shown("""
Two methods
┏━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━┓
┃              ┃                    ┃   work ┃
┃ method       ┃  seconds to target ┃ wasted ┃
┡━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━┩
│ rennala-nigt │ not within 1,000 s │    10% │
│ afedpg       │                 60 │     0% │
└──────────────┴────────────────────┴────────┘
""")


def test_cells_break_if_headings_are_not_enough():
    assert lines(TABLE, 32) == shown("""
Two methods
              seconds to    work
method            target  wasted
────────────  ──────────  ──────
rennala-nigt  not within     10%
                 1,000 s
afedpg                60      0%
""")


def test_names_get_lines_of_their_own():
    assert lines(TABLE, 28) == shown("""
Two methods
method
                        work
   seconds to target  wasted
────────────────────────────
rennala-nigt
  not within 1,000 s     10%
afedpg
                  60      0%
""")


def test_in_the_end_every_row_is_a_list():
    assert lines(TABLE, 16) == shown("""
Two methods
method:
  rennala-nigt
  seconds to
    target: not
    within 1,000
    s
  work wasted:
    10%
method: afedpg
  seconds to
    target: 60
  work wasted:
    0%
""")


def test_sentences_break_first_and_their_lines_stay_lines():
    prose = "\n".join(["the first line is a long one which has to break somewhere", "the second"])
    table = Table(["name", "what moved"], [["a", prose], ["b", ""]], prose=(1,), marked=(0,))
    found = laid_out(table, 50)
    assert [line.text for line in found] == shown("""
┏━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ name ┃ what moved                             ┃
┡━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ a    │ the first line is a long one which has │
│      │ to break somewhere                     │
│      │ the second                             │
│ b    │                                        │
└──────┴────────────────────────────────────────┘
""")
    assert [line.is_marked for line in found] == [*[False] * 3, True, True, True, False, False]


def test_a_table_without_rows_has_its_headings():
    assert lines(Table(["method", "gap"], []))[1] == "┃ method ┃ gap ┃"
