"""Where is it now?  A live display on a terminal, plain lines elsewhere, nothing if quiet."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from simulator.runs.record import Run
from simulator.scenario.scenario import Scenario

HEARTBEAT_SECONDS = 5.0
MANY_TICKETS = 300_000
"""To write more takes longer than one waits without a word."""


class Display(Protocol):
    def watch(self, run: Run) -> None:
        """A run is under way."""

    def ended(self, run: Run) -> None:
        """A run has ended."""

    def recording(self, run: Run) -> None:
        """The tickets of a run are written."""


class Silent:
    """Says nothing."""

    def watch(self, run: Run) -> None: ...

    def ended(self, run: Run) -> None: ...

    def recording(self, run: Run) -> None: ...


class Lines:
    """A line when a run ends, and now and then in between: for logs."""

    def __init__(self, scenario: Scenario, console: Console, done: int) -> None:
        self._scenario, self._console = scenario, console
        self._many = len(scenario.seeds) * len(scenario.methods)
        self._ended = done
        self._spoke = time.monotonic()
        left = self._many - done
        self._say(f"preparing {left} run{'' if left == 1 else 's'}")

    def watch(self, run: Run) -> None:
        if time.monotonic() - self._spoke > HEARTBEAT_SECONDS:
            share = fraction(run, self._scenario)
            self._say(f"{where(run, self._scenario)}  {share:.0%} of the run")

    def ended(self, run: Run) -> None:
        self._ended += 1
        self._say(f"[{self._ended}/{self._many}] {outcome(run, self._scenario)}")

    def recording(self, run: Run) -> None:
        if tickets_of(run) > MANY_TICKETS:
            self._say(f"{run.method}, seed {run.seed}: writing {tickets_of(run):,} tickets")

    def _say(self, text: str) -> None:
        self._spoke = time.monotonic()
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class Live:
    """The run under way and the whole, with an estimate of the time left; ended runs above."""

    def __init__(self, scenario: Scenario, progress: Progress, done: int) -> None:
        self._scenario, self._progress = scenario, progress
        self._many = len(scenario.seeds) * len(scenario.methods)
        self._ended = done
        self._run = progress.add_task("preparing", total=None)
        self._all = progress.add_task(
            f"{done} of {self._many} runs",
            total=float(self._many),
            completed=float(done),  # type: ignore[arg-type]  # as precise as the share of a run
            estimated=True,
        )

    def watch(self, run: Run) -> None:
        share = fraction(run, self._scenario)
        text = where(run, self._scenario)
        self._progress.update(self._run, description=text, completed=share, total=1.0)
        self._progress.update(self._all, completed=self._ended + share)

    def ended(self, run: Run) -> None:
        self._ended += 1
        self._progress.console.print(outcome(run, self._scenario), markup=False, highlight=False)
        text = f"{self._ended} of {self._many} runs"
        self._progress.update(self._all, description=text, completed=float(self._ended))

    def recording(self, run: Run) -> None:
        text = f"{run.method}, seed {run.seed}: writing {tickets_of(run):,} tickets"
        self._progress.update(self._run, description=text, total=None)


class TimeLeft(TimeRemainingColumn):
    """An estimate for the whole only: a single run may end at its target at any moment."""

    def render(self, task: Task) -> Text:
        return super().render(task) if "estimated" in task.fields else Text()


@contextmanager
def display(scenario: Scenario, console: Console, quiet: bool, done: int = 0) -> Iterator[Display]:
    """The display that suits the console; so many runs were done before."""
    if quiet:
        yield Silent()
    elif not console.is_terminal:
        yield Lines(scenario, console, done)
    else:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeLeft(),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            yield Live(scenario, progress, done)


def tickets_of(run: Run) -> int:
    return int(run.accounts.started.sum()) if run.accounts else 0


def fraction(run: Run, scenario: Scenario) -> float:
    """How much of the run is done, if it goes on to its stop; its last step may go beyond."""
    stop = scenario.stop
    done = max(
        run.time / (stop.seconds or math.inf),
        run.steps / (stop.steps or math.inf),
        run.gradients / (stop.gradients or math.inf),
    )
    return min(done, 1.0)


def where(run: Run, scenario: Scenario) -> str:
    value = f", {scenario.metric} {run.newest[scenario.metric]:.4g}" if run.newest else ""
    seconds = max(run.time, run.accounts.time if run.accounts else 0.0)
    return f"{run.method}, seed {run.seed}: {seconds:,.4g} s simulated{value}"


def outcome(run: Run, scenario: Scenario) -> str:
    aims = run.metrics and scenario.stop.target is not None
    end = {
        "target": "reached the target",
        "stop": "stopped before the target" if aims else "done",
    }.get(run.end, run.end)
    return f"{where(run, scenario)}: {end} ({run.real_seconds:.1f} s)"
