"""What does a benchmark say?  A figure, what it is a figure of, and what it should be."""

from typing import Any, Literal, NamedTuple

Unit = Literal["share", "%", "x", "s", "µs", "MB"]
"""A share of the limit, the same in per cent, how many times as fast; or what it is."""
SHOWN = {
    "share": lambda number: f"{number:.2f}",
    "%": lambda number: f"{number:.0%}",
    "x": lambda number: f"{number:.1f}x",
    "s": lambda number: f"{number:.1f} s" if number >= 1 else f"{number:.2f} s",
    "µs": lambda number: f"{number:.1f} µs",
    "MB": lambda number: f"{number:.0f} MB" if number >= 10 else f"{number:.1f} MB",
}


class Aim(NamedTuple):
    """At least, at most or exactly so much, in the row's unit; and of what.

    >>> Aim("≥", 0.85, "of raw mj_step").text("%")
    '≥ 85% of raw mj_step'
    """

    sense: Literal["≥", "≤", "="]
    bound: float
    of: str = ""

    def met(self, figure: float) -> bool:
        return {
            "≥": figure >= self.bound,
            "≤": figure <= self.bound,
            "=": figure == self.bound,
        }[self.sense]

    def text(self, unit: Unit) -> str:
        if unit == "%":
            bound = f"{self.bound:.0%}"
        else:
            mark = {"share": "", "x": "x"}.get(unit, f" {unit}")
            bound = f"{self.bound:g}{mark}"
        return f"{self.sense} {bound} {self.of}".rstrip()


class Row(NamedTuple):
    """One line of the table; by ``what`` it is found again in another table.

    >>> row = Row("used tickets per second", 0.231, "share", Aim("≥", 0.3, "of a bare loop"))
    >>> row.shown, row.aim.text(row.unit), row.met
    ('0.23', '≥ 0.3 of a bare loop', False)
    """

    what: str
    figure: float
    unit: Unit
    aim: Aim | None = None
    detail: str = ""

    @property
    def shown(self) -> str:
        return SHOWN[self.unit](self.figure)

    @property
    def message(self) -> str:
        """The figure with its circumstances."""
        return f"{self.shown} ({self.detail})" if self.detail else self.shown

    @property
    def aimed(self) -> str:
        return self.aim.text(self.unit) if self.aim else ""

    @property
    def met(self) -> bool | None:
        """None where there is no aim."""
        return self.aim.met(self.figure) if self.aim else None

    def as_data(self) -> dict[str, Any]:
        """What ``of_data`` reads; and, for others, whether the aim is met."""
        aim = self.aim._asdict() if self.aim else None
        return {**self._asdict(), "aim": aim, "met": self.met}


def of_data(data: dict[str, Any]) -> Row:
    aim = Aim(**data["aim"]) if data["aim"] else None
    return Row(data["what"], data["figure"], data["unit"], aim, data["detail"])
