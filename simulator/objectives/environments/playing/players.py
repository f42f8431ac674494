"""How do cores share the episodes of environments on the host?  One process plays per core.

Requests go to any process with a free lane, and episodes come back in the order of the requests.
An episode is a function of its request, so processes and their number change no result.  A process
that dies is replaced, and its unfinished episodes are played again.
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

from simulator.mistakes import one_line
from simulator.objectives.environments.playing.episode import Episode, Game, Request
from simulator.objectives.environments.playing.player import LANES, Player
from simulator.objectives.environments.playing.stage import Raised
from simulator.objectives.objective import Broken
from simulator.system.interrupts import undisturbed
from simulator.system.machine import cores

Points = Mapping[int, NDArray[Any]]
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
NO_PICTURES = {"MUJOCO_GL": "disable"}
DEATHS = 3
"""Crashes in a row, without an episode in between, after which the environment is at fault."""


class Here:
    """One player in the task's own process: the quickest way on one core.

    No process waits for another, and all lanes share each call of the policy.  An environment that
    kills its process kills the task; its runner repeats it, and names it in the end.
    """

    def __init__(self, game: Game) -> None:
        self._game = game
        self._player: Player | None = None

    def play(self, points: Points, requests: Sequence[Request]) -> Iterator[Episode]:
        """The episodes of requests 0, 1, 2, …, in this order, each as soon as it has ended."""
        player = self._player or Player(self._game)
        self._player = None  # after an error the state of the lanes is unknown
        done = dict[int, Episode]()
        try:
            player.ask(points, requests, forget=True)
            for request in requests:
                while request.number not in done:
                    done.update(player.step())
                yield done.pop(request.number)
        except Raised as raised:
            number = player.in_lane(raised.lane)
            message = f"environment = {self._game.name!r}: {one_line(raised.__cause__)}"
            raise Broken(message, number) from raised.__cause__
        self._player = player

    def close(self) -> None:
        self._player = None


class Players:
    """A process per core, started at once."""

    def __init__(self, game: Game, count: int | None = None) -> None:
        self._game, self._count = game, count or cores()
        self._processes: list[_Process] = []
        weakref.finalize(self, _end, self._processes)
        self._begin()

    def play(self, points: Points, requests: Sequence[Request]) -> Iterator[Episode]:
        """The episodes of requests 0, 1, 2, …, in this order, each as soon as it has ended."""
        self._begin()
        waiting, done, deaths = deque(requests), dict[int, Episode](), 0
        # To play many side by side saves more than to deal the last of them evenly.
        share = min(LANES, -(-len(requests) // self._count))
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
            # Episodes under way belong to no request any more: the next call starts new processes.
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def close(self) -> None:
        """End all processes; ``play`` starts new ones."""
        _end(self._processes)

    def _begin(self) -> None:
        while len(self._processes) < self._count:
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
        """Start a new process in the place of a dead one; the requests that it had not finished."""
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
        self.connection, child = Pipe()
        self.playing: dict[int, Request] = {}
        self.known: set[int] | None = None
        """Numbers of the points that it has; None to replace them with the next request."""

        self._name = game.name
        paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        module = "simulator.objectives.environments.playing.player_process"
        with child, undisturbed():
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(child.fileno())],
                pass_fds=(child.fileno(),),
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
        # ``finished`` notices a dead process.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    def finished(self) -> list[tuple[int, Episode]]:
        """The episodes that it has sent; EOFError if it is dead."""
        news: list[tuple[int, Episode]] | tuple[int | None, str] = self.connection.recv()
        if isinstance(news, tuple):
            number, problem = news
            raise Broken(f"environment = {self._name!r}: {problem}", number)
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
