"""Numbers in words of advice."""

import math

DASH = "\N{EN DASH}"
UNITS = (1e9, "GB"), (1e6, "MB"), (1e3, "kB")


def number(value: float) -> str:
    """Three digits.

    >>> number(0.1234), number(1234.5), number(1.2e9), number(math.inf), number(math.nan)
    ('0.123', '1,234', '1.2e+09', 'never', '\N{EN DASH}')
    """
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "never"
    return f"{value:,.0f}" if 100 <= value < 1e7 else f"{value:.3g}"


def per_second(size: float) -> str:
    """Bytes per second.

    >>> per_second(1234567.0), per_second(12.0)
    ('1.23 MB/s', '12 B/s')
    """
    for unit, name in UNITS:
        if size >= unit:
            return f"{number(size / unit)} {name}/s"
    return f"{number(size)} B/s"


def count(gradients: float) -> str:
    """A number of gradients.

    >>> count(1.0), count(18.0)
    ('1 gradient', '18 gradients')
    """
    return f"{number(gradients)} gradient{'' if gradients == 1 else 's'}"
