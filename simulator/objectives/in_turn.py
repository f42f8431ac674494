"""What of values that only know one run at a time?  The runs are asked for one after another."""

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.objective import ForAll, Values

if TYPE_CHECKING:
    from jax import Array


def for_all(values: Values) -> ForAll:
    """These values for several runs: in one call where they know how, else in turn."""
    return values if isinstance(values, ForAll) else InTurn(values)


class InTurn:
    """Values for several runs, and looks at their points, from those for one."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def gradient_for_all(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        return self._in_turn(self._values.gradient, roots, points, tickets, weights)

    def gradients_for_all(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        return self._in_turn(self._values.gradients, roots, points, tickets, weights)

    def evaluate_for_all(
        self, roots: "Array", points: "Array", step: int, episodes: int, going: NDArray[np.bool_]
    ) -> "dict[str, Array]":
        rows = np.flatnonzero(going)
        looks = [self._values.evaluate(roots[row], points[row], step, episodes) for row in rows]
        found = {name: np.full(len(going), np.nan) for name in looks[0]}
        for name, values in found.items():
            values[rows] = [float(look[name]) for look in looks]
        return cast("dict[str, Array]", found)

    def _in_turn(
        self, ask: Any, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        found: list[Any] = [None] * len(points)
        # Who has ended has no weights, and is not asked for.
        for run in np.flatnonzero(np.asarray(weights).any(1)):
            found[run] = ask(roots[run], points[run], tickets, weights[run])
        known = next(each for each in found if each is not None)
        nothing = [np.zeros_like(np.asarray(part)) for part in known]
        totals, taken = zip(*(each or nothing for each in found), strict=True)
        return _stacked(totals), _stacked(taken)


def _stacked(rows: Any) -> "Array":
    return cast("Array", np.stack([np.asarray(row) for row in rows]))
