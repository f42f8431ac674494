"""Is progress at home where the messages go: on a terminal, in a notebook, in a file?"""

import collections
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient
from test_cli import TINY, written

from simulator.campaign import progress
from simulator.campaign.progress import File, Notebook, Progress, Terminal, showing

ESCAPE = "\x1b"
DRY = [
    "--schedule-only", "--figures", "none", "--out", "out",
    "--set", "cluster.compute={law='exponential', mean=2}",
]  # fmt: skip
SWEEP = """
scenario = "tiny.toml"
seeds = [0, 1, 2, 3, 4, 5]
grid = { methods.rennala-nigt.step = [0.1, 0.2, 0.3, 0.4, 0.5] }
"""


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when a test says so."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def folder(tmp_path):
    written(tmp_path / "tiny.toml", TINY)
    written(tmp_path / "sweep.toml", SWEEP)
    return tmp_path


def environment(**changes):
    return {**os.environ, "FORCE_COLOR": "1", "STRAGGLE_CORES": "1", **changes}


def command(*words):
    return [sys.executable, "-m", "simulator", *map(str, words)]


# In a file: few lines


@pytest.mark.parametrize(("runs", "most"), [(1, 1), (20, 20), (21, 20), (5000, 20)])
def test_ended_runs_are_a_line_for_every_twentieth_of_them(runs, most, capsys):
    file, shown = File(), Progress(runs)
    shown.on_ended = file.ended
    for number in range(runs):
        shown.ended(f"run {number}", failed=number % 2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == most
    failed = f"; {runs // 2} failed" if runs > 1 else ""
    assert lines[-1] == f"[{runs}/{runs}] run {runs - 1}{failed}"


def test_earlier_runs_are_not_reported_again(capsys):
    file, shown = File(), Progress(10, done=8)
    file.begin(shown)
    shown.on_ended = file.ended
    shown.ended("the ninth")
    assert capsys.readouterr().err == "[9/10] the ninth\n"


def test_a_week_of_silence_is_a_handful_of_signs_of_life(clock, capsys):
    file, shown = File(), Progress(2)
    shown.under_way("a, seed 0: 5 s simulated", 0.5)
    for _ in range(7 * 24 * 60):
        clock.now += 60
        file.refresh(shown)
    lines = capsys.readouterr().err.splitlines()
    assert 8 <= len(lines) <= 13
    assert lines[0] == "a, seed 0: 5 s simulated; 0 of 2 runs, 60 s, about 3 min left"


def test_work_of_more_than_two_seconds_is_reported(clock, capsys):
    file, shown = File(), Progress(doing="drawing the figures")
    clock.now += 1.9
    file.refresh(shown)
    assert capsys.readouterr().err == ""
    clock.now += 0.2
    file.refresh(shown)
    assert capsys.readouterr().err == "drawing the figures, 2 s\n"


def test_colours_that_are_asked_for_leave_a_file_plain(folder):
    # The times alone need no JAX, and depend on the seed here.
    words = command("run", "tiny.toml", *DRY, "--seeds", "0-24")
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment())
    assert done.returncode == 0, done.stderr
    assert ESCAPE not in done.stdout + done.stderr
    ended = [line for line in done.stderr.splitlines() if line.startswith("[")]
    assert len(ended) == 20
    assert ended[-1].startswith("[50/50] synchronous-nigt, seed 24: ")
    assert len(done.stderr.splitlines()) <= 25


# On a terminal: a bar


