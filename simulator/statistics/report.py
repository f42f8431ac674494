"""The outcome as one table, with notes."""

import math

from simulator.mistakes import printable
from simulator.results.results import Results
from simulator.scenario.scenario import Scenario
from simulator.statistics.summary import Row, summarise, synchronous_label
from simulator.text_table import Table

DASH = "–"  # noqa: RUF001 (as tables have it)


def table(results: Results) -> Table:
    """A line per method: its time, its work, and the use of the cluster."""
    scenario, rows = results.scenario, summarise(results)
    seeds = max((row.seeds for row in rows), default=0)
    goal = "" if results.schedule_only else goal_of(scenario)
    columns = {"method": [row.method for row in rows]}
    columns |= _of_schedules(rows) if results.schedule_only else _of_learning(scenario, rows)
    lines = list(zip(*columns.values(), strict=True))
    return Table(list(columns), lines, title(scenario, seeds, goal))


def _of_learning(scenario: Scenario, rows: list[Row]) -> dict[str, list[str]]:
    if has_target := scenario.stop.target is not None:
        first = {"seconds to target": [_seconds(row) for row in rows]}
    else:
        first = {f"{scenario.metric} at the end": [_number(row.final_metric) for row in rows]}
    columns = {
        **first,
        "server steps": [_count(row.steps) for row in rows],
        "gradients used": [_count(row.used) for row in rows],
        "work wasted": [_share(row.wasted) for row in rows],
        "workers idle": [_share(row.idle_share) for row in rows],
    }
    columns |= _of_the_server(rows)
    if has_target and synchronous_label(scenario) is not None:
        columns["speed-up"] = [_speed_up(row) for row in rows]
    return columns


def _of_schedules(rows: list[Row]) -> dict[str, list[str]]:
    columns = {
        "simulated seconds": [_number(row.simulated_seconds) for row in rows],
        "server steps": [_count(row.steps) for row in rows],
        "seconds per step": [_number(row.seconds_per_step) for row in rows],
        "gradients used": [_count(row.used) for row in rows],
        "work wasted": [_share(row.wasted) for row in rows],
        "busy": [_share(row.busy_share) for row in rows],
        "sending": [_share(row.communicating_share) for row in rows],
        "down": [_share(row.down_share) for row in rows],
        "idle": [_share(row.idle_share) for row in rows],
    }
    if not any(row.communicating_share > 0 for row in rows):
        del columns["sending"]
    if not any(row.down_share > 0 for row in rows):
        del columns["down"]
    return columns | _of_the_server(rows)


def _of_the_server(rows: list[Row]) -> dict[str, list[str]]:
    """What its time costs, if its updates take any."""
    if not any(row.training_share > 0 for row in rows):
        return {}
    return {
        "server busy": [_share(row.training_share) for row in rows],
        "age": [_number(round(row.age, 2)) for row in rows],
    }


def goal_of(scenario: Scenario) -> str:
    target = scenario.stop.target
    return f"{scenario.metric} of {target:g}" if target is not None else scenario.metric


def title(scenario: Scenario, seeds: int, goal: str) -> str:
    stop = scenario.stop
    units = {
        "simulated seconds": stop.seconds,
        "server steps": stop.steps,
        "gradients": stop.gradients,
    }
    limits = [f"{value:,.10g} {unit}" for unit, value in units.items() if value is not None]
    median = f" (median of {seeds} seeds)" if seeds > 1 else ""
    name = f"{scenario.title}: " if scenario.title else ""
    return f"{name}{f'{goal} within ' if goal else ''}{' or '.join(limits)}{median}"


def notes(results: Results) -> list[str]:
    """The meaning of the table's words, and the runs that failed or stalled."""
    scenario = results.scenario
    lines = []
    reference = synchronous_label(scenario)
    if scenario.stop.target is not None and reference and not results.schedule_only:
        lines.append(f"speed-up: simulated seconds to the target, against {reference}")
    lines.append("work wasted: computing that went into recalled, obsolete or lost gradients")
    if scenario.server is not None:
        lines.append("age: server steps since the gradients were ordered, on average")
    return [*lines, *failures(results)]


def failures(results: Results) -> list[str]:
    """The runs that failed or stalled, and the commands that repeat the failures."""
    lines = []
    for run in results.manifest["runs"]:
        if run["end"] not in ("stalled", "failed"):
            continue
        message = printable(run["message"])
        lines.append(f"{run['method']}, seed {run['seed']}, {run['end']}: {message}")
        if run["failed_ticket"]:
            options = f"{run['failed_ticket']} --method {run['method']} --seed {run['seed']}"
            lines.append(f"  once more: straggle replay {results.directory} {options}")
    return lines


def _seconds(row: Row) -> str:
    some = f" ({row.reached} of {row.seeds} seeds)" if 0 < row.reached < row.seeds else ""
    if math.isfinite(row.seconds_to_target):
        return f"{_number(row.seconds_to_target)}{some}"
    return f"not within {row.watched:,.10g} s{some}" if row.watched else DASH


def _speed_up(row: Row) -> str:
    if row.speed_up is None:
        return DASH
    return f"{'> ' if row.speed_up_is_bound else ''}{row.speed_up:.3g}"


def _share(value: float) -> str:
    if math.isnan(value):
        return DASH
    return f"{value:.1%}" if 0.0005 <= value < 0.1 else f"{abs(value):.0%}"


def _number(value: float) -> str:
    if math.isnan(value):
        return DASH
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def _count(number: float) -> str:
    return f"{number:,.0f}"
