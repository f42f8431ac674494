"""How far is a command?  A bar on a terminal and in a notebook, a few lines in a file.

A command tells its ``Progress`` which runs have ended and what is under way.  A thread has the
display look at it a few times a second, so that nothing takes long without a sign of life.
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
"""Seconds between two looks of a display."""
MOST_LINES = 20
"""Lines of ended runs in a file; on a terminal, more runs than this are only counted."""
HEARTBEAT_SECONDS, GROWTH = 2.0, 3.0
"""A file is silent for so long at most; each sign of life makes the next wait so much longer."""

ENOUGH = 0.02
"""The share that is done before the rest is estimated: what begins is slower."""


class Progress:
    """How many runs there are and have ended, and what is under way."""

    def __init__(self, runs: int = 0, done: int = 0, doing: str = "") -> None:
        self.runs, self.done, self.failed = runs, done, 0
        self.doing, self.share = doing, 0.0
        self._before, self._began = done, time.monotonic()
        self._on_ended: Callable[[Progress, str], None] = lambda progress, outcome: None

    def on_ended(self, act: "Callable[[Progress, str], None]") -> None:
        """``act`` is called with the outcome of every run, in words."""
        self._on_ended = act

    def under_way(self, doing: str, share: float = 0.0) -> None:
        """Set the work under way and the share of its run that is done."""
        self.doing, self.share = doing, share

    def ended(self, outcome: str, runs: int = 1, failed: int = 0) -> None:
        """So many runs have ended, and so many of them failed."""
        self.done, self.failed, self.share = self.done + runs, self.failed + failed, 0.0
        self._on_ended(self, outcome)

    @property
    def whole(self) -> float:
        """The share of all runs that is done."""
        return (self.done + self.share) / self.runs if self.runs else 0.0

    @property
    def counted(self) -> str:
        """The ended runs."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done} of {_plural(self.runs)}{failed}" if self.runs else ""

    def timed(self) -> str:
        """The ended runs, or what is done; how long it took, and how long the rest may take."""
        passed = time.monotonic() - self._began
        grown = self.whole - self._before / self.runs if self.runs else 0.0
        words = [self.counted or self.doing, duration(passed)]
        if grown > ENOUGH and self.done < self.runs:
            words.append(f"about {duration(passed * (1 - self.whole) / grown)} left")
        return ", ".join(filter(None, words))

    def lines(self) -> list[str]:
        """What a display shows: first the whole, then what is under way."""
        return [self.timed(), *([self.doing] if self.runs and self.doing else [])]

    def conclusion(self) -> str:
        """The last line of a notebook's output: the same text after every run."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{_plural(self.runs)} done{failed}" if self.done >= self.runs else self.counted


class Display(Protocol):
    def begin(self, progress: Progress) -> None:
        """Nothing was done yet."""

    def look(self, progress: Progress) -> None:
        """A moment has passed."""

    def ended(self, progress: Progress, outcome: str) -> None:
        """Some run has ended."""

    def close(self, progress: Progress) -> None:
        """All is done, or was given up."""


class Terminal:
    """A bar that is drawn over itself and vanishes in the end; ended runs above it, if few."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        # Whether this is a terminal was asked before: rich takes $FORCE_COLOR for one.
        self._console = Console(file=sys.stderr, force_terminal=True, force_jupyter=False)
        self._live = Live(
            console=self._console, transient=True, auto_refresh=False, redirect_stdout=False
        )

    def begin(self, progress: Progress) -> None: ...

    def look(self, progress: Progress) -> None:
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
    """One output that is updated in place and ends as a quiet line."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown: dict[str, str] = {}

    def begin(self, progress: Progress) -> None:
        if progress.done < progress.runs:
            self.look(progress)

    def look(self, progress: Progress) -> None:
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
            # A kernel has it; nothing else needs it, so it is no dependency.
            display = import_module("IPython.display").display
            self._handle = display(data, raw=True, display_id=True)
        elif data != self._shown:
            self._handle.update(data, raw=True)
        self._shown = data


class File:
    """A line for every twentieth of the runs, and a sign of life after ever longer silences."""

    def __init__(self) -> None:
        self._written, self._patience = time.monotonic(), HEARTBEAT_SECONDS
        self._twentieths = 0

    def begin(self, progress: Progress) -> None:
        self._twentieths = self._reached(progress)

    def look(self, progress: Progress) -> None:
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
    """Show how far it is while the block runs; ``done`` runs had ended before."""
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
            with lock, suppress(OSError, ValueError):  # nobody reads any longer
                display.look(progress)

    progress.on_ended(ended)
    display.begin(progress)
    # In a notebook, the context tells which cell an output belongs to.
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
    """The display that suits where the messages go."""
    if _in_a_notebook():
        return Notebook()
    # A command that a cell of a notebook starts has a terminal which draws nothing.
    dumb = os.environ.get("TERM") in (None, "", "dumb") or "JPY_PARENT_PID" in os.environ
    return Terminal() if sys.stderr.isatty() and not dumb else File()


def _in_a_notebook() -> bool:
    """Whether a Jupyter kernel runs this; a process that it has started is none."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return getattr(shell, "kernel", None) is not None


BAR = 24


def _bar(share: float) -> str:
    filled = round(BAR * share)
    return "━" * filled + "─" * (BAR - filled)


def _plural(runs: int) -> str:
    return f"{runs} run{'' if runs == 1 else 's'}"


def duration(seconds: float) -> str:
    """In the unit in which it is a small number.

    >>> duration(40.3), duration(7200.0), duration(259200.0)
    ('40 s', '120 min', '72 h')
    """
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds > 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
