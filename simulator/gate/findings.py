"""What is the outcome of a benchmark?"""

from typing import Literal, NamedTuple, TypeAlias

Outcome: TypeAlias = Literal["holds", "moved", "fails", "new", "updated", "kept"]
"""``moved`` and ``fails`` are regressions; the last three are what an update does."""
REGRESSIONS: tuple[Outcome, ...] = ("moved", "fails")


class Finding(NamedTuple):
    """The outcome of a benchmark, with its differences or measurements, and its baseline."""

    benchmark: str
    kind: str
    outcome: Outcome
    lines: list[str]
    why: str
    since: str
    """The file of the baseline and the versions that wrote it; empty without one."""

    @property
    def good(self) -> bool:
        return self.outcome not in REGRESSIONS


def number(value: float) -> str:
    """All digits of a number, so that no difference is hidden.

    >>> number(40.5), number(41.0), number(0.1 + 0.2)
    ('40.5', '41', '0.30000000000000004')
    """
    return repr(value).removesuffix(".0")


def others(count: int, noun: str) -> str:
    """A count of further things, or nothing.

    >>> others(2, "step"), others(0, "step")
    (' and 2 more steps', '')
    """
    return f" and {count} more {noun}{'s' if count > 1 else ''}" if count else ""
