"""What are the workers' quadratics, and what is known of their mean?  Without JAX.

Worker i minimises f_i(x) = a_i x'Tx/2 + c x'x/2 - b_i x_1 with T = (1/4) tridiag(-1, 2, -1): three
numbers describe it, and the mean of the f_i has the same form.  The eigenvalues of T are
sin^2(k pi / (2d + 2)), k = 1..d.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import cos, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Quadratics:
    """One quadratic for each worker, in ``dimension`` variables."""

    dimension: int
    slopes: NDArray[np.float64]
    """a_i, the factors of T; a single worker's may be negative."""
    offsets: NDArray[np.float64]
    """b_i, the first entry of the linear part, whose others are 0."""
    shift: float = 0.0
    """c: the same for all."""

    @property
    def slope(self) -> float:
        return float(self.slopes.mean())

    @property
    def offset(self) -> float:
        return float(self.offsets.mean())

    @property
    def alike(self) -> bool:
        return not (np.ptp(self.slopes) or np.ptp(self.offsets))

    @property
    def smoothness(self) -> float:
        """The largest eigenvalue of the mean, which is positive definite."""
        return self.shift + max(self.slope * end for end in ends(self.dimension))

    @cached_property
    def best(self) -> NDArray[np.float64]:
        """The minimum of the mean."""
        return self.stationary(np.full(len(self.slopes), 1 / len(self.slopes)))

    @property
    def gap(self) -> float:
        """The mean at (sqrt d, 0, ...) minus its least value.

        The value there is d A_11 / 2 - sqrt(d) b, and the least one -b best_1 / 2.
        """
        height = self.dimension * self.diagonal / 2 - sqrt(self.dimension) * self.offset
        return height + self.offset * float(self.best[0]) / 2

    @property
    def diagonal(self) -> float:
        """The diagonal of the mean's matrix."""
        return self.slope / 2 + self.shift

    def stationary(self, weights: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """The point at which the gradients, weighted by shares of one, add up to 0.

        A method with a share w_i of gradients from worker i settles here, if it settles: under
        unequal weights the matrix need not be positive definite.
        """
        slope, offset = np.dot(weights, self.slopes), np.dot(weights, self.offsets)
        return solve(
            float(slope / 2 + self.shift), float(-slope / 4), float(offset), self.dimension
        )


def solve(diagonal: float, beside: float, first: float, size: int) -> NDArray[np.float64]:
    """The x with A x = (first, 0, ...), for A with one number on and one beside its diagonal.

    Gaussian elimination with partial pivoting: a row may change places with the one below it.
    Importing SciPy's solver takes longer than a small run.

    >>> solve(2.0, -1.0, 3.0, 2).tolist()
    [2.0, 1.0]
    """
    # The diagonal, the two entries right of it, and the right-hand side.
    rows: list[tuple[float, float, float, float]] = []
    pivot, right, value = diagonal, beside, first
    for _ in range(size - 1):
        if abs(pivot) >= abs(beside):
            if pivot == 0:
                raise np.linalg.LinAlgError("singular matrix")
            factor = beside / pivot
            rows.append((pivot, right, 0.0, value))
            pivot, right, value = diagonal - factor * right, beside, -factor * value
        else:
            factor = pivot / beside
            rows.append((beside, diagonal, beside, 0.0))
            pivot, right = right - factor * diagonal, -factor * beside
    if pivot == 0:
        raise np.linalg.LinAlgError("singular matrix")
    solution = np.zeros(size + 2)
    solution[size - 1] = value / pivot
    for at in range(size - 2, -1, -1):
        pivot, right, beyond, value = rows[at]
        solution[at] = (value - right * solution[at + 1] - beyond * solution[at + 2]) / pivot
    return solution[:size]


def ends(dimension: int) -> tuple[float, float]:
    """The smallest and the largest eigenvalue of T."""
    angle = pi / (2 * (dimension + 1))
    return sin(angle) ** 2, cos(angle) ** 2


def the_usual(dimension: int, workers: int) -> Quadratics:
    """The quadratic of this literature, f(x) = x'Tx/2 + x_1/4 for every worker."""
    return Quadratics(dimension, np.ones(workers), np.full(workers, -0.25))


def random(dimension: int, workers: int, spread: float, curvature: float, seed: int) -> Quadratics:
    """Random quadratics: a_i = 1 + s N(0, 1), b_i = (a_i / 4)(s N(0, 1) - 1) with s the spread.

    The shift makes the curvature the smallest eigenvalue of the mean.  Worker i's slope and offset
    do not depend on the number of workers; the shift and the mean do.
    """
    slopes, tilts = spread * np.random.default_rng(seed).normal(size=(workers, 2)).T
    slopes = slopes + 1
    lowest = min(float(slopes.mean()) * end for end in ends(dimension))
    return Quadratics(dimension, slopes, slopes / 4 * (tilts - 1), curvature - lowest)


def drawn_together(quadratics: Quadratics, heterogeneity: float) -> Quadratics:
    """Move each worker's towards the mean of all: 0 is the mean itself, 1 changes nothing."""

    def mixed(each: NDArray[np.float64]) -> NDArray[np.float64]:
        moved: NDArray[np.float64] = (1 - heterogeneity) * each.mean() + heterogeneity * each
        return moved

    return replace(quadratics, slopes=mixed(quadratics.slopes), offsets=mixed(quadratics.offsets))
