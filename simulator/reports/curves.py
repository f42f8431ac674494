"""Which curves does a page show?  Every run's numbers against time, steps, gradients and more.

The page computes medians and bands itself, of the seeds that its reader picks.  So it holds single
runs, thinned to what its file has room for.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from simulator.cluster.law import Floats, Integers
from simulator.figures.looks import DASHES, looks
from simulator.figures.plots import NAMES, is_wide
from simulator.reports.packing import floats, packed
from simulator.reports.page import Widget
from simulator.results.columns import Columns, groups, length, rows
from simulator.results.results import STEPS, Results
from simulator.statistics.curves import LARGEST, PLACES

POINTS = 60_000
"""Points of all runs together; a single run has at most ``MOST`` and at least ``FEWEST``."""
MOST, FEWEST = 400, 40
BINS = 100
"""Parts of a run in which staleness and waste are averaged."""
NO_METRICS = {*STEPS, *PLACES.values()}
GOING = ("used", "waiting", "unfinished")
"""Outcomes of computing that was not wasted, or is not yet."""


class Axis(NamedTuple):
    """A column to choose for an axis."""

    name: str
    label: str
    logarithmic: bool = False
    held: bool = True
    """Whether a value holds until the next one, and the last one past the end of its run."""


class Curve(NamedTuple):
    """One run, or one line: a method's columns for one seed."""

    method: str
    seed: str
    columns: Mapping[str, Any]


class Level(NamedTuple):
    """A horizontal line."""

    value: float
    label: str
    of: str
    """The column to which it belongs."""


def widget(
    title: str,
    curves: Sequence[Curve],
    x: Sequence[Axis],
    y: Sequence[Axis],
    levels: Iterable[Level] = (),
    middle: str = "median",
    note: str = "",
) -> Widget:
    """Curves to explore; ``middle`` is the median or the mean of the seeds."""
    names = [axis.name for axis in (*x, *y)]
    joined = {
        name: floats(np.concatenate([np.asarray(curve.columns[name]) for curve in curves]))
        for name in dict.fromkeys(names)
    }
    runs = [[curve.method, curve.seed, len(curve.columns[names[0]])] for curve in curves]
    content = {
        "x": [axis._asdict() for axis in x],
        "y": [axis._asdict() for axis in y],
        "runs": runs,
        "looks": looks_of(curve.method for curve in curves),
        "levels": [level._asdict() for level in levels],
        "middle": middle,
        "note": note,
        "columns": packed(joined),
    }
    return Widget("curves", content, title)


def looks_of(methods: Iterable[str]) -> dict[str, Any]:
    """Colour and dashes of each method, those of the figures."""
    found = {}
    for method, look in looks(methods).items():
        dashes = [] if look.dashes == DASHES[0] else [2 * each for each in look.dashes[1]]
        found[method] = {"colour": look.colour, "dashes": dashes}
    return found


def learning(results: Results, more: Sequence[Level] = ()) -> Widget:
    """The metrics of each run; of a schedule without learning, its steps."""
    steps, scenario = results.step_columns, results.scenario
    metrics = [] if results.schedule_only else _metrics(steps, scenario.metric)
    runs = groups(steps, ("method", "seed"))
    most = _room(len(runs))
    curves = []
    for (method, seed), at in _in_order(results, runs).items():
        own = rows(steps, at)
        known = np.any([np.isfinite(_clean(own[name])) for name in metrics], axis=0)
        own = rows(own, known if metrics else slice(None))
        own = rows(own, thinned(length(own), most))
        cleaned = {name: _clean(own[name]) for name in metrics}
        curves.append(Curve(method, str(seed), own | cleaned))
    way = {scenario.metric: not scenario.higher_is_better}
    y = [Axis(name, NAMES.get(name, name), way.get(name, False)) for name in metrics]
    y += [
        Axis("step", NAMES["step"], held=False),
        Axis("gradients", NAMES["gradients"], held=False),
    ]
    target = scenario.stop.target
    levels = [] if target is None else [Level(target, f"target {target:,g}", scenario.metric)]
    return widget(
        "",
        curves,
        _places(steps),
        y,
        [*levels, *more],
        note="Past its end a seed keeps its last value of a metric." if metrics else "",
    )


def _metrics(steps: Columns, first: str) -> list[str]:
    """The columns that objectives and observers measured, the scenario's metric first."""
    found = [name for name, values in steps.items() if name not in NO_METRICS]
    known = [name for name in found if np.isfinite(_clean(steps[name])).any()]
    return sorted(known, key=lambda name: name != first)


def _clean(values: Any) -> Floats:
    """Numbers, with NaN for those that no axis can show."""
    numbers = np.asarray(values, np.float64)
    return np.where(np.abs(numbers) < LARGEST, numbers, np.nan)


