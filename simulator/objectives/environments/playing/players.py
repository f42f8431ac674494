"""Who plays the episodes of environments on the host?  One process per core.

Requests go to whoever has room, and episodes come back in the order in which they were asked for.
An episode is a function of its request, so it does not matter who plays it, nor how many there
are.  A process that dies is replaced, and what it had not finished is asked for again.
"""

import os
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Pipe, wait
from typing import Any

from numpy.typing import NDArray

from simulator.objectives.environments.playing.episode import Episode, Game, Request
from simulator.objectives.environments.playing.player import LANES
from simulator.objectives.objective import Broken
from simulator.system.interrupts import undisturbed
from simulator.system.machine import cores

Points = Mapping[int, NDArray[Any]]
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
NO_PICTURES = {"MUJOCO_GL": "disable"}
DEATHS = 3
"""After so many in a row, without an episode in between, it is the environment's fault."""


class Players:
    """A process per core, started at once and kept."""

    def __init__(self, game: Game, many: int | None = None) -> None:
        self._game, self._many = game, many or cores()
        self._processes: list[_Process] = []
        weakref.finalize(self, _end, self._processes)
        self._begin()

    def play(self, points: Points, requests: Sequence[Request]) -> Iterator[Episode]:
        """The episodes of requests 0, 1, 2, …, in this order, each as soon as it is there."""
        self._begin()
        waiting, done, deaths = deque(requests), dict[int, Episode](), 0
        # To play many side by side saves more than to deal the last of them evenly.
        share = min(LANES, -(-len(requests) // self._many))
        for process in self._processes:
            process.known = None
        try:
            for request in requests:
                while request.number not in done:
                    self._feed(points, waiting, share)
                    for process in self._with_news():
                        try:
                            done.update(process.finished())
                            deaths = 0
                        except (EOFError, ConnectionResetError):
                            deaths += 1
                            waiting.extendleft(self._replace(process, deaths))
                yield done.pop(request.number)
        except BaseException:
            # What is under way is nobody's any more; whoever asks next finds new processes.
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        """Who is there to play."""
        return [process.pid for process in self._processes]

    def close(self) -> None:
        """Send all home; whoever plays again calls new ones."""
        _end(self._processes)

    def _begin(self) -> None:
        while len(self._processes) < self._many:
            self._processes.append(_Process(self._game))

    def _feed(self, points: Points, waiting: deque[Request], share: int) -> None:
        for process in self._processes:
            room = min(share - len(process.playing), len(waiting))
            if room > 0:
                process.ask(points, [waiting.popleft() for _ in range(room)])

    def _with_news(self) -> "list[_Process]":
        ready = wait([process.connection for process in self._processes])
        return [process for process in self._processes if process.connection in ready]

    def _replace(self, process: "_Process", deaths: int) -> Iterable[Request]:
        """A new process in the place of a dead one; what that had not finished."""
        code = process.end()
        if deaths >= DEATHS:
            raise Broken(
                f"environment = {self._game.name!r}: the process that plays it died {deaths} times "
                f"in a row, the last time with exit code {code}"
            )
        self._processes[self._processes.index(process)] = _Process(self._game)
        return process.playing.values()


class _Process:
    def __init__(self, game: Game) -> None:
        self.connection, theirs = Pipe()
        self.playing: dict[int, Request] = {}
        self.known: set[int] | None = None
        """The points it was sent; None where it shall forget those that it has."""

        self._name = game.name
        paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        module = "simulator.objectives.environments.playing.player_process"
        with theirs, undisturbed():
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env={**os.environ, **ONE_THREAD, **NO_PICTURES, **paths},
                stdin=subprocess.DEVNULL,
            )
        self._send(game)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, points: Points, requests: list[Request]) -> None:
        named, forget = {request.point for request in requests}, self.known is None
        unknown = named - (self.known or set())
        self.known = (self.known or set()) | named
        self.playing.update((request.number, request) for request in requests)
        self._send(({number: points[number] for number in unknown}, requests, forget))

    def _send(self, message: Any) -> None:
        # If it is dead, that will be seen when it is listened to.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def finished(self) -> list[tuple[int, Episode]]:
        """What it has played since; EOFError if it is dead."""
        news: list[tuple[int, Episode]] | tuple[int | None, str] = self.connection.recv()
        if isinstance(news, tuple):
            number, told = news
            raise Broken(f"environment = {self._name!r}: {told}", number)
        for number, _ in news:
            del self.playing[number]
        return news

    def end(self) -> int:
        self.connection.close()
        self._process.kill()
        return self._process.wait()


def _end(processes: list[_Process]) -> None:
    while processes:
        processes.pop().end()
