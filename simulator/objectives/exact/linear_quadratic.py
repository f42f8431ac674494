"""What does a linear controller of a linear system cost, exactly?

A point is a gain K, (actions, states), flattened; worker i's system is
``x' = A_i x + B_i u + noise`` and its policy ``u ~ N(-K x, exploration^2 I)``.  J_i is minus the
expected discounted cost without an end: one Lyapunov equation, solved as a linear system.
"""

import jax
import jax.numpy as jnp
from jax import Array

from simulator.objectives.exact.linear_systems import Systems
from simulator.objectives.exact.model import Controlled, Trajectory


class LinearQuadratic(Controlled):
    """One system per worker, or one for all, in float64."""

    def __init__(self, systems: Systems, *, horizon: int) -> None:
        self.shape = systems.shape
        self.dimension = self.shape[0] * self.shape[1]
        self.horizon = horizon
        self._systems = systems
        self._own, self._driven = jnp.asarray(systems.own), jnp.asarray(systems.driven)
        self._drift = jnp.asarray(systems.drift)

    # One sample

    def act(self, key: Array, worker: Array, points: Array, turns: Array) -> Trajectory:
        (actions, states), gains = self.shape, jax.vmap(self._gain)(points)
        place = worker if len(self._own) > 1 else 0
        own, driven = self._own[place], self._driven[place]
        chance = jax.random.normal(key, (1 + self.horizon, states + actions), jnp.float64)

        def step(state: Array, now: tuple[Array, Array]) -> tuple[Array, tuple[Array, Array]]:
            turn, row = now
            gain = gains[0] if len(gains) == 1 else gains[turn]
            action = self._systems.exploration * row[states:] - gain @ state
            moved = own @ state + driven @ action + self._systems.noise * row[:states]
            return moved, (state, action)

        _, (visited, chosen) = jax.lax.scan(step, chance[0, :states], (turns, chance[1:]))
        costs = (visited**2).mean(1) + (chosen**2).mean(1)
        rewards = -(self._systems.discount ** jnp.arange(self.horizon)) * costs
        return Trajectory(visited, chosen, jnp.cumsum(rewards[::-1])[::-1])

    def estimate(self, key: Array, worker: Array, point: Array) -> tuple[Array, Array]:
        """``by_surrogate`` by hand: grad log density is ``-(u + K x) x' / exploration^2``."""
        sample = self.draw(key, worker, point)
        surprises = self._surprises(sample, point) * sample.returns[:, None]
        gradient = -surprises.T @ sample.states / self._systems.exploration**2
        return gradient.ravel(), self.length(sample)

    # The whole function

    def measure(self, point: Array) -> dict[str, Array]:
        """Minus infinity and NaN where the discounted cost of a worker has no limit."""
        value, gradient = self._value_and_gradient(point)
        return {"value": value, "gradient_norm": jnp.linalg.norm(gradient)}

    def ascent(self, point: Array) -> Array:
        return self._value_and_gradient(point)[1]

    def values(self, point: Array) -> tuple[Array, Array]:
        """J_i of every worker, or of the one for all, and whether it has a limit.

        P = Q + K'RK + g F'PF almost always has a solution.  It is positive definite if and only if
        sqrt(g) F is stable (Lyapunov), and only then it is the cost.
        """
        return jax.vmap(self._one, (None, 0, 0, 0))(
            self._gain(point), self._own, self._driven, self._drift
        )

    def _one(self, gain: Array, own: Array, driven: Array, drift: Array) -> tuple[Array, Array]:
        (actions, states), discount = self.shape, self._systems.discount
        unit = jnp.eye(states)
        closed = own - driven @ gain
        step = unit / states + gain.T @ gain / actions
        system = jnp.eye(states**2) - discount * jnp.kron(closed.T, closed.T)
        cost = jnp.linalg.solve(system, step.ravel()).reshape(states, states)
        weight = discount / (1 - discount)
        explored = self._systems.exploration**2 / (1 - discount)
        value = -jnp.sum(cost * (unit + weight * drift)) - explored
        return value, jnp.all(jnp.isfinite(jnp.linalg.cholesky((cost + cost.T) / 2)))

    def _value_and_gradient(self, point: Array) -> tuple[Array, Array]:
        def mean(point: Array) -> tuple[Array, Array]:
            values, limited = self.values(point)
            return values.mean(), limited.all()

        (value, limited), gradient = jax.value_and_grad(mean, has_aux=True)(point)
        return jnp.where(limited, value, -jnp.inf), jnp.where(limited, gradient, jnp.nan)

    def _gain(self, point: Array) -> Array:
        return point.reshape(self.shape)

    def _surprises(self, sample: Trajectory, point: Array) -> Array:
        """Each action minus its mean at this point."""
        return sample.actions + sample.states @ self._gain(point).T

    def log_policy(self, sample: Trajectory, point: Array) -> Array:
        """Up to a constant."""
        squares: Array = (self._surprises(sample, point) ** 2).sum(1)
        return -squares / (2 * self._systems.exploration**2)
