"""Which numbers have intervals?  Rows of a median, its interval, and a dot per seed."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from simulator.reports.curves import looks_of
from simulator.reports.page import Widget
from simulator.results.results import Results
from simulator.statistics.samples import CONFIDENCE
from simulator.text_table import Table

DASH = "\N{EN DASH}"


class Bar(NamedTuple):
    """A row: a method, the ends of its interval, and what it lies between; infinite: never."""

    method: str
    low: float
    middle: float
    high: float
    dots: Sequence[float] = ()
    note: str = ""
    group: str = ""


def widget(title: str, label: str, bars: Iterable[Bar], reference: float | None = None) -> Widget:
    """Intervals to compare; a vertical line marks the ``reference``."""
    shown = [bar for bar in bars if np.isfinite(bar.middle)]
    values = [value for bar in shown for value in (bar.middle, *bar.dots) if np.isfinite(value)]
    wide = bool(values) and min(values) > 0 and max(values) >= 10 * min(values)
    content = {
        "label": label,
        "logarithmic": wide,
        "reference": reference,
        "looks": looks_of(bar.method for bar in shown),
        "bars": [bar._asdict() for bar in shown],
    }
    return Widget("intervals", content, title)


def with_intervals(table: Table, results: Results) -> tuple[Table, list[Bar]]:
    """The table of a run, and beside its first number the interval of that."""
    values = _to_target(results) if results.scenario.stop.target is not None else _last(results)
    bars = [_bar(method, numbers) for method, numbers in values.items()]
    texts = {bar.method: _interval(bar) for bar in bars}
    headings = [*table.headings[:2], f"{CONFIDENCE:.0%} interval", *table.headings[2:]]
    rows = [[*row[:2], texts.get(row[0], DASH), *row[2:]] for row in table.rows]
    return table._replace(headings=headings, rows=rows), bars


def _bar(method: str, numbers: Sequence[float]) -> Bar:
    from simulator.statistics.samples import counted, interval, median

    low, high = interval(numbers)
    reached = int(np.isfinite(counted(numbers)).sum())
    note = "" if reached == len(numbers) else f"{reached} of {len(numbers)} seeds"
    return Bar(method, low, median(numbers), high, [n for n in numbers if np.isfinite(n)], note)


def _to_target(results: Results) -> dict[str, list[float]]:
    """Seconds to the target of each run; NaN if it missed it."""
    found: dict[str, list[float]] = {}
    for run in results.manifest["runs"]:
        seconds = run["seconds_to_target"]
        found.setdefault(run["method"], []).append(np.nan if seconds is None else seconds)
    return found


def _last(results: Results) -> dict[str, list[float]]:
    """The last metric of each run that did not fail."""
    from simulator.results.columns import groups

    values: dict[str, list[float]] = {}
    steps, metric = results.step_columns, results.scenario.metric
    failed = {(r["method"], r["seed"]) for r in results.manifest["runs"] if r["end"] == "failed"}
    for (method, seed), at in groups(steps, ("method", "seed")).items():
        known = steps[metric][at][np.isfinite(steps[metric][at])]
        if len(known) and (method, seed) not in failed:
            values.setdefault(method, []).append(float(known[-1]))
    return values


def _interval(bar: Bar) -> str:
    ends: list[Any] = [bar.low, bar.high]
    if len(bar.dots) < 2 or not np.isfinite(bar.low):
        return DASH
    return " to ".join(f"{end:,.4g}" if np.isfinite(end) else "never" for end in ends)
