"""When have so many steps closed, or gradients been used?  In closed form, where times are fixed.

With times h_i and uploads kappa_i: rounds take what their slowest participant does, and then the
slowest upload of those who take part.  Where every gradient is sent by itself, worker i has a cycle
of h_i + kappa_i.
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Literal, NamedTuple, TypeAlias

from algorithms.theory.finishes import Floats


class Goal(NamedTuple):
    """So many server steps, or so many used gradients."""

    measure: Literal["steps", "gradients"]
    number: int


ClosedForm: TypeAlias = Callable[[Mapping[str, Any], Floats, Floats, Goal], float | None]
"""Seconds until a goal, from settings, h and kappa; None where no closed form is known."""


def in_rounds(seconds: float, gradients: float, h: Floats, kappa: Floats, goal: Goal) -> float:
    """Rounds that are all alike: so many seconds of computing, and so many gradients."""
    rounds = goal.number if goal.measure == "steps" else goal.number / gradients
    return ceil(rounds) * (seconds + float(kappa[h <= seconds].max()))


def alike(settings: Mapping[str, Any]) -> bool:
    """Whether all batches are equal, of what is finished first."""
    first = settings.get("count", "first-finished") == "first-finished"
    return first and settings.get("initial_batch") in (None, settings["batch"])
