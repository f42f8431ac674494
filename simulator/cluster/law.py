"""The protocol of laws of durations.

A law has two parts: ``base`` gives each worker's seconds, and ``vary`` what chance makes of them
each time.  The caller derives the random bits of both from (seed, worker) and (seed, worker, k).
So the k-th computation of a worker lasts the same under every method, and no state is needed.

Durations grow with the bits, as ``vary`` inverts a distribution function: all bits 0 give the
shortest possible duration, all bits 1 the longest.
"""

from typing import ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Bits: TypeAlias = NDArray[np.uint64]


class Law(Protocol):
    """Seconds of every worker, and how they vary from one time to the next."""

    varies: ClassVar[bool]
    """Whether ``vary`` does anything; a law that does not is evaluated once per run."""
    draws: ClassVar[bool]  # whether ``base`` uses its random words

    def base(self, workers: int, bits: Bits) -> Floats:
        """For workers 0 to ``workers - 1``: the seconds, or a row of several numbers each.

        ``bits`` holds a random word per worker, fixed during a run.  A wrong number raises a
        ValueError that starts with the field's name.
        """

    def vary(self, base: Floats, bits: Bits) -> Floats:
        """One duration for each entry (or row) of ``base``, from as many random words."""


class Steady:
    """The common part of laws that give every worker its seconds once."""

    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = False

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base


class Chance:
    """The common part of laws that vary another one."""

    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True


def short_form(law: Law) -> float | list[float] | None:
    """The number or the list by which a file may give this law; None for most laws."""
    seconds: float | list[float] | None = getattr(law, getattr(law, "short", ""), None)
    return seconds


def located(place: str, law: Law, error: ValueError) -> str:
    """The message with the path that a file has; a short form has no field."""
    if not is_of_a_field(law, error):
        raise error
    short = getattr(law, "short", None)
    return f"{place}{str(error).removeprefix(short)}" if short else f"{place}.{error}"


def is_of_a_field(law: Law, error: ValueError) -> bool:
    """Whether this names a wrong field; other errors come from the law's code."""
    return str(error).startswith(tuple(getattr(law, "__dataclass_fields__", ("",))))


def is_random(law: Law) -> bool:
    """Whether its seconds depend on the seed; by default they do."""
    return law.varies or getattr(law, "draws", True)
