"""Which candidate is ahead?  By the seconds of a step times the steps that it needs.

Times have a common factor, so only their ratios mean anything.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from simulator.advice.candidates import Candidate
from simulator.advice.forecast import Forecast, forecast
from simulator.advice.needs import Steps, steps
from simulator.advice.noise import Noise

Verdict: TypeAlias = Literal["leads", "not told apart", "behind", "biased", "never"]
APART = 1.1
"""Times that differ by less are not told apart."""
EVEN = 0.25
"""More weight than this, beyond its part, makes a worker of another objective pull the point."""
TOLERATED = 0.02
"""A lead that is no larger is none, among the sizes of a method: the smaller size is taken."""


class Row(NamedTuple):
    """A candidate, its forecast, and its time; both None or infinite if it closes no step."""

    candidate: Candidate
    forecast: Forecast | None
    steps: Steps | None
    time: float
    """Seconds, up to a factor that all candidates share."""

    @property
    def is_local(self) -> bool:
        """Whether workers take several steps of their own."""
        return self.forecast is not None and self.forecast.depth > 1

    @property
    def is_uneven(self) -> bool:
        """Whether some worker weighs more than its part."""
        return self.forecast is not None and self.forecast.uneven > EVEN


class Ranking(NamedTuple):
    rows: Sequence[Row]
    """Every candidate."""
    best: Sequence[Row]
    """The best candidate of each method, the fastest first, and biased ones last."""
    alike: bool
    """Whether all workers have the same objective."""

    @property
    def leader(self) -> Row:
        return self.best[0]

    def times(self, row: Row) -> float:
        """Times as long as the leader."""
        return row.time / self.leader.time

    def is_biased(self, row: Row) -> bool:
        return not self.alike and row.is_uneven

    def verdict(self, row: Row) -> Verdict:
        if math.isinf(row.time):
            return "never"
        if row is self.leader:
            return "leads"
        if self.is_biased(row):
            return "biased"
        return "not told apart" if self.times(row) < APART else "behind"


Simulate: TypeAlias = Callable[[Candidate], Forecast | None]


def simulated(events: int, seeds: Sequence[int], slowness: float = 1.0) -> Simulate:
    """A forecast of each candidate; those that share a schedule share its forecast."""
    known: dict[Hashable, Forecast | None] = {}

    def simulate(candidate: Candidate) -> Forecast | None:
        if candidate.schedule not in known:
            known[candidate.schedule] = forecast(candidate, events, seeds, slowness)
        return known[candidate.schedule]

    return simulate


def ranking(
    candidates: Iterable[Candidate], simulate: Simulate, noise: Noise, alike: bool = True
) -> Ranking:
    return _ranked([_row(each, simulate(each), noise) for each in candidates], alike)


def again(found: Ranking, noise: Noise) -> Ranking:
    """The ranking with another noise, on the same schedules."""
    return _ranked([_row(row.candidate, row.forecast, noise) for row in found.rows], found.alike)


def _ranked(rows: Sequence[Row], alike: bool) -> Ranking:
    of_method: dict[str, list[Row]] = {}
    for row in rows:
        of_method.setdefault(row.candidate.method, []).append(row)
    best = map(_best, of_method.values())
    return Ranking(rows, sorted(best, key=lambda row: (_last(row, alike), row.time)), alike)


def _last(row: Row, alike: bool) -> bool:
    return not alike and row.is_uneven


def _best(rows: Sequence[Row]) -> Row:
    least = min(row.time for row in rows)
    return next(row for row in rows if row.time <= least * (1 + TOLERATED))


def _row(candidate: Candidate, found: Forecast | None, noise: Noise) -> Row:
    if found is None:
        return Row(candidate, None, None, math.inf)
    needed = steps(candidate, found, noise)
    return Row(candidate, found, needed, found.seconds * needed.whole)
