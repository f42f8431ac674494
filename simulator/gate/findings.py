"""What was found of a benchmark?"""

from typing import Literal, NamedTuple, TypeAlias

Outcome: TypeAlias = Literal["holds", "moved", "fails", "new", "updated", "kept"]
"""``moved`` and ``fails`` are regressions; the last three are what an update does."""
REGRESSIONS: tuple[Outcome, ...] = ("moved", "fails")


class Finding(NamedTuple):
    """The outcome of a benchmark, what moved or was measured, and against which baseline."""

    benchmark: str
    kind: str
    outcome: Outcome
    lines: list[str]
    why: str
    since: str
    """Where the baseline lies and what wrote it; empty where none is needed."""

    @property
    def good(self) -> bool:
        return self.outcome not in REGRESSIONS


def number(value: float) -> str:
    """Short, but never so short that it hides a difference that was found.

    >>> number(40.5), number(41.0), number(0.1 + 0.2)
    ('40.5', '41', '0.30000000000000004')
    """
    return repr(value).removesuffix(".0")


def others(many: int, what: str) -> str:
    """The rest, in words; nothing of none.

    >>> others(2, "step"), others(0, "step")
    (' and 2 more steps', '')
    """
    return f" and {many} more {what}{'s' if many > 1 else ''}" if many else ""