def _places(steps: Columns) -> list[Axis]:
    """The columns against which a metric can be drawn, as far as they are known."""
    known = [name for name in PLACES.values() if name in steps and np.nan_to_num(steps[name]).any()]
    return [Axis(name, NAMES[name], is_wide(steps, name)) for name in known or ["time"]]


def _in_order(results: Results, runs: dict[tuple[Any, ...], Integers]) -> dict[Any, Integers]:
    """Runs in the order of the scenario's methods, then of its seeds."""
    order = {label: at for at, label in enumerate(results.scenario.methods)}
    return dict(sorted(runs.items(), key=lambda run: (order.get(run[0][0], 0), run[0][1])))


def _room(runs: int) -> int:
    return max(FEWEST, min(MOST, POINTS // max(1, runs)))


def thinned(count: int, most: int) -> Integers:
    """Some of the rows, for a linear and a logarithmic axis; the first and the last are among them.

    >>> thinned(5, 10).tolist(), thinned(1000, 6).tolist()
    ([0, 1, 2, 3, 4], [0, 1, 32, 500, 999])
    """
    if count <= most:
        return np.arange(count)
    even = np.linspace(0, count - 1, most // 2)
    early = np.geomspace(1, count - 1, most // 2)
    return np.unique(np.concatenate([even, early]).round().astype(np.int64))


# Staleness and waste


def staleness(results: Results) -> Widget:
    """Delays of used gradients and wasted computing, averaged over parts of each run."""
    steps = results.step_columns
    runs = _in_order(results, groups(steps, ("method", "seed")))
    wasted = _wasted(results)
    curves = [
        Curve(method, str(seed), _binned(rows(steps, at), wasted.get((method, seed))))
        for (method, seed), at in runs.items()
    ]
    y = [
        Axis("mean_delay", "mean delay (server steps)"),
        Axis("max_delay", "largest delay (server steps)"),
    ]
    y += [Axis("wasted", "share of computing wasted")] if wasted else []
    note = "A delay counts the server steps between a gradient's point and the step that used it."
    note += "" if wasted else "  Waste over time needs the tickets, which were not recorded."
    return widget("", curves, _places(steps), y, note=note)


def _binned(own: Columns, wasted: tuple[Floats, Floats, Floats] | None) -> Columns:
    """Consecutive steps together: delays weighted by gradients, and the wasted share."""
    count = length(own) - 1
    edges = np.unique(np.linspace(0, count, min(BINS, max(1, count)) + 1).round().astype(int))
    starts, ends = edges[:-1], edges[1:]
    if not len(starts):  # a run without a step has one row
        starts = ends = np.zeros(1, int)
    last = rows(own, ends)
    tickets, delays = own["tickets"].astype(np.float64), own["mean_delay"] * own["tickets"]
    sums = [np.append(0.0, np.cumsum(each)) for each in (tickets, delays)]
    used, delay = (total[ends + 1] - total[starts + 1] for total in sums)
    found = {name: values for name, values in last.items() if name in PLACES.values()}
    found["mean_delay"] = delay / np.maximum(used, 1.0)
    found["max_delay"] = np.array(
        [own["max_delay"][a + 1 : b + 1].max(initial=0) for a, b in zip(starts, ends, strict=True)]
    )
    found["wasted"] = np.full(len(ends), np.nan)
    if wasted is not None:
        found["wasted"] = _share(wasted, np.append(own["time"][starts[0]], last["time"]))
    return found


def _share(wasted: tuple[Floats, Floats, Floats], edges: Floats) -> Floats:
    """The wasted share of the computing that ended between two times."""
    finish, seconds, lost = wasted
    at = np.searchsorted(finish, edges, side="right")
    totals = [np.append(0.0, np.cumsum(each))[at] for each in (seconds, seconds * lost)]
    every, waste = (np.diff(total) for total in totals)
    return np.where(every > 0, waste / np.where(every > 0, every, 1.0), 0.0)


def _wasted(results: Results) -> dict[tuple[str, int], tuple[Floats, Floats, Floats]]:
    """Finish, seconds, and whether they were wasted, of each run's computations by their finish."""
    tickets = results.ticket_columns
    if tickets is None:
        return {}
    found = {}
    for (method, seed), at in groups(tickets, ("method", "seed")).items():
        own = rows(tickets, at)
        own = rows(own, np.argsort(own["finish"], kind="stable"))
        lost = ~np.isin(own["outcome"].astype(str), GOING)
        found[method, seed] = own["finish"], own["finish"] - own["start"], lost.astype(np.float64)
    return found
