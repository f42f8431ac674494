"""When does a run reach a number of steps or gradients?  In closed form, for fixed times.

With times h_i and uploads kappa_i, a round takes the time of its slowest participant and then the
slowest upload.  Where every gradient is sent by itself, worker i has a cycle of h_i + kappa_i.
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Literal, NamedTuple, TypeAlias

from algorithms.theory.finishes import Floats


class Goal(NamedTuple):
    """A number of server steps or of used gradients."""

    measure: Literal["steps", "gradients"]
    number: int


ClosedForm: TypeAlias = Callable[[Mapping[str, Any], Floats, Floats, Goal], float | None]
"""Seconds until a goal, from settings, h and kappa; None where no closed form is known."""


def in_rounds(seconds: float, gradients: float, h: Floats, kappa: Floats, goal: Goal) -> float:
    """Seconds until the goal, in equal rounds of computing ``seconds`` and of ``gradients``."""
    rounds = goal.number if goal.measure == "steps" else goal.number / gradients
    return ceil(rounds) * (seconds + float(kappa[h <= seconds].max()))


def alike(settings: Mapping[str, Any]) -> bool:
    """Whether all batches have one size and take the first finished gradients."""
    first = settings.get("count", "first-finished") == "first-finished"
    return first and settings.get("initial_batch") in (None, settings["batch"])
