"""Which linear systems are there, what does a gain cost, and which gain is the best?

In numpy only, so that the constants of a scenario need no JAX.  A gain K acts as ``u = -K x`` plus
the noise of exploration, whose cost is the same for all gains.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


class Systems(NamedTuple):
    """``x' = A x + B u + noise N(0, I)``, one for each worker or one for all.

    It starts at N(0, I), and a step costs ``|x|^2 / states + |u|^2 / actions``.
    """

    own: Floats
    """A, (workers, states, states)"""
    driven: Floats
    """B, (workers, states, actions)"""
    discount: float
    noise: float
    exploration: float

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of a gain: actions, states."""
        _, states, actions = self.driven.shape
        return actions, states

    @property
    def drift(self) -> Floats:
        """The covariance of a step's noise."""
        unit = np.eye(self.own.shape[1])
        explored = self.driven @ np.swapaxes(self.driven, 1, 2)
        drift: Floats = self.exploration**2 * explored + self.noise**2 * unit
        return drift


def draw_systems(
    workers: int, *, shape: tuple[int, int], radius: float, strength: float, seed: int
) -> tuple[Floats, Floats]:
    """A and B: ``1 - strength`` of the common ones and ``strength`` of each worker's own.

    Each A is ``radius`` times a random rotation, so no mixture lengthens a state: all systems are
    stable without control.  A worker's own A and B depend on the seed and the worker alone.  With
    strength 0 there is one system for all.
    """
    common = _draw(seed, 0, shape)
    owns = [_draw(seed, 1 + worker, shape) for worker in range(workers)] if strength else [common]
    own = np.stack([(1 - strength) * common[0] + strength * a for a, _ in owns])
    driven = np.stack([(1 - strength) * common[1] + strength * b for _, b in owns])
    return radius * own, driven


def _draw(seed: int, part: int, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """A uniform rotation (or reflection), and a normal matrix with columns of length about 1."""
    actions, states = shape
    random = np.random.default_rng((seed, part))
    rotation, signs = np.linalg.qr(random.normal(size=(states, states)))
    # A QR decomposition without the signs is not uniform.
    return rotation * np.sign(np.diag(signs)), random.normal(size=(states, actions)) / states**0.5


def values(systems: Systems, gains: Floats) -> Floats:
    """J_i of gains (..., actions, states), each under every worker: (..., workers).

    Minus infinity where the discounted cost has no limit.
    """
    cost, _, stable = _solved(systems, gains)
    return np.where(stable, _value(systems, cost), -np.inf)


def gradients(systems: Systems, gains: Floats) -> Floats:
    """The gradients of J_i, (..., workers, actions, states); NaN where there is none.

    ``-2 ((R + g B'PB) K - g B'PA) S``, with P and S the solutions of two Lyapunov equations.
    """
    cost, visits, stable = _solved(systems, gains)
    actions = systems.shape[0]
    forward = systems.discount * np.swapaxes(systems.driven, 1, 2) @ cost
    gains = gains[..., None, :, :]
    error = gains / actions + forward @ (systems.driven @ gains - systems.own)
    gradient: Floats = -2 * error @ visits
    return np.where(stable[..., None, None], gradient, np.nan)


def _solved(systems: Systems, gains: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """P, S and whether they exist.

    ``P = Q + K'RK + g F'PF`` is the cost to go, and ``S = I + g/(1-g) W + g FSF'`` the discounted
    sum of the states' covariances, where F = A - BK, and W is the drift.
    """
    actions, states = systems.shape
    gains = gains[..., None, :, :]
    closed = np.sqrt(systems.discount) * (systems.own - systems.driven @ gains)
    stable = np.abs(np.linalg.eigvals(closed)).max(-1) < 1
    closed = np.where(stable[..., None, None], closed, 0)
    step = np.eye(states) / states + np.swapaxes(gains, -1, -2) @ gains / actions
    weight = systems.discount / (1 - systems.discount)
    begun = np.eye(states) + weight * systems.drift
    return lyapunov(np.swapaxes(closed, -1, -2), step), lyapunov(closed, begun), stable


def lyapunov(closed: Floats, step: Floats) -> Floats:
    """The X = step + F X F' of stable F, by doubling: 2^k terms of the sum after k rounds."""
    step = np.broadcast_to(step, closed.shape)
    for _ in range(64):
        more = closed @ step @ np.swapaxes(closed, -1, -2)
        step, closed = step + more, closed @ closed
        if np.abs(more).max() <= 1e-16 * np.abs(step).max():
            break
    return step


def _value(systems: Systems, cost: Floats) -> Floats:
    weight = systems.discount / (1 - systems.discount)
    begun = np.eye(systems.shape[1]) + weight * systems.drift
    explored = systems.exploration**2 / (1 - systems.discount)
    value: Floats = -np.einsum("...ij,...ij->...", cost, begun) - explored
    return value


def best_gains(systems: Systems) -> Floats:
    """The best gain of each worker, by iterating the Riccati equation: (workers, ...).

    ``K = (R + g B'PB)^-1 g B'PA`` and ``P = Q + g A'P(A - BK)``, from P = 0.
    """
    actions, states = systems.shape
    own, driven, discount = systems.own, systems.driven, systems.discount
    cost: Floats = np.zeros_like(own)
    for _ in range(100_000):
        forward = discount * np.swapaxes(driven, 1, 2) @ cost
        gains = np.linalg.solve(np.eye(actions) / actions + forward @ driven, forward @ own)
        back = discount * np.swapaxes(own, 1, 2) @ cost
        change = np.eye(states) / states + back @ (own - driven @ gains) - cost
        cost += change
        if np.abs(change).max() <= 1e-15 * np.abs(cost).max():
            break
    return np.asarray(gains, np.float64)
