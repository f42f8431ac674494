"""Where in its own stretch of a long array does each number belong?  All at once.

``bisect`` from the standard library, for many sorted stretches ``values[low:high]``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from simulator.cluster.law import Floats, Integers


def bisect_left(values: Floats, wanted: Floats, low: Integers, high: Integers) -> Integers:
    """The first place whose value is at least the wanted one; ``high`` if there is none."""
    return _bisect(np.less, values, wanted, low, high)


def bisect_right(values: Floats, wanted: Floats, low: Integers, high: Integers) -> Integers:
    """The first place whose value is above the wanted one; ``high`` if there is none."""
    return _bisect(np.less_equal, values, wanted, low, high)


def _bisect(
    lies_before: Callable[..., Any], values: Floats, wanted: Floats, low: Integers, high: Integers
) -> Integers:
    longest = int((high - low).max(initial=0))
    for _ in range(longest.bit_length()):
        middle = (low + high) >> 1
        # A stretch that has shrunk to nothing has its middle on its end, and must stay as it is.
        before = lies_before(values[middle], wanted) & (middle < high)
        low = np.where(before, middle + 1, low)
        high = np.where(before, high, middle)
    return low
