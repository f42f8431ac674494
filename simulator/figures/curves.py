"""How does something change as a run goes on?  Curves per method, on axes.

Each function takes the ``steps`` of results and draws on ``ax``, or in a new figure; ``methods``
chooses and orders them.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from simulator.figures.chart import known_metric, metric_chart
from simulator.figures.drawing import draw_chart
from simulator.figures.looks import looks
from simulator.figures.style import draw_level, fresh, key_above, styled
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.columns import Columns, columns_of


@styled
def plot_metric(
    steps: pd.DataFrame,
    ax: Axes | None = None,
    *,
    metric: str,
    x: str = "time",
    target: float | None = None,
    higher: bool | None = None,
    methods: Sequence[str] | None = None,
) -> Axes:
    """A metric against ``time``, ``step``, ``gradients`` or ``environment_steps``.

    A dot marks where the median seed reaches the target; ``higher`` tells in which direction that
    is, where the metric is not one of ours.

    >>> frame = {"method": "afedpg", "seed": 0, "step": [0, 1], "time": [0.0, 1.5]}
    >>> axes = plot_metric(pd.DataFrame(frame | {"gap": [4.0, 2.0]}), metric="gap", target=2.0)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('simulated time (s)', 'optimality gap')
    """
    rows = columns_by_method(steps, methods)
    chart = metric_chart(rows, x, metric, target=target, higher=higher)
    axes = ax or fresh()
    draw_chart(axes, chart, looks(rows))
    if target is not None:
        draw_level(axes, target, f"target\n{target:,g}")
    key_above(axes)
    return axes


@styled
def plot_signal_to_noise(
    steps: pd.DataFrame,
    ax: Axes | None = None,
    *,
    x: str = "time",
    methods: Sequence[str] | None = None,
) -> Axes:
    """How much of what a server step goes by is signal, where that was recorded.

    >>> frame = {"method": "afedpg", "seed": 0, "time": [0.0, 1.5], "signal_to_noise": [4.0, 0.5]}
    >>> plot_signal_to_noise(pd.DataFrame(frame)).get_yscale()
    'log'
    """
    rows = columns_by_method(steps, methods)
    known_metric(columns_of(steps), "signal_to_noise")
    chart = metric_chart(rows, x, "signal_to_noise")
    axes = ax or fresh()
    draw_chart(axes, chart._replace(logarithmic=(chart.logarithmic[0], True)), looks(rows))
    draw_level(axes, 1.0, "as much\nnoise as\nsignal")
    key_above(axes)
    return axes


def rows_of(frame: pd.DataFrame, methods: Sequence[str] | None = None) -> dict[str, pd.DataFrame]:
    """The rows of every method that has some, in their own order or the one that is asked for."""
    there = list(dict.fromkeys(frame["method"])) if "method" in frame else []
    if not there:
        raise Mistake("there is nothing to draw: the frame has no rows of a method")
    for label in methods or ():
        if label not in there:
            raise Mistake(f"method {label!r}: no such method; {did_you_mean(label, there)}")
    return {label: frame[frame["method"] == label] for label in methods or there}


def columns_by_method(
    frame: pd.DataFrame, methods: Sequence[str] | None = None
) -> dict[str, Columns]:
    """The same rows as arrays."""
    return {label: columns_of(mine) for label, mine in rows_of(frame, methods).items()}
