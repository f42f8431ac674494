"""What does a law make of the law it holds?  Errors come back with the field's name in front."""

import numpy as np

from simulator.cluster.fields import check
from simulator.cluster.law import Bits, Floats, Law, is_of_a_field


def seconds(field: str, law: Law, workers: int, bits: Bits) -> Floats:
    """The seconds that the steady law in this field gives each worker."""
    if law.varies:
        raise ValueError(f"{field}: must be a law that does not vary itself")
    try:
        return law.base(workers, bits)
    except ValueError as error:
        if not is_of_a_field(law, error):
            raise
        raise ValueError(f"{field}.{error}") from None


def spread(field: str, law: Law, workers: int, bits: Bits) -> Floats:
    """The same for a field that says how widely chance scatters: finite, 0 or more."""
    found = seconds(field, law, workers, bits)
    good = (found >= 0) & np.isfinite(found)
    check(field, found, good, "must be a finite number of seconds, 0 or more")
    return found
