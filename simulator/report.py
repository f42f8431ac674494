"""How does a reader see the outcome?  One table that needs no documentation."""

import math

from rich.table import Table

from simulator.results import Results
from simulator.scenario import Scenario
from simulator.summary import Row, summarise, synchronous_label

DASH = "–"  # noqa: RUF001 (as tables have it)


def table(results: Results) -> Table:
    """A line per method: how soon, with how much work, and how well the cluster was used."""
    scenario, rows = results.scenario, summarise(results)
    has_target = scenario.stop.target is not None
    compares = has_target and synchronous_label(scenario) is not None
    seeds = max((row.seeds for row in rows), default=0)
    view = Table(title=title(scenario, seeds), title_justify="left", title_style="bold")
    view.add_column("method")
    view.add_column(
        "seconds to target" if has_target else f"{scenario.metric} at the end", justify="right"
    )
    for heading in ("server steps", "gradients used / dropped", "workers idle"):
        view.add_column(heading, justify="right")
    if compares:
        view.add_column("speed-up", justify="right")
    for row in rows:
        outcome = _seconds(row) if has_target else _number(row.final_metric)
        cells = [row.method, outcome, _many(row.steps), _gradients(row), _share(row.idle_share)]
        view.add_row(*cells, *([_speed_up(row)] if compares else []))
    return view


def title(scenario: Scenario, seeds: int) -> str:
    """What was asked, as a sentence."""
    stop = scenario.stop
    goal = f"{scenario.metric} of {stop.target:g}" if stop.target is not None else scenario.metric
    limits = [
        f"{value:,.10g} {unit}"
        for value, unit in (
            (stop.seconds, "simulated seconds"),
            (stop.steps, "server steps"),
            (stop.gradients, "gradients"),
        )
        if value is not None
    ]
    median = f" (median of {seeds} seeds)" if seeds > 1 else ""
    name = f"{scenario.title}: " if scenario.title else ""
    return f"{name}{goal} within {' or '.join(limits)}{median}"


def notes(results: Results) -> list[str]:
    """What the table's words mean, and which runs did not end as they should."""
    scenario = results.scenario
    lines = []
    if scenario.stop.target is not None:
        if reference := synchronous_label(scenario):
            lines.append(f"speed-up: simulated seconds to the target, against {reference}")
        lines.append("dropped: recalled while in flight, or obsolete when done")
    broken = results.runs[results.runs["end"].isin(["stalled", "failed"])]
    lines += [
        f"{run.method}, seed {run.seed}, {run.end}: {run.message}" for run in broken.itertuples()
    ]
    return lines


def _seconds(row: Row) -> str:
    some = f" ({row.reached} of {row.seeds} seeds)" if 0 < row.reached < row.seeds else ""
    if math.isfinite(row.seconds_to_target):
        return f"{row.seconds_to_target:,.4g}{some}"
    return f"not within {row.watched:,.10g} s{some}"


def _gradients(row: Row) -> str:
    return f"{_many(row.used)} / {_many(row.thrown_away)}"


def _speed_up(row: Row) -> str:
    if row.speed_up is None:
        return DASH
    return f"{'> ' if row.speed_up_is_bound else ''}{row.speed_up:.3g}"


def _share(value: float) -> str:
    return DASH if math.isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return DASH if math.isnan(value) else f"{value:.4g}"


def _many(count: float) -> str:
    return f"{count:,.0f}"
