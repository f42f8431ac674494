"""What is the outcome of a benchmark?"""

from typing import Literal, NamedTuple, TypeAlias

Outcome: TypeAlias = Literal[
    "holds", "moved", "fails", "stale", "missing", "broken", "new", "updated", "kept"
]
"""The last three are what an update does, the three before them faults of a baseline."""
GOOD: tuple[Outcome, ...] = ("holds", "new", "updated", "kept")


class Finding(NamedTuple):
    """The outcome of a benchmark, with its differences or measurements, and its baseline."""

    benchmark: str
    kind: str
    outcome: Outcome
    headline: str
    """What has changed, in words and per cent; empty if nothing has."""
    lines: list[str]
    why: str
    since: str
    """The file of the baseline and the versions that wrote it; empty without one."""
    error: str
    """The fault of the baseline: it is missing, broken, or of another scenario."""

    @property
    def good(self) -> bool:
        return self.outcome in GOOD


def number(value: float) -> str:
    """All digits of a number, so that no difference is hidden.

    >>> number(40.5), number(41.0), number(0.1 + 0.2)
    ('40.5', '41', '0.30000000000000004')
    """
    return repr(value).removesuffix(".0")


def per_cent(share: float) -> str:
    """A change without its sign, in two digits.

    >>> per_cent(-0.1312), per_cent(0.00123), per_cent(12.3), per_cent(1e-9)
    ('13%', '0.12%', '1,230%', 'less than 0.01%')
    """
    size = 100 * abs(share)
    if size < 0.01:
        return "less than 0.01%"
    return f"{size:,.0f}%" if size >= 10 else f"{size:.2g}%"


def others(count: int, noun: str) -> str:
    """A count of further things, or nothing.

    >>> others(2, "step"), others(0, "step")
    (' and 2 more steps', '')
    """
    return f" and {count} more {noun}{'s' if count > 1 else ''}" if count else ""
