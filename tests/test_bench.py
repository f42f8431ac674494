"""Do the benchmarks do the work they speak of, and is what they say shown, kept and no verdict?

The speed of the benchmarks does not matter here.
"""

import importlib.util

import benchmarks as bench
import pytest
from benchmarks import commands, curve, memory, robots, together
from benchmarks.__main__ import main
from benchmarks.published import published
from benchmarks.row import Row
from benchmarks.stopwatch import Stopwatch
from test_packaging import ROOT

TINY = Stopwatch(effort=0.002)
LESS = {"robots", "vectors", "envpool", "together", "command"}
"""Those of which only a part is tried here: all of it takes too long."""


@pytest.fixture
def small(monkeypatch):
    """The same benchmarks, with less of what no effort makes smaller."""
    monkeypatch.setattr(curve, "SIZES", (3, 10, 30, 50))
    monkeypatch.setattr(curve, "GRADIENTS", 400)
    monkeypatch.setattr(robots, "SETTINGS", {"Reacher-v4": (10, 1)})
    monkeypatch.setattr(together, "SEEDS", [0])
    monkeypatch.setattr(together, "STEPS", [0.1, 0.2])
    monkeypatch.setattr(together, "GRADIENTS", {"rennala-nigt": 20})
    monkeypatch.setattr(commands, "_starts", lambda watch: [])


def identity(row):
    return row.what, row.unit, row.aim


# The benchmarks


SLOW = {"reports", "command", "waste", "quadratic", "together", "cartpole", "vectors", "envpool"}
"""They start processes or compile episodes, however little work they get."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.nightly) if name in SLOW else name
        for name in bench.BENCHMARKS
        if name != "memory"
    ],
)
def test_a_benchmark_does_its_work_beside_its_published_figure(small, name):
    if why := bench.missing(name):
        pytest.skip(why)
    rows = list(bench.measured(name, TINY))
    known = [identity(row) for row in published().benchmarks[name]]
    assert rows
    assert all(row.figure > 0 for row in rows)
    said = [identity(row) for row in rows]
    assert said == (known if name not in LESS else [each for each in known if each in said])


def test_the_first_result_is_waited_for_and_no_longer(tmp_path, monkeypatch):
    short = [*commands.RACE, "--schedule-only", "--figures", "none", "--set", "stop={steps=2}"]
    monkeypatch.setattr(commands, "RACE", short)
    with pytest.raises(AssertionError, match=r"\[1/1\] rennala-nigt"):
        commands.first_result(tmp_path, cold=True)  # it ends, and not at the target


@pytest.mark.skipif(not memory.STATUS.exists(), reason="only Linux tells")
def test_memory_is_that_of_a_process_of_its_own():
    megabytes, batch = memory.in_a_process("rennala", "fixed")
    assert 1 < megabytes < 10_000
    assert batch == 100


def test_everything_that_is_published_can_be_measured():
    assert list(published().benchmarks) == list(bench.BENCHMARKS)
    rows = [row for rows in published().benchmarks.values() for row in rows]
    assert len(rows) == len(published().rows()), "two rows are about the same"


def test_the_page_shows_the_published_figures():
    place = importlib.util.spec_from_file_location("performance", ROOT / "docs" / "performance.py")
    script = importlib.util.module_from_spec(place)
    place.loader.exec_module(script)
    page = script.PAGE.read_text(encoding="utf-8")
    assert len(script.TABLE.findall(page)) == 2
    assert script.laid_out(page) == page, "python docs/performance.py lays it out anew"


def test_work_is_measured_in_turns_and_the_first_round_does_not_count():
    done, heard = [], []
    watch = Stopwatch(heard=heard.append)
    seconds = watch.alternate({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 2)
    assert done == ["a", "b"] * 3
    assert list(seconds) == ["a", "b"]
    assert heard[0] == "a, warming"
    assert heard[-1] == "b, round 2 of 2"


# The command


@pytest.fixture
def scripted(monkeypatch):
    """Benchmarks that take no time: one of them misses its aim, and one is not published."""
    rows = {
        "throughput": [published().benchmarks["throughput"][0]._replace(figure=0.01)],
        "waste": [Row("something new", 2.5, "s", None, "a detail")],
    }

    def measured(name, watch):
        yield from rows.get(name, [])
        if name == "recall":
            raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measured", measured)
    return rows


def test_a_missed_aim_is_shown_beside_the_published_figure_and_changes_nothing(scripted, capsys):
    assert main(["throughput", "waste"]) == 0
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if "0.01" in line)
    cells = [cell.strip() for cell in line.split("│")]
    then = published().benchmarks["throughput"][0]
    assert cells[3:6] == [then.shown, then.aimed, "no"]
    assert "2.5 s (a detail)" in out
    assert "Python" in out.splitlines()[0]


def test_an_interruption_shows_the_measurements(scripted, capsys):
    assert main(["throughput", "recall", "waste"]) == 130
    said = capsys.readouterr()
    assert said.err == "straggle: interrupted; not all was measured\n"
    assert "0.01" in said.out
    assert "something new" not in said.out


def test_without_mujoco_its_tasks_are_left_out_with_a_line(scripted, monkeypatch, capsys):
    monkeypatch.setattr(bench, "find_spec", {"mujoco": None}.__getitem__)
    assert main(["robots"]) == 0
    out = capsys.readouterr().out
    assert "MuJoCo is not installed; " in out
    assert "\nrobots is left out: " in out


def test_an_unknown_benchmark_is_named(capsys):
    assert main(["robot"]) == 2
    said = "straggle: robot: no such benchmark; did you mean 'robots'?\n"
    assert capsys.readouterr().err == said
