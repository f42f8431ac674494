"""How long does it take?  What a law of durations must say.

A law answers in two parts: ``base``, the seconds of each worker, and ``vary``, what chance makes
of them each time.  ``vary`` gets 64 random bits per duration, which the caller derives from
(seed, worker, k): so the k-th computation of a worker lasts the same whatever the method, the
order of events or the other workers do, and nothing needs to be remembered.
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

    def base(self, workers: int) -> Floats:
        """The seconds of workers 0 to ``workers - 1``."""

    def vary(self, base: Floats, bits: Bits) -> Floats:
        """One duration for each ``base``, from as many random words."""


def uniforms(bits: Bits) -> Floats:
    """Numbers strictly inside (0, 1), one per word: safe for every inverse distribution."""
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
