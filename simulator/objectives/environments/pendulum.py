"""How does a pendulum swing that a weak motor turns upright?  Pendulum-v1, as gymnasium's.

JAX is imported where it is used: checking a scenario's options must not load it.
"""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.objectives.spaces import Box, Environment

if TYPE_CHECKING:
    from jax import Array


class Parameters(NamedTuple):
    """Gymnasium's constants; ``g`` under its own name there, the others spelled out."""

    g: Any = 10.0
    mass: Any = 1.0
    length: Any = 1.0
    dt: Any = 0.05
    max_speed: Any = 8.0
    max_torque: Any = 2.0


class State(NamedTuple):
    """The angle from upright and its velocity."""

    theta: "Array"
    theta_dot: "Array"


def pendulum(parameters: Parameters = Parameters()) -> Environment:  # noqa: B008 (immutable)
    torque = float(parameters.max_torque)
    return Environment(3, Box((-torque,), (torque,)), parameters, reset, observe, step)


def reset(parameters: Parameters, key: "Array", dtype: Any) -> State:
    import jax

    theta, theta_dot = jax.random.uniform(key, (2,), dtype, -1, 1)
    return State(theta * math.pi, theta_dot)


def observe(parameters: Parameters, state: State) -> "Array":
    import jax.numpy as jnp

    return jnp.stack([jnp.cos(state.theta), jnp.sin(state.theta), state.theta_dot])


def step(parameters: Parameters, state: State, action: "Array") -> "tuple[State, Array, Array]":
    """A semi-implicit Euler step, with the cost of the state before it; no step ends an episode."""
    import jax.numpy as jnp

    g, mass, length, dt, max_speed, max_torque = parameters
    theta, theta_dot = state
    torque = jnp.clip(action[0], -max_torque, max_torque)
    cost = normalised(theta) ** 2 + 0.1 * theta_dot**2 + 0.001 * torque**2
    acceleration = 3 * g / (2 * length) * jnp.sin(theta) + 3 / (mass * length**2) * torque
    theta_dot = jnp.clip(theta_dot + acceleration * dt, -max_speed, max_speed)
    return State(theta + theta_dot * dt, theta_dot), -cost, jnp.zeros((), bool)


def normalised(angle: "Array") -> "Array":
    """The same angle between minus pi and pi."""
    return (angle + math.pi) % (2 * math.pi) - math.pi
