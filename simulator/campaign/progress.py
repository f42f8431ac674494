"""How far is a command?  A bar on a terminal and in a notebook, a few lines in a file.

A command updates its ``Progress``.  A thread refreshes the display from it a few times a second.
"""

import contextvars
import html
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Protocol

from simulator.system.interrupts import undisturbed

MOMENT = 0.3
"""Seconds between two refreshes of a display."""
MOST_LINES = 20
"""Lines of ended runs in a file; on a terminal, more runs than this are only counted."""
HEARTBEAT_SECONDS, GROWTH = 2.0, 3.0
"""A file is silent for so long at first; each heartbeat makes the next wait so much longer."""
ENOUGH = 0.02
"""The share that must be done before the rest is estimated: the beginning is slower."""


class Progress:
    """The number of runs, of ended runs, and the runs under way."""

    def __init__(self, runs: int = 0, done: int = 0, doing: str = "") -> None:
        self.runs, self.done, self.failed = runs, done, 0
        self.doing, self.share = doing, 0.0
        self._before, self._began = done, time.monotonic()
        self.on_ended: Callable[[Progress, str], None] = lambda progress, outcome: None
        """Called with the outcome of every run, in words."""

    def under_way(self, doing: str, share: float = 0.0) -> None:
        """Set the work under way and the share of its run that is done."""
        self.doing, self.share = doing, share

    def ended(self, outcome: str, runs: int = 1, failed: int = 0) -> None:
        """Count ended runs, and how many of them failed."""
        self.done, self.failed, self.share = self.done + runs, self.failed + failed, 0.0
        self.on_ended(self, outcome)

    @property
    def whole(self) -> float:
        """The share of all runs that is done."""
        return (self.done + self.share) / self.runs if self.runs else 0.0

    @property
    def _failures(self) -> str:
        return f", {self.failed} failed" if self.failed else ""

    @property
    def counted(self) -> str:
        return f"{self.done} of {_plural(self.runs)}{self._failures}" if self.runs else ""

    def timed(self) -> str:
        """The ended runs, or the work under way; the time so far, and an estimate of the rest."""
        passed = time.monotonic() - self._began
        grown = self.whole - self._before / self.runs if self.runs else 0.0
        words = [self.counted or self.doing, duration(passed)]
        if grown > ENOUGH and self.done < self.runs:
            words.append(f"about {duration(passed * (1 - self.whole) / grown)} left")
        return ", ".join(filter(None, words))

    def lines(self) -> list[str]:
        """The text of a display: first the whole, then the run under way."""
        return [self.timed(), *([self.doing] if self.runs and self.doing else [])]

    def conclusion(self) -> str:
        """The last line of a notebook's output: the same text after every run."""
        all_done = self.done >= self.runs
        return f"{_plural(self.runs)} done{self._failures}" if all_done else self.counted


class Display(Protocol):
    def begin(self, progress: Progress) -> None:
        """Before the first run."""

    def refresh(self, progress: Progress) -> None:
        """Every few moments."""

    def ended(self, progress: Progress, outcome: str) -> None:
        """After every run."""

    def close(self, progress: Progress) -> None:
        """At the end, also after an error."""


