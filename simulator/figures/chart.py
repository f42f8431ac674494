"""Which curves does a figure show?  Plain data, made without matplotlib and without pandas.

A curve is the median over seeds, with its band: see ``statistics/curves.py``.
"""

from simulator.figures.pictures import Chart
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.columns import Columns, groups, join
from simulator.statistics.curves import PLACES, arrivals, band, is_higher_better, known_metric

WIDE = 10.0
"""An axis is logarithmic where the longest run is at least so many times the shortest."""

NAMES = {
    "time": "simulated time (s)",
    "environment_steps": "environment steps",
    "gradients": "gradients used",
    "step": "server steps",
    "gap": "optimality gap",
    "gradient_norm": "gradient norm",
    "signal_to_noise": "signal-to-noise ratio",
}


def metric_chart(
    by_method: dict[str, Columns],
    x: str,
    metric: str,
    *,
    target: float | None = None,
    higher: bool | None = None,
) -> Chart:
    """The curves of a metric; one of which less is better has a logarithmic axis."""
    every = join(list(by_method.values()))
    known_metric(every, metric)
    if x not in every:
        raise Mistake(f"x = {x!r}: no such column; {did_you_mean(x, PLACES.values())}")
    higher = is_higher_better(metric) if higher is None else higher
    curves = {label: band(mine, x, metric) for label, mine in by_method.items()}
    dots: dict[str, tuple[float, float]] = {}
    if target is not None:
        places = arrivals(every, x, target, metric, higher)
        dots = {label: (place, target) for label, place in places.items()}
    names = NAMES.get(x, x), NAMES.get(metric, metric)
    return Chart(curves, dots, names, (is_wide(every, x), higher is False), held=True)


def is_wide(steps: Columns, x: str) -> bool:
    """Whether the runs end so far apart that the short ones need a logarithmic axis."""
    ends = [steps[x][mine].max() for mine in groups(steps, ("method", "seed")).values()]
    positive = [end for end in ends if end > 0]
    return bool(positive) and bool(max(positive) >= WIDE * min(positive))
