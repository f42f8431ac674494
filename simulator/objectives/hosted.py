"""How are the gradients of many episodes computed, where the environment runs on the host?

Processes play the episodes (``environments/playing/players.py``).  Their steps, in the order of the
tickets, go through compiled backward passes of a few fixed sizes, each as soon as it is full:
no batch, however long its episodes, compiles anew, and the gradient of the first episodes is
computed while the last are played.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.objectives.backward import score
from simulator.objectives.environments import host
from simulator.objectives.environments.playing.episode import Episode, Game, Request, plain_episode
from simulator.objectives.environments.playing.here import Here
from simulator.objectives.environments.playing.players import Players
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.variation import ALIKE, Variation
from simulator.objectives.estimator import (
    RETURN,
    episode_keys,
    evaluation_key,
    evaluation_keys,
    in_turn,
    initial_key,
    plain_gradient,
    played,
)
from simulator.objectives.objective import Broken, Direction, Episodes, Exact, Played, Show, Values
from simulator.objectives.policies import PolicyMaker
from simulator.objectives.standard import Standard
from simulator.system.side_by_side import cores

if TYPE_CHECKING:
    from jax import Array

Record: TypeAlias = tuple[NDArray[Any], ...]
"""Arrays with a row for each step."""

SIZES = (64, 256)
"""Rows of a backward pass: as many of the largest as fit, and the rest in the next that does."""


class Hosted:
    """The return of a policy in one gymnasium environment, or in one for each worker."""

    metrics: Mapping[str, Direction] = RETURN
    on_host = True
    exact: Exact | None = None
    local: Callable[[Work], Values] | None = None

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        policy: PolicyMaker,
        horizon: int,
        discount: float,
        dtype: str,
        standard: Standard | None = None,
        variations: Sequence[Variation] = ALIKE,
    ) -> None:
        self.discount, self.discounts = discount, (discount ** np.arange(horizon)).astype(dtype)
        whole = [replace(each, options={**options, **each.options}) for each in variations]
        # Workers that are alike share what is played.
        distinct = [each for at, each in enumerate(whole) if each not in whole[:at]]
        self._of_worker = [distinct.index(each) for each in whole]
        environment = open_varied(name, distinct[0], horizon)
        size, actions = host.spaces_of(environment, name)
        size += distinct[0].flag is not None
        self.policy = policy(size, actions, standard)
        self.dimension: int = self.policy.dimension
        self._worlds = len(variations)
        self.episodes: Episodes | None = Episodes(
            len(variations), self.lengths, self.play, self.show
        )
        self.game = Game(name, distinct, horizon, self.policy, size, dtype)
        self._players: Players | Here = Here(self.game) if cores() == 1 else Players(self.game)
        self._environments = {0: environment}
        self._add = jax.jit(self._with_score, donate_argnums=0)
        self._of_tickets = jax.jit(lambda root, tickets: _bits(episode_keys(root, tickets)))
        self._of_evaluation = jax.jit(
            lambda root, step, episodes: _bits(evaluation_keys(root, step, episodes)),
            static_argnums=2,
        )

    def initial_point(self, root: "Array") -> "Array":
        return self.policy.initial_point(initial_key(root), self.discounts.dtype)

    def gradient(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """One run after the other; a run that has ended has no weights."""
        totals, steps = np.zeros(points.shape, points.dtype), np.zeros(len(points), np.int32)
        for run in np.flatnonzero(np.asarray(weights).any(1)):
            at = roots[run], points[run], tickets, weights[run]
            totals[run], steps[run] = map(np.asarray, self._gradient(*at))
        return cast("tuple[Array, Array]", (totals, steps))

    def gradients(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """One run after the other, too."""
        each, lengths = np.zeros(points.shape, points.dtype), np.zeros(points.shape[:2], np.int32)
        for run in np.flatnonzero(np.asarray(weights).any(1)):
            at = roots[run], points[run], tickets, weights[run]
            each[run], lengths[run] = map(np.asarray, self._gradients(*at))
        return cast("tuple[Array, Array]", (each, lengths))

    def evaluate(
        self, roots: "Array", points: "Array", step: int, episodes: int, going: NDArray[np.bool_]
    ) -> "Mapping[str, Array]":
        """The mean undiscounted return of the stochastic policy, truncated at the horizon."""
        returns = np.full(len(going), np.nan)
        for run in np.flatnonzero(going):
            totals, _ = self._returns(roots[run], points[run], step, episodes)
            returns[run] = totals.mean()
        return {"return": cast("Array", returns)}

    def play(self, point: "Array", seed: int, episodes: int) -> list[Played]:
        """The episodes that ``evaluate`` plays at step 0 of a run with this seed."""
        return played(*self._returns(jax.random.key(seed), point, 0, episodes))

    def show(self, worker: int) -> Show:
        """This worker's environment, to see its episodes of ``play``."""
        from simulator.objectives.show import OnHost

        variation = self.game.variations[self.variation_of(worker)]
        return OnHost(self.game, variation, self.evaluated)

    def _gradient(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        scales, used = self._used(weights)
        requests = self._requests(root, tickets, used)
        episodes = self._players.play({0: np.asarray(point)}, requests)
        with blaming(tickets, used):
            total, steps = self._backward(point, zip(episodes, scales[used], strict=True))
        return total, jnp.int32(steps)

    def _gradients(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        scales, used = self._used(weights)
        totals = [jnp.zeros_like(points[0])] * len(scales)
        lengths = np.zeros(len(scales), np.int32)
        played = self._at_their_points(root, points, tickets, used)
        with blaming(tickets, used):
            for row, episode in zip(used, played, strict=True):
                totals[row], lengths[row] = self._backward(points[row], [(episode, scales[row])])
        return jnp.stack(totals), jnp.asarray(lengths)

    def lengths(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "Array":
        scales, used = self._used(weights)
        lengths = np.zeros(len(scales), np.int32)
        played = self._at_their_points(root, points, tickets, used)
        with blaming(tickets, used):
            for row, episode in zip(used, played, strict=True):
                lengths[row] = len(episode.rewards)
        return jnp.asarray(lengths)

    def _returns(
        self, root: "Array", point: "Array", step: int, episodes: int
    ) -> "tuple[Array, Array]":
        many = in_turn(episodes, self._worlds)
        episodes_played = self._evaluation(root, jnp.int32(step), np.asarray(point), many)
        totals, lengths = zip(
            *((e.rewards.sum(), len(e.rewards)) for e in episodes_played), strict=True
        )
        return jnp.asarray(totals, self.discounts.dtype), jnp.asarray(lengths, jnp.int32)

    def observations(self, root: "Array", episodes: int) -> NDArray[Any]:
        """All that is seen while the neutral policy plays: a zero vector's outputs are all 0."""
        neutral = np.zeros(self.policy.dimension, self.discounts.dtype)
        played = self._evaluation(root, jnp.int32(0), neutral, episodes)
        seen = np.concatenate([episode.observations for episode in played])
        self._players.close()  # who asks this makes another of these, which has its own
        return seen

    def _evaluation(
        self, root: "Array", step: "Array", point: NDArray[Any], episodes: int
    ) -> Iterator[Episode]:
        """Episodes of keys of their own; the workers take turns."""
        bits = np.asarray(self._of_evaluation(root, step, episodes))
        requests = [self._request(number, number, bits[number]) for number in range(episodes)]
        return self._players.play({0: point}, requests)

    def evaluated(self, root: "Array", step: "Array", number: int) -> Request:
        """The episode of this number among those that an evaluation plays."""
        (bits,) = _bits(evaluation_key(root, step, jnp.int32(number))[None])
        return self._request(number, number, np.asarray(bits))

    def sample(self, root: "Array", point: "Array", ticket: Ticket) -> "tuple[Array, int]":
        rows = jnp.array([ticket], jnp.int32)
        (request,) = self._requests(root, rows, np.array([0]))
        episode = plain_episode(
            self._environment(request.variation),
            self.game.variations[request.variation],
            self.game,
            np.asarray(point),
            request,
        )
        gradient = plain_gradient(self.policy, point, *episode, discount=self.discount)
        return gradient, len(episode.rewards)

    def variation_of(self, worker: int) -> int:
        """Which of the game's variations this worker plays."""
        return self._of_worker[worker % len(self._of_worker)]

    def _environment(self, variation: int) -> host.Gymnasium:
        if variation not in self._environments:
            game = self.game
            self._environments[variation] = open_varied(
                game.name, game.variations[variation], game.horizon
            )
        return self._environments[variation]

    def _used(self, weights: "Array") -> tuple[NDArray[Any], NDArray[Any]]:
        scales = np.asarray(weights, self.discounts.dtype)
        return scales, np.flatnonzero(scales)

    def _at_their_points(
        self, root: "Array", points: "Array", tickets: "Array", used: NDArray[Any]
    ) -> Iterator[Episode]:
        each = np.asarray(points)
        requests = [
            request._replace(point=number)
            for number, request in enumerate(self._requests(root, tickets, used))
        ]
        return self._players.play({n: each[row] for n, row in enumerate(used)}, requests)

    def _requests(self, root: "Array", tickets: "Array", used: NDArray[Any]) -> list[Request]:
        bits = np.asarray(self._of_tickets(root, tickets))[used]
        workers = np.asarray(tickets)[used, 0].tolist()
        return [self._request(*it) for it in zip(range(len(used)), workers, bits, strict=True)]

    def _request(self, number: int, worker: int, bits: NDArray[np.uint32]) -> Request:
        seed, *key = bits.tolist()
        return Request(
            number=number, variation=self.variation_of(worker), point=0, seed=seed, key=key_of(key)
        )

    def _backward(
        self, point: "Array", episodes: "Iterable[tuple[Episode, Any]]"
    ) -> "tuple[Array, int]":
        """The flat weighted pass over all steps, in pieces of the fixed sizes; how many steps."""
        total, steps = jnp.zeros_like(point), 0

        def records() -> Iterator[Record]:
            nonlocal steps
            for episode, weight in episodes:
                steps += len(episode.rewards)
                scales = weight * self._to_go(episode.rewards)
                yield episode.observations, episode.choices, scales

        for piece in pieces(records()):
            total = self._add(total, point, *piece)
        return total, steps

    def _with_score(self, total: "Array", *arguments: "Array") -> "Array":
        return total + score(self.policy, *arguments)

    def _to_go(self, rewards: NDArray[Any]) -> NDArray[Any]:
        discounted = rewards.astype(self.discounts.dtype) * self.discounts[: len(rewards)]
        return np.cumsum(discounted[::-1])[::-1]


@contextmanager
def blaming(tickets: "Array", used: NDArray[Any]) -> Iterator[None]:
    """An episode that was asked for as number k is that of the k-th ticket that is used."""
    try:
        yield
    except Broken as broken:
        if broken.request is not None:
            broken.ticket = Ticket(*np.asarray(tickets)[used[broken.request]].tolist())
        raise


def pieces(records: Iterable[Record]) -> Iterator[Record]:
    """Their rows in a row, cut to the fixed sizes as they come, and padded with zeros."""
    held: list[Record] = []
    many, largest = 0, SIZES[-1]
    for record in records:
        held.append(record)
        many += len(record[0])
        while many >= largest:
            whole = _joined(held)
            yield tuple(part[:largest] for part in whole)
            held, many = [tuple(part[largest:] for part in whole)], many - largest
    if many:
        size = next(size for size in SIZES if size >= many)
        yield tuple(_padded(part, size) for part in _joined(held))


def _joined(records: list[Record]) -> Record:
    return tuple(np.concatenate(parts) for parts in zip(*records, strict=True))


def _padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    return np.pad(rows, [(0, size - len(rows))] + [(0, 0)] * (rows.ndim - 1))


def key_of(words: Sequence[int]) -> int:
    """Words of 32 bits as one number."""
    return sum(word << (32 * at) for at, word in enumerate(words))


def _bits(keys: "Array") -> "Array":
    """From each key five words: the seed of a first state, and the key of the policy's noise."""

    def words(key: "Array") -> "Array":
        return jax.random.bits(key, (5,), jnp.uint32)

    return jax.vmap(words)(keys)
