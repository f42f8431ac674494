"""How does one process play episodes?  Several side by side, behind one call of the policy.

An episode is a function of its request alone: what it is played beside, or by whom, changes no
bit of it.  So a lane's row never meets another's in one sum: the policy multiplies each
observation by its matrices on its own, in one call of numpy for all.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.host import Gymnasium, as_taken, flat
from simulator.objectives.environments.playing.stage import Stage
from simulator.objectives.environments.playing.stages import stage_for
from simulator.objectives.environments.playing.varied import begin
from simulator.objectives.environments.variation import Variation

if TYPE_CHECKING:
    from simulator.objectives.policies import Policy

LANES = 25
"""Episodes side by side at most: more save little."""
BLOCK = 64
"""Steps whose noise is drawn at once."""


class Episode(NamedTuple):
    """What was seen, what the policy chose and what it got, one row for each step."""

    observations: NDArray[Any]
    choices: NDArray[Any]
    rewards: NDArray[np.float64]


class Game(NamedTuple):
    """What is played, and how: the same for all episodes."""

    name: str
    variations: Sequence[Variation]
    horizon: int
    policy: "Policy"
    size: int
    """Of what the policy sees."""

    dtype: str


class Request(NamedTuple):
    """An episode to play."""

    number: int
    variation: int
    point: int
    """Which of the points that were sent."""

    seed: int
    """Of the environment's first state."""

    key: int
    """Of the policy's noise."""


def generator(key: int) -> np.random.Generator:
    """The noise of an episode: a stream of its own for every key of 128 bits."""
    return np.random.Generator(np.random.Philox(key=key))


class _Playing(NamedTuple):
    request: Request
    generator: np.random.Generator


class Player:
    """Plays what it is asked for; ``step`` goes one step further in every lane."""

    def __init__(self, game: Game, lanes: int = LANES) -> None:
        self._game, self._policy, self._many = game, game.policy, lanes
        self._stages: dict[int, Stage] = {}
        self._points: dict[int, Any] = {}
        self._waiting: deque[Request] = deque()
        self._playing: dict[int, _Playing] = {}
        self._steps = np.zeros(lanes, int)
        self._rooms = _Rooms(lanes, game)
        self._mixed: Any = None

    def ask(
        self, points: Mapping[int, NDArray[Any]], requests: Iterable[Request], forget: bool = False
    ) -> None:
        """Play these too; ``points`` are added to those it has, unless it shall forget them."""
        if forget:
            self._points.clear()
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
        lanes, rooms = list(self._playing), self._rooms
        at = self._steps[lanes]
        shown = rooms.shown[lanes]
        choices = self._choose(lanes, shown, rooms.noise[lanes, at % BLOCK])
        rooms.observations[lanes, at] = shown
        rooms.choices[lanes, at] = choices
        rewards, ended = self._advance(lanes, self._policy.act(choices, np))
        rooms.rewards[lanes, at] = rewards
        self._steps[lanes] = at = at + 1
        over = ended | (at == self._game.horizon)
        finished = []
        if over.any():
            finished = [self._end(lane) for lane in np.compress(over, lanes).tolist()]
        in_block = at % BLOCK
        if not in_block.all():
            for lane in np.compress((in_block == 0) & ~over, lanes).tolist():
                self._draw(lane)
        if finished:
            self._fill()
        return finished

    def _fill(self) -> None:
        """Begin what is waiting, as far as there are lanes."""
        self._mixed = None
        for lane in range(self._many):
            if self._waiting and lane not in self._playing:
                self._begin(lane, self._waiting.popleft())

    def in_lane(self, lane: int) -> int:
        """The number of the episode that is played there."""
        return self._playing[lane].request.number

    def _begin(self, lane: int, request: Request) -> None:
        self._playing[lane] = _Playing(request, generator(request.key))
        raw = self._stage(request.variation).reset(lane, request.seed)
        self._rooms.shown[lane] = self._seen(request.variation, raw)
        self._steps[lane] = 0
        self._draw(lane)

    def _draw(self, lane: int) -> None:
        """The noise of the lane's next steps."""
        source = self._playing[lane].generator
        self._rooms.noise[lane] = self._policy.host_noise(source, BLOCK, self._game.dtype)

    def _end(self, lane: int) -> tuple[int, Episode]:
        number = self._playing.pop(lane).request.number
        return number, self._rooms.episode(lane, int(self._steps[lane]))

    def _stage(self, variation: int) -> Stage:
        if variation not in self._stages:
            game = self._game
            chosen = game.variations[variation]
            self._stages[variation] = stage_for(game.name, chosen, game.horizon, self._many)
        return self._stages[variation]

    def _seen(self, variation: int, raw: NDArray[Any]) -> NDArray[Any]:
        return seen(raw, self._game.variations[variation], self._game.dtype)

    def _choose(self, lanes: list[int], shown: NDArray[Any], noise: NDArray[Any]) -> Any:
        points = [self._playing[lane].request.point for lane in lanes]
        if len(set(points)) == 1:
            layers = self._points[points[0]]
        else:
            if self._mixed is None:
                self._mixed = _stacked([self._points[point] for point in points])
            layers = self._mixed
        return self._policy.choose(layers, shown[:, None], noise[:, None], np)[:, 0]

    def _advance(self, lanes: list[int], actions: NDArray[Any]) -> tuple[Any, Any]:
        """A step of every lane's environment: rewards, and which ended; and what is seen next."""
        if len(self._stages) == 1:
            (variation,) = self._stages
            return self._advance_alike(variation, lanes, actions)
        variations = np.array([self._playing[lane].request.variation for lane in lanes])
        rewards, ended = np.empty(len(lanes)), np.empty(len(lanes), bool)
        for one in dict.fromkeys(variations.tolist()):
            mine = variations == one
            chosen = np.compress(mine, lanes).tolist()
            rewards[mine], ended[mine] = self._advance_alike(one, chosen, actions[mine])
        return rewards, ended

    def _advance_alike(
        self, variation: int, lanes: list[int], actions: NDArray[Any]
    ) -> tuple[Any, Any]:
        raw, rewards, ended = self._stages[variation].step(lanes, actions)
        self._rooms.shown[lanes] = self._seen(variation, raw)
        return rewards, ended


