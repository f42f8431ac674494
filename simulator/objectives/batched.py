"""How are the gradients of many episodes computed at once, where the environment is in JAX?

One loop plays all rows; then the recorded steps are differentiated in blocks of time, up to the
longest episode.  The whole call is one compiled function and never waits for Python.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.objectives import backward
from simulator.objectives.drawn import Drawn
from simulator.objectives.environments.rollout import Paths, rollout
from simulator.objectives.environments.worlds import Worlds
from simulator.objectives.estimator import (
    RETURN,
    episode_keys,
    evaluation_keys,
    in_turn,
    initial_key,
    keys_of_episodes,
    plain_episode,
    plain_gradient,
    played,
    scales,
    start_and_noise,
)
from simulator.objectives.exact.model import local_values
from simulator.objectives.objective import Direction, Episodes, Exact, Played, Show, Values
from simulator.objectives.policies import Policy, PolicyMaker
from simulator.objectives.reinforce import Reinforce
from simulator.objectives.spaces import Environment
from simulator.objectives.standard import Standard

CHUNK = 64
"""Episodes of a call with a point each: more are no faster, and would compile more sizes."""


class Batched:
    """The return of a policy in one environment, or in one for each worker.

    ``name`` is the id of the same environment in gymnasium, if there is one.
    """

    metrics: Mapping[str, Direction] = RETURN
    on_host = False
    exact: Exact | None = None

    def __init__(
        self,
        environments: Sequence[Environment],
        policy: PolicyMaker,
        horizon: int,
        estimator: Reinforce,
        dtype: str,
        standard: Standard | None = None,
        name: str | None = None,
    ) -> None:
        self.worlds, self.horizon, self.estimator = Worlds(environments, dtype), horizon, estimator
        # The paths have room for whole blocks; the steps after the horizon stay empty.
        self.room = -(-horizon // backward.BLOCK) * backward.BLOCK
        self.discounts = estimator.discounts(self.room, dtype)
        size, actions = self.worlds.first.observation_size, self.worlds.first.actions
        self.policy: Policy = policy(size, actions, standard)
        self.dimension: int = self.policy.dimension
        self._name = name
        self.gradient = jax.jit(self._gradient)
        self._rows = jax.jit(self._of_rows)
        self._evaluation = jax.jit(self._evaluated, static_argnames="episodes")
        self.local: Callable[[Work], Values] | None = self._local
        lengths = jax.jit(self._lengths)
        self.episodes: Episodes | None = Episodes(len(environments), lengths, self.play, self.show)

    def initial_point(self, root: Array) -> Array:
        return self.policy.initial_point(initial_key(root), self.discounts.dtype)

    def evaluate(
        self, roots: Array, points: Array, step: int, episodes: int, going: NDArray[np.bool_]
    ) -> Mapping[str, Array]:
        """The mean undiscounted return of the stochastic policy, truncated at the horizon."""
        episodes = in_turn(episodes, len(self.worlds))
        totals, _ = self._evaluation(roots, jnp.int32(step), points, episodes=episodes)
        return {"return": totals.mean(axis=1)}

    def play(self, point: Array, seed: int, episodes: int) -> list[Played]:
        """The episodes that ``evaluate`` plays at step 0 of a run with this seed."""
        episodes, root = in_turn(episodes, len(self.worlds)), jax.random.key(seed)
        results = self._evaluation(root[None], jnp.int32(0), point[None], episodes=episodes)
        return played(*(of_runs[0] for of_runs in results))

    def show(self, worker: int) -> Show:
        from simulator.objectives.show import InJax

        if self._name is None:
            raise ValueError("an environment of one's own has no picture; name one of gymnasium's")
        own, dtype = self.worlds.of(worker), self.discounts.dtype
        return InJax(self._name, own, self.policy, self.horizon, dtype)

    def sample(self, root: Array, point: Array, ticket: Ticket) -> tuple[Array, int]:
        key = episode_keys(root, jnp.array([ticket], jnp.int32))
        environment = self.worlds.of(ticket.worker)
        episodes = [
            plain_episode(environment, self.policy, point, each, self.horizon)
            for each in keys_of_episodes(key, self.estimator.episodes)
        ]
        gradient = plain_gradient(self.policy, point, episodes, self.estimator)
        return gradient, sum(len(rewards) for *_, rewards in episodes)

    def _gradient(
        self, roots: Array, points: Array, tickets: Array, weights: Array
    ) -> tuple[Array, Array]:
        """One loop plays all runs; then each has a backward pass of its own."""
        keys = jax.vmap(self._keys, (0, None))(roots, tickets)
        workers, alive = self._repeated(tickets[:, 0]), self._repeated(weights != 0, axis=1)
        paths = self._paths_of_runs(points, keys, workers, alive)

        def of_one(run: tuple[Array, Paths, Array]) -> Array:
            point, paths, weights = run
            return backward.at_one_point(self.policy, point, paths, self._weighted(paths, weights))

        totals = jax.lax.map(of_one, (points, paths, weights))
        return totals, jnp.sum(paths.lengths, axis=1, dtype=jnp.int32)

    def gradients(
        self, roots: Array, points: Array, tickets: Array, weights: Array
    ) -> tuple[Array, Array]:
        """The rows of all runs are one batch, in which every row has a point of its own.

        NumPy drops the rows without weight: so the compiled size is one number, that of the rows
        left in all runs, and few sizes are compiled.
        """
        points, weights, tickets = map(np.asarray, (points, weights, tickets))  # type: ignore[assignment]
        words = np.asarray(jax.random.key_data(roots))
        results = np.zeros_like(points), np.zeros(weights.shape, np.int32)
        rows, most = np.argwhere(weights), max(1, CHUNK // self.estimator.episodes)
        for start in range(0, len(rows), most):
            real = rows[start : start + most]
            spare = np.repeat(real[:1], _rows_for(len(real)) - len(real), axis=0)
            run, row = np.concatenate([real, spare]).T
            weight = np.where(np.arange(len(run)) < len(real), weights[run, row], 0)
            values = self._rows(words[run], points[run, row], tickets[row], weight)
            for result, part in zip(results, values, strict=True):
                result[tuple(real.T)] = np.asarray(part)[: len(real)]
        return cast("tuple[Array, Array]", results)

    def _of_rows(
        self, words: Array, points: Array, tickets: Array, weights: Array
    ) -> tuple[Array, Array]:
        def key(words: Array, ticket: Array) -> Array:
            return self._keys(jax.random.wrap_key_data(words), ticket[None])

        keys = jax.vmap(key)(words, tickets).reshape(-1)
        paths = self._each_at_its_own(points, keys, tickets, weights)
        weighted = self._weighted(paths, weights)
        totals = backward.each_at_its_own(self.policy, points, paths, weighted)
        # The point of a padding row may be anything, and 0 * NaN is NaN.
        return jnp.where((weights != 0)[:, None], totals, 0), self._steps(paths)

    def _lengths(self, root: Array, points: Array, tickets: Array, weights: Array) -> Array:
        # The loop records its steps here too; XLA drops the records.
        keys = self._keys(root, tickets)
        return self._steps(self._each_at_its_own(points, keys, tickets, weights))

    def _each_at_its_own(self, points: Array, keys: Array, tickets: Array, weights: Array) -> Paths:
        """The episodes of each ticket at its own point."""
        choose = partial(jax.vmap(self._choose, (0, 0, 0, None)), self._repeated(points))
        workers, alive = self._repeated(tickets[:, 0]), self._repeated(weights != 0)
        return self._paths(choose, keys, workers, alive)

    def _steps(self, paths: Paths) -> Array:
        """The environment steps of each ticket."""
        return paths.lengths.reshape(-1, self.estimator.episodes).sum(1, dtype=jnp.int32)

    def _keys(self, root: Array, tickets: Array) -> Array:
        """A key for each episode of the tickets."""
        return keys_of_episodes(episode_keys(root, tickets), self.estimator.episodes)

    def _evaluated(
        self, roots: Array, step: Array, points: Array, *, episodes: int
    ) -> tuple[Array, Array]:
        """The return and the length of each run's episodes; the workers take turns."""
        keys = jax.vmap(partial(evaluation_keys, step=step, episodes=episodes))(roots)
        turns = jnp.arange(episodes, dtype=jnp.int32)
        paths = self._paths_of_runs(points, keys, turns, jnp.ones(keys.shape, bool))
        return jnp.sum(paths.rewards, axis=1), paths.lengths

    def observations(self, root: Array, episodes: int) -> NDArray[Any]:
        """All observations of the neutral policy: the outputs of a zero vector are all 0."""
        neutral = jnp.zeros(self.policy.dimension, self.discounts.dtype)
        keys = evaluation_keys(root, jnp.int32(0), episodes)
        turns = jnp.arange(episodes, dtype=jnp.int32)
        paths = jax.jit(self.paths)(neutral, keys, turns)
        played = np.arange(self.room)[:, None] < np.asarray(paths.lengths)
        return np.asarray(paths.observations)[played]

    def paths(self, point: Array, keys: Array, workers: Array) -> Paths:
        """An episode for each key, at one point, in its worker's environment."""
        choose = partial(self._choose, point)
        return self._paths(choose, keys, workers, jnp.ones(len(keys), bool))

    def _acted(self, points: Array, turns: Array, keys: Array, workers: Array) -> Paths:
        """The same, with the t-th decision of all episodes taken at ``points[turns[t]]``."""
        if len(points) == 1:
            return self.paths(points[0], keys, workers)
        layers = jax.vmap(self.policy.layers)(points)

        def choose(observations: Array, noise: Array, time: Array) -> Any:
            own = jax.tree.map(lambda each: each[turns[time]], layers)
            return self.policy.choose(own, observations, noise, jnp)

        return self._paths(choose, keys, workers, jnp.ones(len(keys), bool))

    def _local(self, work: Work) -> Values:
        episodes, rows = self.estimator.episodes, self.room
        drawn = Drawn(self.policy, self._acted, episodes, self._scales, self.horizon, rows)
        return local_values(drawn, self.dimension, work, episode_keys)

    def _weighted(self, paths: Paths, weights: Array) -> Array:
        """The scales of the steps of all tickets, times each ticket's weight."""
        episodes = self.estimator.episodes
        shares = weights.astype(self.discounts.dtype) / episodes
        return self._scales(paths) * jnp.repeat(shares, episodes)

    def _scales(self, paths: Paths) -> Array:
        return scales(self.estimator, paths.rewards, paths.lengths, self.discounts)

    def _repeated(self, rows: Array, axis: int = 0) -> Array:
        """The rows of tickets as rows of their episodes."""
        return jnp.repeat(rows, self.estimator.episodes, axis=axis)

    def _choose(self, point: Array, observations: Array, noise: Array, time: Array) -> Any:
        return self.policy.choose(self.policy.layers(point), observations, noise, jnp)

    def _paths_of_runs(self, points: Array, keys: Array, workers: Array, alive: Array) -> Paths:
        """An episode for each key (R, B), each run at its own point; arrays (run, time, row, …)."""
        runs, count = keys.shape
        layers = jax.vmap(self.policy.layers)(points)

        def choose(observations: Array, noise: Array, time: Array) -> Any:
            rows = [array.reshape(runs, count, -1) for array in (observations, noise)]
            choices = jax.vmap(partial(self.policy.choose, xp=jnp))(layers, *rows)
            return choices.reshape(runs * count, *choices.shape[2:])

        tiled = jnp.tile(workers, runs)
        paths = self._paths(choose, keys.reshape(-1), tiled, alive.reshape(-1))
        observations, choices, rewards = (
            jnp.moveaxis(record.reshape(len(record), runs, count, *record.shape[2:]), 1, 0)
            for record in paths[:3]
        )
        return Paths(observations, choices, rewards, paths.lengths.reshape(runs, count))

    def _paths(self, choose: Any, keys: Array, workers: Array, alive: Array) -> Paths:
        environment, axis = self.worlds.rows(workers)
        dtype = self.discounts.dtype
        draw = partial(start_and_noise, self.policy, steps=self.horizon, dtype=dtype)
        starts, noise = jax.vmap(draw, out_axes=(0, 1))(keys)
        reset = jax.vmap(partial(environment.reset, dtype=dtype), (axis, 0))
        return rollout(
            environment,
            choose,
            lambda choices: self.policy.act(choices, jnp),
            reset(environment.parameters, starts),
            noise,
            alive,
            self.room,
            axis,
        )


def _rows_for(count: int) -> int:
    """The smallest compiled size with ``count`` rows: 1, 2, 3, 4, 6, 8, 12, 16, …"""
    power = 1 << (count - 1).bit_length()
    return power * 3 // 4 if power >= 4 and count <= power * 3 // 4 else power
