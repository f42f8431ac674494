"""Which settings does a linear controller have in a scenario, and what are its constants?

The cost grows without bound towards unstable gains, so there is no bound on the whole space.  The
constants are estimates: the largest values at ``PLACES`` gains around the way from no control to
the best gain (of the workers' mean, where they differ), with fixed random numbers and without gains
that are unstable for a worker.  The Hessian comes from differences of the exact gradient, its
Lipschitz constant from the Hessians of all pairs of places, and the deviation from simulated
trajectories.  Of many workers, only the first ``WORKERS`` count.
"""

from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field

from simulator.objectives.costs import MODEL_STEP, Cost, of_model
from simulator.objectives.exact.linear_systems import (
    Floats,
    Systems,
    best_gains,
    draw_systems,
    gradients,
    values,
)
from simulator.objectives.objective import Size
from simulator.objectives.tables.objective import Constant, Constants, DiscountedTable

if TYPE_CHECKING:
    from simulator.objectives.exact.model import Sampled
PLACES = 12
WORKERS = 16
TRAJECTORIES = 256


class LinearQuadraticTable(DiscountedTable):
    """The return of a linear controller of a linear system: value and gradient are exact."""

    kind: Literal["linear-quadratic"] = "linear-quadratic"
    states: Annotated[int, Ge(1), Le(16)] = 4
    actions: Annotated[int, Ge(1), Le(16)] = 2
    radius: Annotated[float, Gt(0), Lt(1)] = Field(
        default=0.9, description="the spectral radius of every system without control"
    )
    noise: Annotated[float, Ge(0)] = Field(
        default=0.1, description="its standard deviation, in the states"
    )
    exploration: Annotated[float, Gt(0)] = Field(
        default=0.5, description="the same, in the actions"
    )
    heterogeneity: Annotated[float, Ge(0), Le(1)] = Field(
        default=0.0, description="how much of each worker's system is its own"
    )

    @property
    def alike(self) -> bool:
        return not self.heterogeneity

    def size(self, workers: int) -> Size:
        return Size(self.states * self.actions, np.dtype(self.dtype).itemsize)

    def cost(self, size: Size, workers: int, episodes: int) -> Cost:
        return of_model(size, playing=self.steps() * MODEL_STEP)

    def constants(self, workers: int) -> Constants:
        return constants_of(self._systems(workers), horizon=self.steps())

    def build(self, workers: int) -> "Sampled":
        from simulator.objectives.exact.linear_quadratic import LinearQuadratic
        from simulator.objectives.exact.model import Sampled

        return Sampled(LinearQuadratic(self._systems(workers), horizon=self.steps()))

    def _systems(self, workers: int) -> Systems:
        own, driven = draw_systems(
            workers,
            shape=(self.actions, self.states),
            radius=self.radius,
            strength=self.heterogeneity,
            seed=self.problem_seed,
        )
        return Systems(own, driven, self.discount, self.noise, self.exploration)


def constants_of(systems: Systems, *, horizon: int) -> Constants:
    """The constants of linear controllers of these systems, from no control."""
    first = systems._replace(own=systems.own[:WORKERS], driven=systems.driven[:WORKERS])
    gains = _places(first)
    hessians = np.stack([_hessian(first, gain) for gain in gains])
    reason = f"largest of {len(gains)} places around the way to the best gain"
    return Constants(
        smoothness=Constant(_norms(hessians), "estimate", reason),
        hessian_smoothness=Constant(_steepest(gains, hessians), "estimate", reason),
        deviation=Constant(_deviation(first, gains, horizon), "estimate", f"{reason}, simulated"),
        gap=_gap(systems),
    )


def _places(systems: Systems) -> Floats:
    """The start, the best gain, and gains around the way between them."""
    best = best_gains(systems).mean(0)
    random = np.random.default_rng(0)
    way = np.linspace(0, 1, PLACES)[:, None, None] * best
    aside = random.normal(size=way.shape)
    aside *= 0.25 * np.linalg.norm(best) / np.linalg.norm(aside, axis=(1, 2), keepdims=True)
    aside[[0, -1]] = 0
    gains: Floats = way + aside
    return gains[np.isfinite(values(systems, gains)).all(-1)]


def _hessian(systems: Systems, gain: Floats) -> Floats:
    """By central differences in every coordinate."""
    size = 1e-5
    moves = size * np.eye(gain.size).reshape(-1, *gain.shape)
    ahead, behind = (gradients(systems, gain + way * moves).mean(1) for way in (1, -1))
    hessian: Floats = ((ahead - behind) / (2 * size)).reshape(gain.size, gain.size)
    return (hessian + hessian.T) / 2


def _norms(hessians: Floats) -> float:
    return float(np.abs(np.linalg.eigvalsh(hessians)).max())


def _steepest(gains: Floats, hessians: Floats) -> float:
    """The largest change of the Hessian between two gains, by their distance."""
    return max(
        _norms(hessians[i] - hessians[j]) / float(np.linalg.norm(gains[i] - gains[j]))
        for i, j in combinations(range(len(gains)), 2)
    )


def _deviation(systems: Systems, gains: Floats, horizon: int) -> float:
    """The root mean square of ``g - grad J_i``, of the worst worker at the worst gain."""
    random = np.random.default_rng(1)
    largest = 0.0
    for gain, gradient in zip(gains, gradients(systems, gains), strict=True):
        errors = _estimates(systems, gain, horizon, random) - gradient[:, None]
        largest = max(largest, float((errors**2).sum((-1, -2)).mean(-1).max()))
    return float(np.sqrt(largest))


def _estimates(systems: Systems, gain: Floats, horizon: int, random: np.random.Generator) -> Floats:
    """REINFORCE on some trajectories of each worker, (workers, TRAJECTORIES, actions, states).

    Forward in time: a step's cost depends on the actions up to it, so it multiplies the sum of
    their scores.
    """
    actions, states = systems.shape
    shape = (len(systems.own), TRAJECTORIES)
    state = random.normal(size=(*shape, states))
    score, gradient = np.zeros((2, *shape, actions, states))
    for time in range(horizon):
        surprise = random.normal(size=(*shape, actions))
        action = systems.exploration * surprise - state @ gain.T
        score -= surprise[..., None] * state[..., None, :] / systems.exploration
        cost = (state**2).mean(-1) + (action**2).mean(-1)
        gradient -= systems.discount**time * cost[..., None, None] * score
        state = (
            state @ np.swapaxes(systems.own, 1, 2)
            + action @ np.swapaxes(systems.driven, 1, 2)
            + systems.noise * random.normal(size=state.shape)
        )
    return gradient


def _gap(systems: Systems) -> Constant:
    best = [
        values(systems._replace(own=own[None], driven=driven[None]), gain)[0]
        for own, driven, gain in zip(systems.own, systems.driven, best_gains(systems), strict=True)
    ]
    gap = float(np.mean(best) - values(systems, np.zeros(systems.shape)).mean())
    if len(systems.own) == 1:
        return Constant(gap, "exact", "the Riccati equation")
    return Constant(gap, "bound", "each worker's best gain, by the Riccati equation")
