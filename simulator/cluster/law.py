"""How long does it take?  What a law of durations must say.

A law answers in two parts: ``base``, what is known of each worker beforehand, and ``vary``, what
chance makes of it each time.  Both get their random bits from the caller, who derives them from
(seed, worker) and (seed, worker, k): so the k-th computation of a worker lasts the same whatever
the method, the order of events or the other workers do, and nothing needs to be remembered.

Whatever is random grows with the bits: ``vary`` inverts a distribution function.  All bits 0 give
the shortest duration there can be, all bits 1 the longest.
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
    draws: ClassVar[bool]  # of a law that does not vary: whether ``base`` uses its random words

    def base(self, workers: int, bits: Bits) -> Floats:
        """For workers 0 to ``workers - 1``: the seconds, or a row of several numbers each.

        ``bits`` holds a random word per worker, always the same one in a run.  A wrong number
        raises a ValueError that starts with the field's name.
        """

    def vary(self, base: Floats, bits: Bits) -> Floats:
        """One duration for each entry (or row) of ``base``, from as many random words."""


class Steady:
    """What laws have in common that give every worker its seconds once."""

    varies: ClassVar[bool] = False
    draws: ClassVar[bool] = False

    def vary(self, base: Floats, bits: Bits) -> Floats:
        return base


class Chance:
    """What laws have in common that vary another one."""

    varies: ClassVar[bool] = True
    draws: ClassVar[bool] = True


def is_of_a_field(law: Law, error: ValueError) -> bool:
    """Whether this is about a wrong number; any other error is one in the law's code."""
    return str(error).startswith(tuple(getattr(law, "__dataclass_fields__", ("",))))


def is_random(law: Law) -> bool:
    """Whether its seconds depend on the seed; a law that does not say is taken for random."""
    return law.varies or getattr(law, "draws", True)
