"""How do reports reach the sinks?  In a thread for each, which delays and breaks no run."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self

from simulator.mistakes import one_line
from simulator.system.interrupts import undisturbed
from simulator.system.messages import LOG
from simulator.tracking.sink import Points, Sink, SinkTable

PATIENCE = 30.0
"""Seconds that the sinks have for the rest when all is done."""
WHOLE = "results"
"""The run that holds the files of all runs."""
Act = Callable[[Sink], None]


class Tracking:
    """The sinks of one command."""

    def __init__(self, tables: Sequence[SinkTable]) -> None:
        self._tables = tables
        self._feeds: list[_Feed] = []
        self._settings: Callable[[str, int], Mapping[str, Any]] = lambda method, seed: {}
        self._begun: set[str] = set()

    def open(self, directory: Path, settings: Callable[[str, int], Mapping[str, Any]]) -> None:
        """Open the sinks of a result directory; ``settings`` are those of a run."""
        self._settings = settings
        self._feeds = [_Feed(table, directory) for table in self._tables]

    @property
    def active(self) -> bool:
        return bool(self._feeds)

    def points(self, points: Points) -> None:
        """Log the new rows of a run."""
        run = self._begin(points.method, points.seed)

        def log(sink: Sink) -> None:
            for step, seconds, metrics in points.rows:
                sink.log(run, step, seconds, metrics)

        self._put(log)

    def ended(self, method: str, seed: int, summary: Mapping[str, Any]) -> None:
        run, known = self._begin(method, seed), {k: v for k, v in summary.items() if v is not None}
        self._put(lambda sink: sink.end(run, known))

    def finish(self, files: Sequence[Path] = ()) -> None:
        """Attach the files of all runs, and wait until the sinks have everything."""
        for file in files:
            self._put(lambda sink, file=file: sink.attach(WHOLE, file))  # type: ignore[misc]
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

    def _begin(self, method: str, seed: int) -> str:
        run = f"{method}-{seed}"
        if run not in self._begun and self._feeds:
            self._begun.add(run)
            settings = self._settings(method, seed)
            self._put(lambda sink: sink.begin(run, settings))
        return run

    def _put(self, act: Act) -> None:
        for feed in self._feeds:
            feed.put(act)


class _Feed:
    """One sink, and the thread that calls it."""

    def __init__(self, table: SinkTable, directory: Path) -> None:
        self._table, self._directory = table, directory
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
            sink = self._table.open(self._directory)
            while (act := self._queue.get()) is not None:
                act(sink)
            sink.close()
        except (Exception, SystemExit) as error:  # foreign code, and often a network
            self._complain(f"failed: {one_line(error)}")

    def _complain(self, reason: str) -> None:
        LOG.warning(f"tracking by {self._table.kind} {reason}; the runs go on without it")
