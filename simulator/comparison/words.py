"""How is a comparison shown?  A table of methods and levels, and a sentence per level."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from simulator.comparison.comparison import Compared
from simulator.statistics.ahead import Standing
from simulator.sweeps import tuning
from simulator.sweeps.sweep import Swept
from simulator.text_table import Table

DASH = "\N{EN DASH}"
NEVER = "never"


def tables(compared: Compared) -> list[Table]:
    """The tuned settings, if there are some, and the comparison."""
    tuned = []
    if swept := compared.swept:
        tuned = tuning.tables(tuning.best_of(swept.frame), swept)[:1]
    return [*tuned, _table(compared)]


def _table(compared: Compared) -> Table:
    scenario = compared.scenario
    metric, percent = scenario.metric.replace("_", " "), f"{compared.confidence:.0%}"
    headings = [
        *("method", metric, "seconds", "20% to 80%", "reached", "gradients used"),
        *("times as long", f"{percent} interval", "verdict"),
    ]
    rows = [list(cells(each)) for each in compared.standings]
    seeds = "one seed" if len(scenario.seeds) == 1 else f"{len(scenario.seeds)} seeds"
    title = f"{scenario.title or 'Comparison'}: seconds to a level, {seeds}"
    return Table(headings, rows, title, words=(0, 8))


class Cells(NamedTuple):
    """A row of the table."""

    method: str
    level: str
    seconds: str
    spread: str
    reached: str
    gradients: str
    times: str
    interval: str
    verdict: str


def cells(each: Standing) -> Cells:
    """A standing as it is shown."""
    leads = each.method == each.leader
    return Cells(
        each.method,
        f"{each.level:,.4g}",
        _number(each.seconds),
        f"{_number(each.low)} to {_number(each.high)}" if each.reached else DASH,
        f"{each.reached} of {each.seeds}",
        _number(each.gradients),
        DASH if leads else f"{_at_least(each)}{_number(each.times)}",
        DASH if leads else f"{_number(each.times_low)} to {_number(each.times_high)}",
        each.verdict,
    )


def _at_least(each: Standing) -> str:
    return "\N{GREATER-THAN OR EQUAL TO} " if each.at_least and math.isfinite(each.times) else ""


def _number(value: float) -> str:
    if math.isnan(value):
        return DASH
    if not math.isfinite(value):
        return NEVER
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def notes(compared: Compared) -> list[str]:
    """A sentence per level, and what limits the comparison."""
    lines = [
        _sentence(compared, [*each])
        for _, each in groupby(compared.standings, key=lambda each: each.level)
    ]
    if not compared.levels:
        lines.append("no method ends with a finite metric, so there are no levels; use --levels")
    if compared.swept is None:
        lines.append("the settings were not tuned here; --tune tunes all methods alike")
    else:
        lines += _about_tuning(compared.swept)
    if len(compared.scenario.seeds) < 3:
        lines.append("two seeds or fewer tell little apart; give more by --seeds")
    return lines


def _about_tuning(swept: Swept) -> list[str]:
    """Methods that no setting brings to the target, and best settings at the end of those tried."""
    best = tuning.best_of(swept.frame).to_dict("records")
    lost = [row["method"] for row in best if row["score"] == math.inf]
    edges = [row for row in best if row["edges"] and row["method"] not in lost]
    lines = [f"{row['method']}: {'; '.join(row['edges'])}" for row in edges]
    if lost:
        lines.append(
            f"{', '.join(lost)}: no setting reaches the target on half of its seeds; "
            "give a longer stop.seconds or other values"
        )
    if edges:
        lines.append("a better setting may lie beyond; give --tune more values in the same --out")
    return lines


def _sentence(compared: Compared, at: Sequence[Standing]) -> str:
    leader, *others = at
    where = f"{compared.scenario.metric.replace('_', ' ')} {leader.level:,.4g}"
    if not leader.reached:
        return f"{where}: no method reaches it"
    parts = []
    behind = [each for each in others if each.verdict in ("behind", NEVER)]
    for each in behind:
        more = "at least " if each.at_least else ""
        interval = f"{_number(each.times_low)} to {_number(each.times_high)}"
        parts.append(
            f"{each.method} needs {more}{_number(each.times)} times as long ({interval})"
            if math.isfinite(each.times)
            else f"{each.method} never reaches it"
        )
    if equal := [each.method for each in others if each not in behind]:
        parts.append(f"not told apart: {', '.join(equal)}")
    return f"{where}: {leader.method} leads; {'; '.join(parts)}"


def as_data(compared: Compared) -> dict[str, Any]:
    """The comparison as plain data: what is not known, or never, is null."""
    swept = compared.swept
    best = tuning.as_data(tuning.best_of(swept.frame), swept)["methods"] if swept else None
    return {
        "directory": str(compared.directory),
        "metric": compared.scenario.metric,
        "seeds": compared.scenario.seeds,
        "confidence": compared.confidence,
        "tuned": best,
        "levels": [
            {name: _plain(value) for name, value in each.as_row().items()}
            for each in compared.standings
        ],
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
