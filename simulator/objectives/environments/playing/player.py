"""How does one process play episodes?  Several side by side, behind one call of the policy.

An episode is a function of its request alone: the lanes beside it change no bit of it.  So no sum
mixes the rows of lanes: one call of numpy multiplies each observation by the matrices on its own.
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
    observe,
)
from simulator.objectives.environments.playing.stage import Lanes, Stage
from simulator.objectives.environments.playing.stages import stage_for

LANES = 64
"""Episodes side by side at most: more save little."""


@dataclass(frozen=True)
class _Playing:
    request: Request
    generator: np.random.Generator
    begun: int
    """The tick of its first step."""

    def next_turn(self, tick: int, horizon: int) -> int:
        """The tick at which it needs noise, or reaches the horizon."""
        age = tick - self.begun
        return self.begun + min(age - age % BLOCK + BLOCK, horizon)


class _Records:
    """The episodes under way: a row for each tick of the player, a column for each lane.

    A tick reads and writes slices.  The rows are a ring as long as an episode may be.
    """

    def __init__(self, lanes: int, game: Game) -> None:
        policy, size = game.policy, game.size
        noise = policy.host_noise(generator(0), BLOCK, game.dtype)
        layers = policy.layers(np.zeros(policy.dimension, game.dtype))
        choice = policy.choose(layers, np.zeros(size, game.dtype), noise[0], np)
        # One row more than an episode has steps: for the observation after the last one.
        self._rows = rows = game.horizon + 1
        # The system assigns memory only to rows that are written.
        self._observations = np.empty((rows, lanes, size), game.dtype)
        self._choices = np.empty((rows, lanes, *choice.shape), choice.dtype)
        self._rewards = np.empty((rows, lanes))
        self._noise = np.empty((BLOCK, lanes, *noise.shape[1:]), noise.dtype)
        self._columns = self._observations, self._choices, self._rewards

    def observations(self, tick: int, lanes: Lanes | int) -> NDArray[Any]:
        """A view of this tick's observations, to write and later to read."""
        view: NDArray[Any] = self._observations[tick % self._rows][lanes]
        return view

    def noise(self, tick: int, lanes: Lanes) -> NDArray[Any]:
        return self._noise[tick % BLOCK, lanes]

    def write(self, tick: int, lanes: Lanes, choices: NDArray[Any], rewards: NDArray[Any]) -> None:
        row = tick % self._rows
        self._choices[row, lanes] = choices
        self._rewards[row, lanes] = rewards

    def set_noise(self, tick: int, lane: int, block: NDArray[Any]) -> None:
        """The noise of the lane's steps from this tick on."""
        first = tick % BLOCK
        self._noise[first:, lane] = block[: BLOCK - first]
        self._noise[:first, lane] = block[BLOCK - first :]

    def episode(self, lane: int, begun: int, tick: int) -> Episode:
        """A copy of the lane's episode, from its first tick to the one before this."""
        rows = np.arange(begun, tick) % self._rows
        return Episode(*(column[rows, lane] for column in self._columns))

    def move(self, source: int, target: int, begun: int, tick: int) -> None:
        """Move an episode that has come to this tick to another lane."""
        rows = np.arange(begun, tick + 1) % self._rows
        for column in self._columns:
            column[rows, target] = column[rows, source]
        self._noise[:, target] = self._noise[:, source]


