"""How do reports reach the sinks?  In a thread for each, which delays and breaks no run."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self

from simulator.mistakes import check_argument, one_line
from simulator.system.interrupts import undisturbed
from simulator.system.messages import LOG
from simulator.tracking.catalogue import sinks_of
from simulator.tracking.sink import Group, Point, Sink, SinkTable, group_of

PATIENCE = 30.0
"""Seconds that the sinks have for the rest when all is done."""
WHOLE = "results"
"""The run that holds the files of all runs."""
FILES = ("figures/*", "report.html", "best*.toml")
"""The files of a result directory that are attached."""
Act = Callable[[Sink], None]
Settings = Callable[[], Mapping[str, Any]]


class Tracking:
    """The sinks of one command."""

    def __init__(self, names: str | Sequence[str] | None = None) -> None:
        """``names`` are those of ``--track``; None tracks nothing, whatever a scenario says."""
        if names is not None:
            check_argument("track", names, Sequence, "give the name of a sink, or a list of names")
        self._names = [names] if isinstance(names, str) else names
        self._tables: list[SinkTable] | None = None
        self._feeds: list[_Feed] = []
        self._folder = ""
        self._directories: dict[str, Path] = {}
        """By the folders of their runs."""

    def choose(self, tables: Sequence[SinkTable]) -> None:
        """Choose the named sinks and those of a scenario, once; a Mistake if one is impossible."""
        if self._names is not None and self._tables is None:
            self._tables = sinks_of(tables, self._names)

    def open(self, directory: Path) -> None:
        """Open the sinks of a result directory; a directory within it is a folder of its runs."""
        if not self._tables:
            return
        if not self._feeds:
            try:
                group = group_of(directory)
            except OSError as error:
                LOG.warning(f"tracking failed: {one_line(error)}; the runs go on without it")
                return
            self._feeds = [_Feed(table, group) for table in self._tables]
        first = next(iter(self._directories.values()), directory)
        self._folder = "" if directory == first else f"{directory.relative_to(first)}/"
        self._directories[self._folder] = directory

    @property
    def active(self) -> bool:
        return bool(self._feeds)

    def run(self, name: str, settings: Settings) -> "TrackedRun":
        """A run of the directory that was opened last; it begins with its first report."""
        return TrackedRun(self._put, self._folder + name, settings)

    def finish(self) -> None:
        """Attach the files of the directories, and wait until the sinks have everything."""
        for folder, directory in self._directories.items():
            for file in sorted(file for kind in FILES for file in directory.glob(kind)):
                self._put(partial(_attach, run=folder + WHOLE, file=file))
        deadline = time.monotonic() + PATIENCE
        for feed in self._feeds:
            feed.close(deadline)
        self._feeds = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish()

    def _put(self, act: Act) -> None:
        for feed in self._feeds:
            feed.put(act)


def _attach(sink: Sink, run: str, file: Path) -> None:
    sink.attach(run, file)


UNTRACKED = Tracking()


class TrackedRun:
    """One run, as the sinks know it."""

    def __init__(self, put: Callable[[Act], None], name: str, settings: Settings) -> None:
        self._put, self._name, self._settings = put, name, settings
        self._begun = False

    def log(self, points: Sequence[Point]) -> None:
        self._begin()

        def log(sink: Sink) -> None:
            for point in points:
                sink.log(self._name, *point)

        self._put(log)

    def end(self, summary: Mapping[str, Any]) -> None:
        """End the run; its summary has texts and numbers, and leaves out all else."""
        self._begin()
        plain = {k: v for k, v in summary.items() if isinstance(v, str | float | int) and v == v}
        self._put(lambda sink: sink.end(self._name, plain))

    def _begin(self) -> None:
        if not self._begun:
            self._begun, settings = True, self._settings()
            self._put(lambda sink: sink.begin(self._name, settings))


class _Feed:
    """One sink, and the thread that calls it."""

    def __init__(self, table: SinkTable, group: Group) -> None:
        self._table, self._group = table, group
        self._queue: SimpleQueue[Act | None] = SimpleQueue()
        self._thread = Thread(target=self._work, daemon=True)
        with undisturbed():  # interrupts are for the main thread
            self._thread.start()

    def put(self, act: Act | None) -> None:
        if self._thread.is_alive():  # a sink that has failed takes nothing more
            self._queue.put(act)

    def close(self, deadline: float) -> None:
        self.put(None)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            self._complain(f"still has reports to send after {PATIENCE:g} s")

    def _work(self) -> None:
        try:
            sink = self._table.open(self._group)
            while (act := self._queue.get()) is not None:
                act(sink)
            sink.close()
        except (Exception, SystemExit) as error:  # foreign code, and often a network
            self._complain(f"failed: {one_line(error)}")

    def _complain(self, reason: str) -> None:
        LOG.warning(f"tracking by {self._table.kind} {reason}; the runs go on without it")
