"""The seconds of a law inside another law; errors start with the name of its field."""

import numpy as np

from simulator.cluster.fields import check
from simulator.cluster.law import Bits, Floats, Law, located, short_form


def seconds(field: str, law: Law, workers: int, bits: Bits) -> Floats:
    """The seconds that the steady law in this field gives each worker."""
    if law.varies:
        raise ValueError(f"{field}: must be a law that does not vary itself")
    try:
        return law.base(workers, bits)
    except ValueError as error:
        raise ValueError(located(field, law, error)) from None


def as_given(law: Law, seconds: Floats) -> float | Floats:
    """The number that a file gives for all workers, or each worker's."""
    number = short_form(law)
    return number if isinstance(number, int | float) else seconds


def spread(field: str, law: Law, workers: int, bits: Bits) -> Floats:
    """The seconds of a law of spreads: finite, 0 or more."""
    spreads = seconds(field, law, workers, bits)
    good = (spreads >= 0) & np.isfinite(spreads)
    check(field, as_given(law, spreads), good, "must be a finite number of seconds, 0 or more")
    return spreads
