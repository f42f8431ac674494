"""What is the return of a softmax policy in a finite Markov decision process, exactly?

A point is a table of logits, (S, A), flattened.  Worker i's function is the expected discounted
return without an end, ``J_i = start' (I - discount P_i)^-1 r_i``, P_i and r_i those of the policy:
one linear solve.  Samples are trajectories of ``horizon`` steps, and the gradient is REINFORCE as
in the paper: the discount counts from time 0 and there is no baseline (how much the cut takes away
is bounded in ``tabular_constants.py``).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simulator.objectives.exact.mdps import Floats, Mdp
from simulator.objectives.objective import Direction

if TYPE_CHECKING:
    from jax import Array


class Trajectory(NamedTuple):
    """What happened at each of ``horizon`` steps."""

    states: "Array"
    actions: "Array"
    returns: "Array"
    """The discounted rewards from this step on, the discount counted from time 0."""


class Tabular:
    """The model of one process per worker, or of one for all, in float64."""

    metrics: Mapping[str, Direction] = MappingProxyType(
        {"value": "higher", "gradient_norm": "lower"}
    )

    def __init__(self, mdp: Mdp, *, discount: float, horizon: int) -> None:
        import jax.numpy as jnp

        self.states, self.actions = mdp.rewards.shape[1:]
        self.dimension = self.states * self.actions
        self.discount, self.horizon = discount, horizon
        self._transitions, self._rewards, self._first = map(jnp.asarray, mdp)
        self._moves = jnp.asarray(_cumulative(mdp.transitions))
        self._starts = jnp.asarray(_cumulative(mdp.start))

    def start(self) -> "Array":
        """The uniform policy."""
        import jax.numpy as jnp

        return jnp.zeros(self.dimension, jnp.float64)

    # One sample

    def draw(self, key: "Array", worker: "Array", point: "Array") -> Trajectory:
        import jax
        import jax.numpy as jnp

        own = self._own(worker)
        choices = jnp.cumsum(self._policy(point), 1)
        choices = choices / choices[:, -1:]
        chance = jax.random.uniform(key, (1 + 2 * self.horizon,), jnp.float64)

        def step(state: "Array", row: "Array") -> "tuple[Array, tuple[Array, Array]]":
            action = _pick(choices[state], row[0])
            return _pick(self._moves[own, state, action], row[1]), (state, action)

        first = _pick(self._starts, chance[0])
        _, (states, actions) = jax.lax.scan(step, first, chance[1:].reshape(-1, 2))
        discounts = self.discount ** jnp.arange(self.horizon)
        rewards = discounts * self._rewards[own, states, actions]
        return Trajectory(states, actions, jnp.cumsum(rewards[::-1])[::-1])

    def surrogate(self, sample: Trajectory, worker: "Array", point: "Array") -> "Array":
        return sample.returns @ self._log_policy(sample, point)

    def log_likelihood(self, sample: Trajectory, worker: "Array", point: "Array") -> "Array":
        """Of the actions: where they lead depends on no point."""
        return self._log_policy(sample, point).sum()

    def length(self, sample: Trajectory) -> "Array":
        import jax.numpy as jnp

        return jnp.array(self.horizon, jnp.int32)

    def estimate(self, key: "Array", worker: "Array", point: "Array") -> "tuple[Array, Array]":
        """``by_surrogate`` by hand: grad log pi(a | s) is, in row s, e_a - pi(s)."""
        import jax.numpy as jnp

        sample = self.draw(key, worker, point)
        table = jnp.zeros((self.states, self.actions), jnp.float64)
        table = table.at[sample.states, sample.actions].add(sample.returns)
        gradient = table - self._policy(point) * table.sum(1, keepdims=True)
        return gradient.ravel(), self.length(sample)

    # The whole function

    def values(self, point: "Array") -> "Array":
        """J_i of every worker, or of the one that stands for all."""
        import jax.numpy as jnp

        policy = self._policy(point)
        chained = jnp.einsum("sa,wsat->wst", policy, self._transitions)
        rewards = jnp.einsum("sa,wsa->ws", policy, self._rewards)
        system = jnp.eye(self.states) - self.discount * chained
        solved: Array = jnp.linalg.solve(system, rewards[..., None])[..., 0]
        return solved @ self._first

    def value(self, point: "Array") -> "Array":
        """J, their mean."""
        return self.values(point).mean()

    def measure(self, point: "Array") -> "dict[str, Array]":
        import jax
        import jax.numpy as jnp

        value, gradient = jax.value_and_grad(self.value)(point)
        return {"value": value, "gradient_norm": jnp.linalg.norm(gradient)}

    def ascent(self, point: "Array") -> "Array":
        import jax

        gradient: Array = jax.grad(self.value)(point)
        return gradient

    def _own(self, worker: "Array") -> "Array | int":
        """The place of the worker's process; where one stands for all it is the first."""
        return worker if len(self._rewards) > 1 else 0

    def _policy(self, point: "Array") -> "Array":
        import jax

        return jax.nn.softmax(point.reshape(self.states, self.actions))

    def _log_policy(self, sample: Trajectory, point: "Array") -> "Array":
        import jax

        table = jax.nn.log_softmax(point.reshape(self.states, self.actions))
        return table[sample.states, sample.actions]


def _cumulative(probabilities: Floats) -> Floats:
    """Sums up to each place, the last exactly 1, so that nothing impossible is picked."""
    sums: Floats = np.cumsum(probabilities, -1)
    return sums / sums[..., -1:]


def _pick(sums: "Array", chance: "Array") -> "Array":
    """The place whose share of [0, 1) holds ``chance``."""
    import jax.numpy as jnp

    place = jnp.sum(sums <= chance, dtype=jnp.int32)
    return jnp.minimum(place, len(sums) - 1)