def on_a_terminal(words, folder, **changes):
    """What a command writes to a terminal."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        command(*words), stdout=its, stderr=its, cwd=folder, env=environment(**changes)
    ) as started:
        os.close(its)
        written = b""
        with suppress(OSError):  # the terminal is closed
            while part := os.read(ours, 65536):
                written += part
    os.close(ours)
    assert started.returncode == 0, written
    return written.decode()


def test_a_terminal_has_a_bar_that_vanishes(folder):
    long = ["--set", "stop.steps=5000"]
    shown = on_a_terminal(["run", "tiny.toml", *DRY, *long], folder, TERM="xterm", COLUMNS="80")
    assert re.search(r"─ [0-4] of 4 runs, \d+ s", shown)
    hidden, visible = f"{ESCAPE}[?25l", f"{ESCAPE}[?25h"
    assert shown.count(hidden) == shown.count(visible) > 0
    # Ended runs stay above it.
    assert re.search(r"synchronous-nigt, seed 0: [\d,]+ s simulated: done", shown)
    assert "[1/4]" not in shown


@pytest.mark.parametrize(
    ("is_terminal", "variables", "display"),
    [
        (True, {"TERM": "xterm"}, Terminal),
        (True, {"TERM": "dumb"}, File),
        (True, {"TERM": ""}, File),
        (False, {"TERM": "xterm", "FORCE_COLOR": "1"}, File),
        # A command that a cell starts
        (True, {"TERM": "xterm-color", "FORCE_COLOR": "1", "JPY_PARENT_PID": "1"}, File),
    ],
)
def test_the_stream_of_the_messages_chooses_the_display(
    is_terminal, variables, display, monkeypatch
):
    for name in ("FORCE_COLOR", "JPY_PARENT_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    assert type(progress.chosen()) is display


# In a notebook: one output


CELLS = {
    "run": "found = simulator.run('tiny.toml', out='learnt')",
    "sweep": "found = simulator.sweep('sweep.toml', out='swept', jobs=1)",
    "nothing new": "found = simulator.sweep('sweep.toml', out='swept', jobs=1)",
    "failure": (
        "found = simulator.run('tiny.toml', 'methods.wild={method=\"rennala-pg\", batch=2,"
        " step=1e300}', methods=['wild'], seeds=[0], out='failed')"
    ),
}


class Listening(NotebookClient):
    """Keeps every message of the kernel that is about an output."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.heard = collections.defaultdict(list)

    def process_message(self, message, cell, index):
        if message["msg_type"] in ("stream", "display_data", "update_display_data"):
            self.heard[index].append(message)
        return super().process_message(message, cell, index)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The cells' outputs as they are in the end, and all messages on the way."""
    folder = tmp_path_factory.mktemp("notebook")
    written(folder / "tiny.toml", TINY)
    written(folder / "sweep.toml", SWEEP)
    cells = [nbformat.v4.new_code_cell(f"import simulator\n{text}") for text in CELLS.values()]
    client = Listening(
        nbformat.v4.new_notebook(cells=cells),
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    outputs = [cell.outputs for cell in client.nb.cells]
    heard = [client.heard[index] for index in range(len(cells))]
    return {name: (outputs[at], heard[at]) for at, name in enumerate(CELLS)}


@pytest.mark.parametrize(
    ("name", "printed"),
    [("run", "4 runs done"), ("sweep", "36 runs done"), ("failure", "1 run done, 1 failed")],
)
def test_a_notebook_has_one_output_that_ends_as_a_quiet_line(name, printed, notebook):
    outputs, heard = notebook[name]
    assert [output.data for output in outputs] == [{"text/plain": printed}]
    kinds = [message["msg_type"] for message in heard]
    assert kinds == ["display_data", *["update_display_data"] * (len(heard) - 1)]
    assert ESCAPE not in str(heard)
    first = heard[0]["content"]["data"]
    assert first["text/html"].startswith('<progress max="1" value="0.000"></progress> 0 of ')


def test_a_notebook_is_quiet_if_no_run_is_left(notebook):
    assert notebook["nothing new"] == ([], [])


def test_a_notebook_gets_a_few_displays_per_second(monkeypatch):
    """A refresh sends one message, however many runs have ended."""
    shown = []
    handle = SimpleNamespace(update=lambda data, raw: shown.append(data))
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append(data) or handle)
    display, runs = Notebook(), Progress(1000)
    display.begin(runs)
    runs.on_ended = display.ended
    for _ in range(1000):
        runs.ended("a run")
    assert len(shown) == 1
    display.refresh(runs)
    display.close(runs)
    assert len(shown) == 3
    assert shown[-1] == {"text/plain": "1000 runs done"}


# For all


def test_quiet_shows_no_progress(capsys):
    with showing(2, quiet=True) as shown:
        shown.under_way("something", 0.5)
        shown.ended("a run")
    assert capsys.readouterr() == ("", "")


def test_a_display_is_closed_when_the_work_fails(monkeypatch):
    closed = []
    display = SimpleNamespace(begin=lambda p: None, refresh=lambda p: None, close=closed.append)
    monkeypatch.setattr(progress, "chosen", lambda: display)
    with pytest.raises(KeyboardInterrupt), showing(4, done=1):
        raise KeyboardInterrupt
    (shown,) = closed
    assert shown.conclusion() == "1 of 4 runs"