class _Rooms:
    """Where the lanes' episodes are written down as they are played."""

    def __init__(self, lanes: int, game: Game) -> None:
        policy, size = game.policy, game.size
        one = policy.host_noise(generator(0), BLOCK, game.dtype)
        layers = policy.layers(np.zeros(policy.dimension, game.dtype))
        choice = policy.choose(layers, np.zeros(size, game.dtype), one[0], np)
        self.shown = np.empty((lanes, size), game.dtype)
        self.noise = np.empty((lanes, *one.shape), one.dtype)
        # Memory is taken only where something is written.
        self.observations = np.empty((lanes, game.horizon, size), game.dtype)
        self.choices = np.empty((lanes, game.horizon, *choice.shape), choice.dtype)
        self.rewards = np.empty((lanes, game.horizon))

    def episode(self, lane: int, steps: int) -> Episode:
        records = (self.observations, self.choices, self.rewards)
        return Episode(*(record[lane, :steps].copy() for record in records))


def _stacked(layers: list[Any]) -> Any:
    """The layers of several points as one, with a leading axis; biases keep an axis for the row."""
    if isinstance(layers[0], np.ndarray):
        stacked = np.stack(layers)
        return stacked[:, None] if stacked.ndim == 2 else stacked
    return [_stacked(list(parts)) for parts in zip(*layers, strict=True)]


def seen(raw: NDArray[Any], variation: Variation, dtype: Any) -> NDArray[Any]:
    """What the policy sees of an observation."""
    observation = raw.astype(dtype)
    if variation.sign != 1:
        observation *= variation.sign
    if variation.flag is not None:
        flags = np.full((*observation.shape[:-1], 1), variation.flag, dtype)
        observation = np.concatenate([observation, flags], axis=-1)
    return observation


def plain_episode(
    environment: Gymnasium,
    variation: Variation,
    game: Game,
    point: NDArray[Any],
    request: Request,
    look: Callable[[], object] = lambda: None,
) -> Episode:
    """The same episode in gymnasium's own words, call by call: the oracle of a player.

    ``look`` is called at the start and after every step, to see the environment as it is then.
    """
    policy, noise = game.policy, generator(request.key)
    layers = policy.layers(point)
    observations, choices, rewards = [], [], []
    raw = begin(environment, variation, request.seed)
    look()
    for step in range(game.horizon):
        if step % BLOCK == 0:
            block = policy.host_noise(noise, BLOCK, game.dtype)
        observation = seen(flat(environment, raw), variation, game.dtype)
        choice = policy.choose(layers, observation, block[step % BLOCK], np)
        action = as_taken(environment.action_space, policy.act(choice, np))
        raw, reward, terminated, truncated, _ = environment.step(action)
        look()
        observations.append(observation)
        choices.append(choice)
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return Episode(np.stack(observations), np.stack(choices), np.array(rewards))
