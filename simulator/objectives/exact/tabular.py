"""What is the return of a softmax policy in a finite Markov decision process, exactly?

A point is a table of logits, (S, A), flattened.  Worker i's function is the expected discounted
return without an end, ``J_i = start' (I - discount P_i)^-1 r_i``, with P_i and r_i of the policy:
one linear solve.  ``tables/tabular.py`` bounds the part beyond the samples' horizon.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from simulator.objectives.exact.mdps import Floats, Mdp
from simulator.objectives.exact.model import Controlled, Trajectory


class Tabular(Controlled):
    """One process per worker, or one for all, in float64."""

    def __init__(self, mdp: Mdp, *, discount: float, horizon: int) -> None:
        self.states, self.actions = mdp.rewards.shape[1:]
        self.dimension = self.states * self.actions
        self.discount, self.horizon = discount, horizon
        self._transitions, self._rewards, self._first = map(jnp.asarray, mdp)
        self._moves = jnp.asarray(_cumulative(mdp.transitions))
        self._starts = jnp.asarray(_cumulative(mdp.start))

    # One sample

    def act(self, key: Array, worker: Array, points: Array, turns: Array) -> Trajectory:
        own, each = self._own(worker), jax.vmap(self._choices)(points)
        chance = jax.random.uniform(key, (1 + 2 * self.horizon,), jnp.float64)

        def step(state: Array, now: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
            turn, row = now
            action = _pick(each[turn, state], row[0])
            return _pick(self._moves[own, state, action], row[1]), (state, action)

        first = _pick(self._starts, chance[0])
        rows = turns, chance[1:].reshape(-1, 2)
        _, (states, actions) = jax.lax.scan(step, first, rows)
        discounts = self.discount ** jnp.arange(self.horizon)
        rewards = discounts * self._rewards[own, states, actions]
        return Trajectory(states, actions, jnp.cumsum(rewards[::-1])[::-1])

    def estimate(self, key: Array, worker: Array, point: Array) -> tuple[Array, Array]:
        """``by_surrogate`` by hand: grad log pi(a | s) is, in row s, e_a - pi(s)."""
        sample = self.draw(key, worker, point)
        table = jnp.zeros((self.states, self.actions), jnp.float64)
        table = table.at[sample.states, sample.actions].add(sample.returns)
        gradient = table - self._policy(point) * table.sum(1, keepdims=True)
        return gradient.ravel(), self.length(sample)

    # The whole function

    def values(self, point: Array) -> Array:
        """J_i of every worker, or of the one for all."""
        policy = self._policy(point)
        chained = jnp.einsum("sa,wsat->wst", policy, self._transitions)
        rewards = jnp.einsum("sa,wsa->ws", policy, self._rewards)
        system = jnp.eye(self.states) - self.discount * chained
        solved: Array = jnp.linalg.solve(system, rewards[..., None])[..., 0]
        return solved @ self._first

    def value(self, point: Array) -> Array:
        """J, their mean."""
        return self.values(point).mean()

    def measure(self, point: Array) -> dict[str, Array]:
        value, gradient = jax.value_and_grad(self.value)(point)
        return {"value": value, "gradient_norm": jnp.linalg.norm(gradient)}

    def ascent(self, point: Array) -> Array:
        gradient: Array = jax.grad(self.value)(point)
        return gradient

    def _own(self, worker: Array) -> Array | int:
        """The number of the worker's process."""
        return worker if len(self._rewards) > 1 else 0

    def _choices(self, point: Array) -> Array:
        """The sums of the policy's probabilities, in each state."""
        sums = jnp.cumsum(self._policy(point), 1)
        return sums / sums[:, -1:]

    def _policy(self, point: Array) -> Array:
        return jax.nn.softmax(point.reshape(self.states, self.actions))

    def log_policy(self, sample: Trajectory, point: Array) -> Array:
        table = jax.nn.log_softmax(point.reshape(self.states, self.actions))
        return table[sample.states, sample.actions]


def _cumulative(probabilities: Floats) -> Floats:
    """Sums up to each place; the last is exactly 1, so that no impossible place is picked."""
    sums: Floats = np.cumsum(probabilities, -1)
    return sums / sums[..., -1:]


def _pick(sums: Array, chance: Array) -> Array:
    """The place whose part of [0, 1) holds ``chance``."""
    place = jnp.sum(sums <= chance, dtype=jnp.int32)
    return jnp.minimum(place, len(sums) - 1)
