"""How does a cart that balances a pole move?  CartPole-v1, as gymnasium defines it.

JAX is imported where it is used: checking a scenario's options must not load it.
"""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator.objectives.spaces import Discrete, Environment

if TYPE_CHECKING:
    from jax import Array


class Parameters(NamedTuple):
    """Gymnasium's constants under gymnasium's names, SI units; ``length`` is half the pole's."""

    sutton_barto_reward: Any = False
    gravity: Any = 9.8
    masscart: Any = 1.0
    masspole: Any = 0.1
    length: Any = 0.5
    force_mag: Any = 10.0
    tau: Any = 0.02
    theta_threshold_radians: Any = 12 * 2 * math.pi / 360
    x_threshold: Any = 2.4


class State(NamedTuple):
    """The place of the cart and the angle of the pole, with their velocities."""

    x: "Array"
    x_dot: "Array"
    theta: "Array"
    theta_dot: "Array"


def cartpole(parameters: Parameters = Parameters()) -> Environment:  # noqa: B008 (immutable)
    return Environment(4, Discrete(2), parameters, reset, observe, step)


def reset(parameters: Parameters, key: "Array", dtype: Any) -> State:
    import jax

    return State(*jax.random.uniform(key, (4,), dtype, -0.05, 0.05))


def observe(parameters: Parameters, state: State) -> "Array":
    import jax.numpy as jnp

    return jnp.stack(state)


def step(parameters: Parameters, state: State, action: "Array") -> "tuple[State, Array, Array]":
    """One explicit Euler step; the reward is 1, also where the pole falls."""
    import jax.numpy as jnp

    x, x_dot, theta, theta_dot = state
    x_acceleration, theta_acceleration = accelerations(parameters, state, action)
    x = x + parameters.tau * x_dot
    theta = theta + parameters.tau * theta_dot
    fallen = (jnp.abs(x) > parameters.x_threshold) | (
        jnp.abs(theta) > parameters.theta_threshold_radians
    )
    reward = jnp.where(parameters.sutton_barto_reward, jnp.where(fallen, -1, 0), 1)
    moved = State(
        x,
        x_dot + parameters.tau * x_acceleration,
        theta,
        theta_dot + parameters.tau * theta_acceleration,
    )
    return moved, reward.astype(x.dtype), fallen


def accelerations(parameters: Parameters, state: State, action: "Array") -> "tuple[Array, Array]":
    """Those of cart and angle (https://coneural.org/florian/papers/05_cart_pole.pdf)."""
    import jax.numpy as jnp

    sine, cosine = jnp.sin(state.theta), jnp.cos(state.theta)
    force = (2 * action - 1).astype(sine.dtype) * parameters.force_mag
    total_mass = parameters.masspole + parameters.masscart
    pole = parameters.masspole * parameters.length
    pushed = (force + pole * state.theta_dot**2 * sine) / total_mass
    theta_acceleration = (parameters.gravity * sine - cosine * pushed) / (
        parameters.length * (4 / 3 - parameters.masspole * cosine**2 / total_mass)
    )
    return pushed - pole * theta_acceleration * cosine / total_mass, theta_acceleration
