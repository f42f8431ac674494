"""How do arrays get into a page?  Byte by byte of each number, deflated, in Base64.

The first bytes of neighbouring numbers are alike, so planes of equal bytes compress better than
numbers.  ``assets/unpack.js`` is the inverse.
"""

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

KINDS = {"f4": "<f4", "u4": "<u4", "u1": "u1"}
"""The types of numbers in a page: floats of 4 bytes, integers without sign of 4 bytes or 1."""
TICKS = 2**24
"""Parts of the length of a run: times are integers, and this is their resolution."""


def packed(columns: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Columns of any lengths as data for JSON."""
    fields, planes = [], []
    for name, values in columns.items():
        kind = values.dtype.kind + str(values.dtype.itemsize)
        plain = np.ascontiguousarray(values, KINDS[kind])
        fields.append([name, kind, len(plain)])
        planes.append(plain.view(np.uint8).reshape(len(plain), plain.itemsize).T.tobytes())
    data = base64.b64encode(zlib.compress(b"".join(planes), 9)).decode()
    return {"fields": fields, "data": data}


def floats(values: ArrayLike) -> NDArray[np.float32]:
    """Numbers with seven digits; those that are too large become infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float64).astype(np.float32)


def differences(values: ArrayLike) -> NDArray[np.uint32]:
    """Differences of neighbours, which are small; even numbers are 0, 1, 2, …, odd ones -1, -2, …

    >>> differences([5, 7, 6]).tolist()
    [10, 4, 1]
    """
    steps = np.diff(np.asarray(values, np.int64), prepend=0)
    return np.where(steps < 0, -2 * steps - 1, 2 * steps).astype(np.uint32)


def ticks(times: ArrayLike, end: float) -> NDArray[np.int64]:
    """Times from 0 to ``end`` as integers from 0 to ``TICKS``."""
    return np.rint(np.asarray(times, np.float64) * (TICKS / (end or 1.0))).astype(np.int64)