class Player:
    """Plays the episodes of requests; ``step`` is one step in every lane.

    The lanes in use are the first ones: the last episode moves to a lane whose own has ended.
    """

    def __init__(self, game: Game, lanes: int = LANES) -> None:
        self._game, self._policy, self._lanes = game, game.policy, lanes
        self._stages: dict[int, Stage] = {}
        self._points: dict[int, Any] = {}
        self._waiting: deque[Request] = deque()
        self._playing: list[_Playing] = []
        self._records = _Records(lanes, game)
        self._tick = self._next_turn = 0
        self._layers: Any = None

    def ask(
        self, points: Mapping[int, NDArray[Any]], requests: Iterable[Request], forget: bool = False
    ) -> None:
        """Play these too; ``points`` are added to the known ones, or replace them."""
        if forget:
            self._points.clear()
        if not self._playing:
            self._tick = 0  # rows that were written before are in the cache, or at least in memory
        layers = self._policy.layers
        self._points.update((number, layers(point)) for number, point in points.items())
        self._waiting.extend(requests)
        self._fill()

    @property
    def busy(self) -> bool:
        return bool(self._playing)

    @property
    def has_room(self) -> bool:
        return len(self._playing) < self._lanes

    def step(self) -> list[tuple[int, Episode]]:
        """One step in all lanes; returns the episodes that ended, with their numbers."""
        records, policy, tick = self._records, self._policy, self._tick
        lanes = slice(0, len(self._playing))
        observations, noise = records.observations(tick, lanes), records.noise(tick, lanes)
        choices = policy.choose(self._layers, observations[:, None], noise[:, None], np)[:, 0]
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
        """The number of the lane's episode."""
        return self._playing[lane].request.number

    def _turn(self, ended: list[int]) -> list[int]:
        """Draw noise where it is used up; returns the lanes that ended or are at the horizon."""
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
        now = self._tick, self._game.horizon
        self._next_turn = min((each.next_turn(*now) for each in self._playing), default=0)

    def _fill(self) -> None:
        """Begin waiting requests while lanes are free."""
        while self._waiting and self.has_room:
            self._begin(self._waiting.popleft())
        self._plan()
        self._choose_layers()

    def _begin(self, request: Request) -> None:
        lane = len(self._playing)
        self._playing.append(_Playing(request, generator(request.key), self._tick))
        raw = self._stage(request.variation).reset(lane, request.seed)
        variation = self._game.variations[request.variation]
        observe(raw, variation, self._records.observations(self._tick, lane))
        self._draw(lane)

    def _draw(self, lane: int) -> None:
        source = self._playing[lane].generator
        block = self._policy.host_noise(source, BLOCK, self._game.dtype)
        self._records.set_noise(self._tick, lane, block)

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
            self._stages[variation] = stage_for(game.name, chosen, game.horizon, self._lanes)
        return self._stages[variation]

    def _choose_layers(self) -> None:
        """The layers of the point of all lanes, or those of each lane's point, stacked."""
        points = [playing.request.point for playing in self._playing]
        if len(set(points)) == 1:
            self._layers = self._points[points[0]]
        elif points:
            self._layers = _stacked([self._points[point] for point in points])

    def _advance(self, lanes: slice, actions: NDArray[Any]) -> tuple[Any, Any]:
        """A step of every lane's environment; returns the rewards, and which episodes ended."""
        observations = self._records.observations(self._tick + 1, lanes)
        if len(self._stages) == 1:
            ((variation, stage),) = self._stages.items()
            raw, rewards, ended = stage.step(lanes, actions)
            observe(raw, self._game.variations[variation], observations)
            return rewards, ended
        variations = np.array([playing.request.variation for playing in self._playing])
        rewards, ended = np.empty(len(actions)), np.empty(len(actions), bool)
        for one in dict.fromkeys(variations.tolist()):
            own = np.flatnonzero(variations == one)
            raw, rewards[own], ended[own] = self._stages[one].step(own, actions[own])
            chosen = observations[own]
            observe(raw, self._game.variations[one], chosen)
            observations[own] = chosen
        return rewards, ended


def _stacked(layers: list[Any]) -> Any:
    """The layers of several points as one, with a leading axis; biases keep an axis for the row."""
    if isinstance(layers[0], np.ndarray):
        stacked = np.stack(layers)
        return stacked[:, None] if stacked.ndim == 2 else stacked
    return [_stacked(list(parts)) for parts in zip(*layers, strict=True)]