class Terminal:
    """A bar that redraws itself and vanishes at the end; ended runs above it, if few."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        # chosen() knows that this is a terminal: rich would ask $FORCE_COLOR.
        self._console = Console(file=sys.stderr, force_terminal=True, force_jupyter=False)
        self._live = Live(
            console=self._console, transient=True, auto_refresh=False, redirect_stdout=False
        )

    def begin(self, progress: Progress) -> None: ...

    def refresh(self, progress: Progress) -> None:
        from rich.text import Text

        if not self._live.is_started:
            self._live.start()
        bar = f"{_bar(progress.whole)} " if progress.runs else ""
        self._live.update(Text(bar + "\n".join(progress.lines()), overflow="fold"), refresh=True)

    def ended(self, progress: Progress, outcome: str) -> None:
        if progress.runs <= MOST_LINES:
            self._console.print(outcome, markup=False, highlight=False, soft_wrap=True)

    def close(self, progress: Progress) -> None:
        self._live.stop()


class Notebook:
    """One output that is updated in place and ends as one line."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown: dict[str, str] = {}

    def begin(self, progress: Progress) -> None:
        if progress.done < progress.runs:
            self.refresh(progress)

    def refresh(self, progress: Progress) -> None:
        lines = progress.lines()
        bar = f'<progress max="1" value="{progress.whole:.3f}"></progress> '
        page = (bar if progress.runs else "") + "<br>".join(map(html.escape, lines))
        self._show({"text/plain": "; ".join(lines), "text/html": page})

    def ended(self, progress: Progress, outcome: str) -> None: ...

    def close(self, progress: Progress) -> None:
        if self._handle is not None:
            self._show({"text/plain": progress.conclusion() if progress.runs else ""})

    def _show(self, data: dict[str, str]) -> None:
        if self._handle is None:
            # Every kernel has IPython, and nothing else needs it, so it is no dependency.
            display = import_module("IPython.display").display
            self._handle = display(data, raw=True, display_id=True)
        elif data != self._shown:
            self._handle.update(data, raw=True)
        self._shown = data


class File:
    """A line for every twentieth of the runs, and heartbeats at growing intervals."""

    def __init__(self) -> None:
        self._written, self._patience = time.monotonic(), HEARTBEAT_SECONDS
        self._twentieths = 0

    def begin(self, progress: Progress) -> None:
        self._twentieths = self._reached(progress)

    def refresh(self, progress: Progress) -> None:
        if time.monotonic() - self._written > self._patience:
            self._patience *= GROWTH
            self._write("; ".join(reversed(progress.lines())))

    def ended(self, progress: Progress, outcome: str) -> None:
        if (reached := self._reached(progress)) > self._twentieths:
            self._twentieths = reached
            failed = f"; {progress.failed} failed" if progress.failed else ""
            self._write(f"[{progress.done}/{progress.runs}] {outcome}{failed}")

    def close(self, progress: Progress) -> None: ...

    def _reached(self, progress: Progress) -> int:
        return progress.done * MOST_LINES // progress.runs if progress.runs else 0

    def _write(self, text: str) -> None:
        self._written = time.monotonic()
        print(text, file=sys.stderr, flush=True)


@contextmanager
def showing(
    runs: int = 0, *, done: int = 0, doing: str = "", quiet: bool = False
) -> Iterator[Progress]:
    """Show the progress while the block runs; ``done`` runs had ended before."""
    progress = Progress(runs, done, doing)
    if quiet:
        yield progress
        return
    display, lock, over = chosen(), threading.Lock(), threading.Event()

    def ended(progress: Progress, outcome: str) -> None:
        with lock:
            display.ended(progress, outcome)

    def watch() -> None:
        while not over.wait(MOMENT):
            with lock, suppress(OSError, ValueError):  # stderr was closed
                if not over.is_set():  # the last word is that of close
                    display.refresh(progress)

    progress.on_ended = ended
    display.begin(progress)
    # In a notebook, the context knows the cell of an output.
    context = contextvars.copy_context()
    watcher = threading.Thread(target=context.run, args=(watch,), daemon=True)
    try:
        with undisturbed():  # interrupts are for the main thread
            watcher.start()
        yield progress
    finally:
        over.set()
        with lock:
            display.close(progress)


def chosen() -> Display:
    """The display that suits this process's stderr."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if getattr(shell, "kernel", None) is not None:
        return Notebook()
    # The terminal of a command that a notebook's cell starts draws nothing.
    dumb = os.environ.get("TERM") in (None, "", "dumb") or "JPY_PARENT_PID" in os.environ
    return Terminal() if sys.stderr.isatty() and not dumb else File()


def _bar(share: float, width: int = 24) -> str:
    filled = round(width * share)
    return "━" * filled + "─" * (width - filled)


def _plural(runs: int) -> str:
    return f"{runs} run{'' if runs == 1 else 's'}"


def duration(seconds: float) -> str:
    """A duration in seconds, minutes or hours.

    >>> duration(40.3), duration(7200.0), duration(259200.0)
    ('40 s', '120 min', '72 h')
    """
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds > 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
