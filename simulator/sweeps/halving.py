"""Which settings deserve a whole run?  Successive halving: all run briefly, the best run longer.

A round runs the remaining settings for a share of the scenario's stop, on a share of its seeds.
The best of each method, in each case, reach the next round.  The last round is the whole scenario;
a sweep without ``[halving]`` has this round alone.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from simulator.table import Table

TIMES = ("seconds", "steps", "gradients")
"""The keys of a stop that a round shortens; a target stays."""


class HalvingTable(Table):
    """Run all settings briefly, and only the better ones longer."""

    rounds: int = Field(
        default=3, ge=2, le=10, description="the last runs the whole scenario on all seeds"
    )
    keep: float = Field(
        default=1 / 3, gt=0, lt=1, description="share of a method's settings that goes on"
    )
    first: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="share of the stop and of the seeds in the first round [keep^(rounds-1)]",
    )

    @model_validator(mode="after")
    def _check_length(self) -> "HalvingTable":
        if self.shortest < 1e-6:
            raise ValueError(f"its first round is {self.shortest:g} of a run; give first = 0.1")
        return self

    @property
    def shortest(self) -> float:
        return self.first or self.keep ** (self.rounds - 1)


class Round(NamedTuple):
    """A round, numbered from 1, runs a share of the stop on the same share of the seeds."""

    number: int
    share: float
    keep: float

    def tables(self, tables: dict[str, Any]) -> dict[str, Any]:
        """A scenario's tables with the stop of this round."""
        if self.share == 1:
            return tables
        shorter = copy.deepcopy(tables)
        stop = shorter.get("stop", {})
        for name in TIMES:
            if isinstance(stop.get(name), int | float):
                part = self.share * stop[name]
                stop[name] = part if name == "seconds" else max(1, math.ceil(part))
        return shorter

    def seeds(self, whole: Sequence[int]) -> list[int]:
        """The first of a scenario's seeds."""
        return list(whole[: math.ceil(round(self.share * len(whole), 9))])

    def survivors(self, count: int) -> int:
        """The number of settings that reach the next round."""
        return max(1, math.ceil(round(self.keep * count, 9)))


WHOLE = Round(1, 1.0, 1.0)
"""The only round of a sweep without halving."""


def rounds_of(table: HalvingTable | None) -> Iterator[Round]:
    """Rounds whose shares grow by a constant factor up to 1.

    >>> [round(each.share, 3) for each in rounds_of(HalvingTable(first=0.04))]
    [0.04, 0.2, 1.0]
    """
    if table is None:
        yield WHOLE
        return
    last = table.rounds - 1
    for at in range(table.rounds):
        share = table.shortest ** (1 - at / last) if at < last else 1.0
        yield Round(at + 1, share, table.keep)
