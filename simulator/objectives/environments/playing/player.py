"""How does one process play episodes?  Several side by side, behind one call of the policy.

An episode is a function of its request alone: what it is played beside, or by whom, changes no
bit of it.  So a lane's row never meets another's in one sum: the policy multiplies each
observation by its matrices on its own, in one call of numpy for all.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.playing.episode import (
    BLOCK,
    Episode,
    Game,
    Request,
    generator,
    see,
)
from simulator.objectives.environments.playing.records import Records
from simulator.objectives.environments.playing.stage import Stage
from simulator.objectives.environments.playing.stages import stage_for

LANES = 64
"""Episodes side by side at most: more save little."""


@dataclass(frozen=True)
class _Playing:
    request: Request
    generator: np.random.Generator
    begun: int
    """The tick of its first step."""

    def turns(self, tick: int, horizon: int) -> int:
        """When it next needs noise, or is at the horizon."""
        age = tick - self.begun
        return self.begun + min(age - age % BLOCK + BLOCK, horizon)


class Player:
    """Plays what it is asked for; ``step`` goes one step further in every lane.

    The lanes in use are the first ones: the last episode moves to where another has ended.
    """

    def __init__(self, game: Game, lanes: int = LANES) -> None:
        self._game, self._policy, self._many = game, game.policy, lanes
        self._stages: dict[int, Stage] = {}
        self._points: dict[int, Any] = {}
        self._waiting: deque[Request] = deque()
        self._playing: list[_Playing] = []
        self._records = Records(lanes, game)
        self._tick = self._next_turn = 0
        self._layers: Any = None

    def ask(
        self, points: Mapping[int, NDArray[Any]], requests: Iterable[Request], forget: bool = False
    ) -> None:
        """Play these too; ``points`` are added to those it has, unless it shall forget them."""
        if forget:
            self._points.clear()
        if not self._playing:
            self._tick = 0  # what was written before lies in the cache, or at least in memory
        layers = self._policy.layers
        self._points.update((number, layers(point)) for number, point in points.items())
        self._waiting.extend(requests)
        self._fill()

    @property
    def busy(self) -> bool:
        return bool(self._playing)

    @property
    def has_room(self) -> bool:
        return len(self._playing) < self._many

    def step(self) -> list[tuple[int, Episode]]:
        """One step in all lanes; the episodes that ended with it, by their numbers."""
        records, policy, tick = self._records, self._policy, self._tick
        lanes = slice(0, len(self._playing))
        seen, noise = records.seen(tick, lanes), records.noise(tick, lanes)
        choices = policy.choose(self._layers, seen[:, None], noise[:, None], np)[:, 0]
        rewards, ended = self._advance(lanes, policy.act(choices, np))
        records.write(tick, lanes, choices, rewards)
        self._tick = tick + 1
        over = np.flatnonzero(ended).tolist() if ended.any() else []
        if self._tick == self._next_turn:
            over = self._turn(over)
        if not over:
            return []
        finished = [self._end(lane) for lane in reversed(over)]
        self._fill()
        return finished

    def in_lane(self, lane: int) -> int:
        """The number of the episode that is played there."""
        return self._playing[lane].request.number

    def _turn(self, ended: list[int]) -> list[int]:
        """Draw noise where it is used up; the lanes that have ended, or are at the horizon."""
        over = set(ended)
        for lane, playing in enumerate(self._playing):
            age = self._tick - playing.begun
            if age == self._game.horizon:
                over.add(lane)
            elif age % BLOCK == 0 and lane not in over:
                self._draw(lane)
        self._plan()
        return sorted(over)

    def _plan(self) -> None:
        at = self._tick, self._game.horizon
        self._next_turn = min((each.turns(*at) for each in self._playing), default=0)

    def _fill(self) -> None:
        """Begin what is waiting, as far as there are lanes."""
        while self._waiting and self.has_room:
            self._begin(self._waiting.popleft())
        self._plan()
        self._choose_layers()

    def _begin(self, request: Request) -> None:
        lane = len(self._playing)
        self._playing.append(_Playing(request, generator(request.key), self._tick))
        raw = self._stage(request.variation).reset(lane, request.seed)
        see(raw, self._game.variations[request.variation], self._records.seen(self._tick, lane))
        self._draw(lane)

    def _draw(self, lane: int) -> None:
        """The noise of the lane's next steps."""
        source = self._playing[lane].generator
        block = self._policy.host_noise(source, BLOCK, self._game.dtype)
        self._records.draw(self._tick, lane, block)

    def _end(self, lane: int) -> tuple[int, Episode]:
        ended, last = self._playing[lane], self._playing.pop()
        episode = self._records.episode(lane, ended.begun, self._tick)
        if last is not ended:
            source = len(self._playing)
            self._playing[lane] = last
            self._records.move(source, lane, last.begun, self._tick)
            self._stages[last.request.variation].move(source, lane)
        return ended.request.number, episode

    def _stage(self, variation: int) -> Stage:
        if variation not in self._stages:
            game = self._game
            chosen = game.variations[variation]
            self._stages[variation] = stage_for(game.name, chosen, game.horizon, self._many)
        return self._stages[variation]

    def _choose_layers(self) -> None:
        """Those of the point that all lanes play at, or the layers of each lane's, stacked."""
        points = [playing.request.point for playing in self._playing]
        if len(set(points)) == 1:
            self._layers = self._points[points[0]]
        elif points:
            self._layers = _stacked([self._points[point] for point in points])

    def _advance(self, lanes: slice, actions: NDArray[Any]) -> tuple[Any, Any]:
        """A step of every lane's environment: rewards, and which ended; and what is seen next."""
        seen = self._records.seen(self._tick + 1, lanes)
        if len(self._stages) == 1:
            ((variation, stage),) = self._stages.items()
            raw, rewards, ended = stage.step(lanes, actions)
            see(raw, self._game.variations[variation], seen)
            return rewards, ended
        variations = np.array([playing.request.variation for playing in self._playing])
        rewards, ended = np.empty(len(actions)), np.empty(len(actions), bool)
        for one in dict.fromkeys(variations.tolist()):
            mine = np.flatnonzero(variations == one)
            raw, rewards[mine], ended[mine] = self._stages[one].step(mine, actions[mine])
            shown = seen[mine]
            see(raw, self._game.variations[one], shown)
            seen[mine] = shown
        return rewards, ended


def _stacked(layers: list[Any]) -> Any:
    """The layers of several points as one, with a leading axis; biases keep an axis for the row."""
    if isinstance(layers[0], np.ndarray):
        stacked = np.stack(layers)
        return stacked[:, None] if stacked.ndim == 2 else stacked
    return [_stacked(list(parts)) for parts in zip(*layers, strict=True)]
