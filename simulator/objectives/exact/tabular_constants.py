"""How curved is the return of a tabular softmax policy, and how noisy is one trajectory?

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

from math import ceil, hypot, log, sqrt

import numpy as np

from simulator.objectives.constants import Constant, Constants
from simulator.objectives.exact.mdps import Floats, Mdp, best_value, value

LARGEST = (sqrt(1 / 2), sqrt(1 / 3), sqrt(14 / 27))
"""Root mean squares of a, b, c."""


def constants_of(mdp: Mdp, *, discount: float, horizon: int) -> Constants:
    """Of softmax policies in these processes, from the uniform policy."""
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
    many = _enough(discount)
    weights = discount ** np.arange(many)
    first, second, third = (float(weights @ size) / 2 for size in _martingales(many))
    return first, second, third


def cut_off(discount: float, horizon: int) -> float:
    """The most that trajectories of this length leave out of the gradient, for such rewards."""
    many = horizon + _enough(discount)
    weights = discount ** np.arange(many)
    return float(weights[horizon:] @ _martingales(many)[0][horizon:]) / 2


def _martingales(many: int) -> tuple[Floats, Floats, Floats]:
    """Root mean squares of Z1, Z2, Z3 after 1, 2, ..., ``many`` steps at most."""
    a, b, c = LARGEST
    first = a * np.sqrt(np.arange(1.0, many + 1))
    second = _from_increments(2 * _before(first) * a + b)
    third = _from_increments(3 * _before(second) * a + 3 * _before(first) * b + c)
    return first, second, third


def _before(sizes: Floats) -> Floats:
    return np.concatenate([[0.0], sizes[:-1]])


def _from_increments(sizes: Floats) -> Floats:
    summed: Floats = np.sqrt(np.cumsum(sizes**2))
    return summed


def _enough(discount: float) -> int:
    """So many terms that what is left of a sum, even times h^(3/2), is below rounding."""
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
