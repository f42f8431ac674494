"""How does something change as a run goes on?  Curves per method, on axes.

Each function takes the ``steps`` of results and draws on ``ax``, or in a new figure; ``methods``
chooses and orders them.
"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from simulator.figures.chart import metric_chart
from simulator.figures.drawing import draw_chart
from simulator.figures.looks import looks
from simulator.figures.style import axes_of, draw_level, key_above, styled
from simulator.mistakes import Mistake
from simulator.results.columns import columns_of
from simulator.results.results import Results
from simulator.statistics.curves import known_metric
from simulator.statistics.frames import check_frame, columns_by_method


@styled
def plot_metric(
    steps: pd.DataFrame | Results,
    ax: Axes | None = None,
    *,
    metric: str | None = None,
    x: str = "time",
    target: float | None = None,
    higher: bool | None = None,
    methods: str | Sequence[str] | None = None,
) -> Axes:
    """A metric against ``time``, ``step``, ``gradients`` or ``environment_steps``.

    Of results, the metric and its target are the scenario's unless given.
    A dot marks where the median seed reaches the target; ``higher`` tells in which direction that
    is, where the metric is not one of ours.

    >>> frame = {"method": "afedpg", "seed": 0, "step": [0, 1], "time": [0.0, 1.5]}
    >>> axes = plot_metric(pd.DataFrame(frame | {"gap": [4.0, 2.0]}), metric="gap", target=2.0)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('simulated time (s)', 'optimality gap')
    """
    if isinstance(steps, Results):
        scenario = steps.scenario
        metric = metric or scenario.metric
        if target is None and metric == scenario.metric:
            target = scenario.stop.target
        steps = steps.steps
    check_frame("plot_metric", "steps", steps, "results.steps, or results themselves")
    if metric is None:
        raise Mistake("plot_metric: needs metric=..., such as 'return'; only results know theirs")
    rows = columns_by_method(steps, methods)
    chart = metric_chart(rows, x, metric, target=target, higher=higher)
    axes = axes_of(ax)
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
    methods: str | Sequence[str] | None = None,
) -> Axes:
    """How much of what a server step goes by is signal, where that was recorded.

    >>> frame = {"method": "afedpg", "seed": 0, "time": [0.0, 1.5], "signal_to_noise": [4.0, 0.5]}
    >>> plot_signal_to_noise(pd.DataFrame(frame)).get_yscale()
    'log'
    """
    check_frame("plot_signal_to_noise", "steps", steps, "results.steps")
    rows = columns_by_method(steps, methods)
    known_metric(columns_of(steps), "signal_to_noise")
    chart = metric_chart(rows, x, "signal_to_noise")
    axes = axes_of(ax)
    draw_chart(axes, chart._replace(logarithmic=(chart.logarithmic[0], True)), looks(rows))
    draw_level(axes, 1.0, "as much\nnoise as\nsignal")
    key_above(axes)
    return axes
