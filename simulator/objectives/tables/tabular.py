"""Which settings does a softmax policy in a finite MDP have, and what are its constants?

**Derivatives.**  Move the logits along a unit vector u, by t.  A trajectory's probability then
changes by a factor ``1 + t Z1 + t^2/2 Z2 + t^3/6 Z3 + ...``, a product over its steps of
``1 + t a + t^2/2 b + t^3/6 c + ...``.  With x = u_s(action), less its mean under the policy in
state s, v the variance of x and k its third moment::

    a = x            b = x^2 - v            c = x^3 - 3 v x - k

whose means are 0 given the past.  So Z1, Z2, Z3 are martingales, with increments a,
``2 Z1 a + b`` and ``3 Z2 a + 3 Z1 b + c``; squares of increments add up, and by Minkowski::

    E Z1^2 = sum E a^2          E Z2^2 <= sum (2 |Z1| |a| + |b|)^2
                                E Z3^2 <= sum (3 |Z2| |a| + 3 |Z1| |b| + |c|)^2

in root mean squares, those of a, b, c being the largest that any state has.  These follow from u
having length 1, so that x stays within an interval [-p, q] of length sqrt(2).  The mean of a convex
function with E x = 0 is the largest on the two ends, and with w = pq/2 <= 1/4 this says::

    E x^2 <= 2 w <= 1/2
    E x^4 <= 4 w (1 - 3 w) <= 1/3
    E x^6 <= 8 w (1 - 5 w + 5 w^2)

    E b^2 <= E x^4 <= 1/3
    E c^2 <= E (x^3 - 3 v x)^2 <= E x^6 + 3 v^3 <= 8 w - 40 w^2 + 64 w^3 <= 14/27

(``E x^4 >= v^2`` in the last line).  The j-th derivative of E r_h is E[r_h Zj], and because Zj has
mean 0, the reward may be measured from the middle of its range R: it is at most R/2 times the root
mean square of Zj after h + 1 steps.  Weighted with discount^h these sum to the bounds of J.  (The
norm of a symmetric form is its largest value on one vector, taken j times.)

**Deviation.**  One trajectory says g = sum over h < H of discount^h r_h S_h with S_h the sum of the
first h + 1 gradients of log pi: these are uncorrelated and E|e_a - pi|^2 = 1 - |pi|^2 <= 1 - 1/A.
By Minkowski ``(E|g|^2)^(1/2) <= max r sum discount^h sqrt((h + 1) (1 - 1/A))``, and
E|g - grad J_i|^2 = E|g - E g|^2 + |E g - grad J_i|^2, where the second part is what the horizon
cuts off: at most the sum of the first derivatives' bounds from H on.
"""

from math import ceil, hypot, isqrt, log, sqrt
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from simulator.objectives.costs import MODEL_STEP, Cost, of_model
from simulator.objectives.exact.mdps import (
    Floats,
    Mdp,
    best_value,
    chain,
    garnet,
    generator,
    grid,
    of_workers,
    value,
)
from simulator.objectives.objective import Size
from simulator.objectives.tables.objective import Constant, Constants, Count, DiscountedTable

if TYPE_CHECKING:
    from simulator.objectives.exact.model import Sampled

LARGEST_TABLE = 2**27
"""Probabilities of all workers together: a gigabyte."""
SUPREMA = (sqrt(1 / 2), sqrt(1 / 3), sqrt(14 / 27))
"""Root mean squares of a, b, c."""


