"""How are the gradients of many episodes computed, where the environment runs on the host?

Processes play the episodes (``environments/playing/players.py``).  Their steps, in the order of the
tickets, go through compiled backward passes of a few fixed sizes, each as soon as it is full.  So
episodes of any length compile nothing new, and the first are differentiated while others play.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.objectives.environments import host
from simulator.objectives.environments.playing.episode import Episode, Game, Request, plain_episode
from simulator.objectives.environments.playing.players import Here, Players, Points
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.variation import ALIKE, Variation
from simulator.objectives.estimator import (
    RETURN,
    episode_keys,
    evaluation_key,
    evaluation_keys,
    in_turn,
    initial_key,
    keys_of_episodes,
    plain_gradient,
    played,
)
from simulator.objectives.host_gradient import HostGradient
from simulator.objectives.objective import Broken, Direction, Episodes, Exact, Played, Show, Values
from simulator.objectives.policies import Policy, PolicyMaker
from simulator.objectives.reinforce import Reinforce
from simulator.objectives.standard import Standard
from simulator.system.machine import cores

WORDS = 5
"""The words of an episode: the seed of its first state, and the key of its noise."""


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
        estimator: Reinforce,
        dtype: str,
        standard: Standard | None = None,
        variations: Sequence[Variation] = ALIKE,
    ) -> None:
        self.estimator, self.discounts = estimator, estimator.discounts(horizon, dtype)
        whole = [replace(each, options={**options, **each.options}) for each in variations]
        # Equal workers share a variation.
        distinct = [each for at, each in enumerate(whole) if each not in whole[:at]]
        self._of_worker = [distinct.index(each) for each in whole]
        environment = open_varied(name, distinct[0], horizon)
        size, actions = host.spaces_of(environment, name)
        size += distinct[0].flag is not None
        self.policy: Policy = policy(size, actions, standard)
        self.dimension: int = self.policy.dimension
        self._worlds = len(variations)
        self.episodes: Episodes | None = Episodes(
            len(variations), self.lengths, self.play, self.show
        )
        self.game = Game(name, distinct, horizon, self.policy, size, dtype)
        self._cores, self._players = cores(), _players(self.game)
        self._environments = {0: environment}
        self._backward = HostGradient(self.policy, estimator, self.discounts)
        self._of_tickets = jax.jit(
            lambda root, tickets: _bits(
                keys_of_episodes(episode_keys(root, tickets), estimator.episodes)
            )
        )
        self._of_evaluation = jax.jit(
            lambda root, step, episodes: _bits(evaluation_keys(root, step, episodes)),
            static_argnums=2,
        )

    def initial_point(self, root: Array) -> Array:
        return self.policy.initial_point(initial_key(root), self.discounts.dtype)

    def gradient(
        self, roots: Array, points: Array, tickets: Array, weights: Array
    ) -> tuple[Array, Array]:
        """One run after the other; a run that has ended has no weights."""
        totals, steps = np.zeros(points.shape, points.dtype), np.zeros(len(points), np.int32)
        for run, scales in self._scales(weights):
            played = self._played(roots[run], points[run], tickets, scales)
            weighted = ((episodes, scales[row]) for row, episodes in played)
            totals[run], steps[run] = self._backward(points[run], weighted)
        return cast("tuple[Array, Array]", (totals, steps))

    def gradients(
        self, roots: Array, points: Array, tickets: Array, weights: Array
    ) -> tuple[Array, Array]:
        totals, lengths = np.zeros(points.shape, points.dtype), np.zeros(weights.shape, np.int32)
        for run, scales in self._scales(weights):
            played = self._played(roots[run], points[run], tickets, scales)
            # Wait for the first gradient only when the last episode has been played.
            gradients = [
                (row, self._backward(points[run][row], [(episodes, scales[row])]))
                for row, episodes in played
            ]
            for row, (total, length) in gradients:
                totals[run, row], lengths[run, row] = total, length
        return cast("tuple[Array, Array]", (totals, lengths))

    def lengths(self, root: Array, points: Array, tickets: Array, weights: Array) -> Array:
        lengths = np.zeros(len(weights), np.int32)
        for row, episodes in self._played(root, points, tickets, np.asarray(weights)):
            lengths[row] = sum(len(episode.rewards) for episode in episodes)
        return jnp.asarray(lengths)

    def evaluate(
        self, roots: Array, points: Array, step: int, episodes: int, going: NDArray[np.bool_]
    ) -> Mapping[str, Array]:
        """The mean undiscounted return of the stochastic policy, truncated at the horizon."""
        returns = np.full(len(going), np.nan)
        for run in np.flatnonzero(going):
            totals, _ = self._returns(roots[run], points[run], step, episodes)
            returns[run] = totals.mean()
        return {"return": cast("Array", returns)}

    def play(self, point: Array, seed: int, episodes: int) -> list[Played]:
        """The episodes that ``evaluate`` plays at step 0 of a run with this seed."""
        return played(*self._returns(jax.random.key(seed), point, 0, episodes))

    def show(self, worker: int) -> Show:
        from simulator.objectives.show import OnHost

        variation = self.game.variations[self.variation_of(worker)]
        return OnHost(self.game, variation, self.evaluated)

    def _returns(self, root: Array, point: Array, step: int, episodes: int) -> tuple[Array, Array]:
        count = in_turn(episodes, self._worlds)
        played = self._evaluation(root, jnp.int32(step), np.asarray(point), count)
        totals, lengths = zip(*((e.rewards.sum(), len(e.rewards)) for e in played), strict=True)
        return jnp.asarray(totals, self.discounts.dtype), jnp.asarray(lengths, jnp.int32)

    def observations(self, root: Array, episodes: int) -> NDArray[Any]:
        """All observations of the neutral policy: the outputs of a zero vector are all 0."""
        neutral = np.zeros(self.policy.dimension, self.discounts.dtype)
        played = self._evaluation(root, jnp.int32(0), neutral, episodes)
        observations = np.concatenate([episode.observations for episode in played])
        self._players.close()  # the caller makes a second objective with players of its own
        return observations

    def _evaluation(
        self, root: Array, step: Array, point: NDArray[Any], episodes: int
    ) -> Iterator[Episode]:
        """Episodes with the keys of evaluations; the workers take turns."""
        bits = np.asarray(self._of_evaluation(root, step, episodes))
        requests = [self._request(number, number, bits[number]) for number in range(episodes)]
        return self._play({0: point}, requests)

    def evaluated(self, root: Array, step: Array, number: int) -> Request:
        """The episode of this number in an evaluation."""
        (bits,) = _bits(evaluation_key(root, step, jnp.int32(number))[None])
        return self._request(number, number, np.asarray(bits))

    def sample(self, root: Array, point: Array, ticket: Ticket) -> tuple[Array, int]:
        bits = np.asarray(self._of_tickets(root, jnp.array([ticket], jnp.int32)))
        requests = [self._request(0, ticket.worker, words) for words in bits]
        episodes = [self._plain(np.asarray(point), request) for request in requests]
        gradient = plain_gradient(self.policy, point, episodes, self.estimator)
        return gradient, sum(len(episode.rewards) for episode in episodes)

    def _plain(self, point: NDArray[Any], request: Request) -> Episode:
        variation = self.game.variations[request.variation]
        environment = self._environment(request.variation)
        return plain_episode(environment, variation, self.game, point, request)

    def variation_of(self, worker: int) -> int:
        """The number of this worker's variation in the game."""
        return self._of_worker[worker % len(self._of_worker)]

    def _environment(self, variation: int) -> host.Gymnasium:
        if variation not in self._environments:
            game = self.game
            self._environments[variation] = open_varied(
                game.name, game.variations[variation], game.horizon
            )
        return self._environments[variation]

    def _scales(self, weights: Array) -> Iterator[tuple[int, NDArray[Any]]]:
        """The runs that go on, and their weights."""
        scales = np.asarray(weights, self.discounts.dtype)
        return ((run, scales[run]) for run in np.flatnonzero(scales.any(1)).tolist())

    def _played(
        self, root: Array, points: Array, tickets: Array, weights: NDArray[Any]
    ) -> Iterator[tuple[int, list[Episode]]]:
        """The rows of the tickets with a weight, and their episodes, in order.

        ``points`` is one for all (d,), or each ticket's own (B, d).
        """
        used, at = np.flatnonzero(weights), np.asarray(points)
        known = {0: at} if at.ndim == 1 else dict(enumerate(at[used]))
        each, own = self.estimator.episodes, len(known) > 1
        bits = np.asarray(self._of_tickets(root, tickets)).reshape(-1, each, WORDS)[used]
        workers = np.asarray(tickets)[used, 0].tolist()
        requests = [
            self._request(number, workers[number // each], words, number // each if own else 0)
            for number, words in enumerate(bits.reshape(-1, WORDS))
        ]
        with blaming(tickets, used, each):
            groups = [self._play(known, requests)] * each  # the same iterator: K episodes in turn
            for row, *episodes in zip(used.tolist(), *groups, strict=True):
                yield row, episodes

    def _play(self, points: Points, requests: Sequence[Request]) -> Iterator[Episode]:
        """Play on the cores of this task: they become more when other tasks end."""
        if self._cores != cores():
            self._players.close()
            self._cores, self._players = cores(), _players(self.game)
        return self._players.play(points, requests)

    def _request(
        self, number: int, worker: int, bits: NDArray[np.uint32], point: int = 0
    ) -> Request:
        seed, *key = bits.tolist()
        variation = self.variation_of(worker)
        return Request(number=number, variation=variation, point=point, seed=seed, key=key_of(key))


def _players(game: Game) -> Players | Here:
    return Here(game) if cores() == 1 else Players(game)


@contextmanager
def blaming(tickets: Array, used: NDArray[Any], episodes: int) -> Iterator[None]:
    """Add the ticket to the error of an episode; each used ticket has so many, in order."""
    try:
        yield
    except Broken as broken:
        if broken.request is not None:
            broken.ticket = Ticket(*np.asarray(tickets)[used[broken.request // episodes]].tolist())
        raise


def key_of(words: Sequence[int]) -> int:
    """Words of 32 bits as one number."""
    return sum(word << (32 * at) for at, word in enumerate(words))


def _bits(keys: Array) -> Array:
    """The words of each key: the seed of a first state, and the key of the policy's noise."""
    return jax.vmap(lambda key: jax.random.bits(key, (WORDS,), jnp.uint32))(keys)