class TabularTable(DiscountedTable):
    """The return of a tabular softmax policy in a finite MDP: value and gradient are exact."""

    kind: Literal["tabular"] = "tabular"
    mdp: Literal["garnet", "chain", "grid"] = "garnet"
    states: Annotated[int, Ge(2), Le(1000)] = 10
    actions: Annotated[int, Ge(2), Le(1000)] = 4
    branching: Count = Field(
        default=3, description="successors of a state and an action, of a garnet"
    )
    heterogeneity: Annotated[float, Ge(0), Le(1)] = Field(
        default=0.0, description="how much of each worker's process is a garnet of its own"
    )

    @property
    def alike(self) -> bool:
        return not self.heterogeneity

    def check(self, workers: int) -> None:
        """Raise a one-line ValueError if the numbers make no process."""
        garnets = self.mdp == "garnet" or self.heterogeneity
        if garnets and self.branching > self.states:
            remedy = f"at most states = {self.states}"
            raise ValueError(f"branching = {self.branching}: {remedy}")
        if self.mdp == "grid" and isqrt(self.states) ** 2 != self.states:
            near = isqrt(self.states)
            remedy = f"a grid is square: {near**2} or {(near + 1) ** 2}"
            raise ValueError(f"states = {self.states}: {remedy}")
        if self.mdp == "grid" and self.actions != 4:
            raise ValueError(f"actions = {self.actions}: a grid has 4, one for each direction")
        self._check_memory(workers if self.heterogeneity else 1)

    def _check_memory(self, processes: int) -> None:
        numbers = processes * self.states**2 * self.actions
        if numbers > LARGEST_TABLE:
            reason = f"{processes} x {self.states} x {self.actions} x {self.states} probabilities"
            raise ValueError(f"states = {self.states}: {reason} are more than {LARGEST_TABLE}")

    def size(self, workers: int) -> Size:
        return Size(self.states * self.actions, np.dtype(self.dtype).itemsize)

    def cost(self, size: Size, workers: int, episodes: int) -> Cost:
        processes = workers if self.heterogeneity else 1
        table = 8.0 * processes * self.states**2 * self.actions
        return of_model(size, self.steps() * MODEL_STEP, 3 * table)

    def constants(self, workers: int) -> Constants:
        mdp = self._mdp(workers)
        return constants_of(mdp, discount=self.discount, horizon=self.steps())

    def build(self, workers: int) -> "Sampled":
        from simulator.objectives.exact.model import Sampled
        from simulator.objectives.exact.tabular import Tabular

        mdp = self._mdp(workers)
        return Sampled(Tabular(mdp, discount=self.discount, horizon=self.steps()))

    def _mdp(self, workers: int) -> Mdp:
        self.check(workers)
        seed, branching = self.problem_seed, self.branching
        return of_workers(self._common(), self.heterogeneity, workers, seed, branching)

    def _common(self) -> Mdp:
        if self.mdp == "chain":
            return chain(self.states, self.actions)
        if self.mdp == "grid":
            return grid(self.states)
        random = generator(self.problem_seed, 0)
        return garnet(random, self.states, self.actions, self.branching)


def constants_of(mdp: Mdp, *, discount: float, horizon: int) -> Constants:
    """The constants of softmax policies in these processes, from the uniform policy."""
    ranges = np.ptp(mdp.rewards, axis=(1, 2))
    spread = float(ranges.mean())
    _, second, third = derivatives(discount)
    deviation = hypot(
        mdp.rewards.max() * _deviation(discount, horizon, mdp.rewards.shape[-1]),
        ranges.max() * cut_off(discount, horizon),
    )
    return Constants(
        smoothness=Constant(spread * second, "bound", "martingales of the score"),
        hessian_smoothness=Constant(spread * third, "bound", "martingales of the score"),
        deviation=Constant(deviation, "bound", "Minkowski over the steps of a trajectory"),
        gap=_gap(mdp, discount),
    )


def derivatives(discount: float) -> tuple[float, float, float]:
    """Bounds of J's first three directional derivatives, for rewards within [0, 1]."""
    terms = _enough(discount)
    weights = discount ** np.arange(terms)
    first, second, third = (float(weights @ size) / 2 for size in _martingales(terms))
    return first, second, third


def cut_off(discount: float, horizon: int) -> float:
    """A bound of the gradient beyond the horizon, for such rewards."""
    terms = horizon + _enough(discount)
    weights = discount ** np.arange(terms)
    return float(weights[horizon:] @ _martingales(terms)[0][horizon:]) / 2


def _martingales(steps: int) -> tuple[Floats, Floats, Floats]:
    """Bounds of the root mean squares of Z1, Z2, Z3 after 1, 2, ..., ``steps`` steps."""
    a, b, c = SUPREMA
    first = a * np.sqrt(np.arange(1.0, steps + 1))
    second = _from_increments(2 * _before(first) * a + b)
    third = _from_increments(3 * _before(second) * a + 3 * _before(first) * b + c)
    return first, second, third


def _before(sizes: Floats) -> Floats:
    return np.concatenate([[0.0], sizes[:-1]])


def _from_increments(sizes: Floats) -> Floats:
    summed: Floats = np.sqrt(np.cumsum(sizes**2))
    return summed


def _enough(discount: float) -> int:
    """A number of terms whose rest, even times h^(3/2), is below rounding."""
    return ceil(80 / -log(discount))


def _deviation(discount: float, horizon: int, actions: int) -> float:
    weights = discount ** np.arange(horizon)
    return float(weights @ np.sqrt(np.arange(1, horizon + 1) * (1 - 1 / actions)))


def _gap(mdp: Mdp, discount: float) -> Constant:
    states, actions = mdp.rewards.shape[1:]
    uniform = np.full((states, actions), 1 / actions)
    gap = float(np.mean(best_value(mdp, discount) - value(mdp, uniform, discount)))
    if len(mdp.rewards) == 1:
        return Constant(gap, "exact", "policy iteration")
    return Constant(gap, "bound", "each worker's best policy, by policy iteration")
