"""What did the panels of the paper measure?  Tables from the evaluations of their races.

``docs/panels/NAME.parquet`` has a row per method, seed and evaluation; docs/panels.py writes it.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from simulator import load
from simulator.comparison.words import cells
from simulator.results.columns import Columns
from simulator.scenario.scenario import Scenario
from simulator.statistics.ahead import LATE, Standing, levels_of, standings

FOLDER = Path(__file__).resolve().parent.parent / "panels"
SHOWN = 1, 3
"""The levels that a table shows: half of the way, and all of it."""


class Panel(NamedTuple):
    """The race of one panel."""

    scenario: Scenario
    evaluations: pd.DataFrame

    @property
    def standings(self) -> list[Standing]:
        columns: Columns = {
            name: self.evaluations[name].to_numpy(object) for name in self.evaluations
        }
        levels = levels_of(columns, "return", True, None)
        return standings(columns, "return", True, levels, 0.9)

    def late(self, method: str) -> "pd.Series[float]":
        """Every seed's median return over the last fifth of the run."""
        runs = self.evaluations[self.evaluations["method"] == method]
        last = runs[runs["time"] >= LATE * runs.groupby("seed")["time"].transform("max")]
        return last.groupby("seed")["return"].median()


def read(name: str) -> Panel:
    return Panel(load(f"paper/{name}"), pd.read_parquet(FOLDER / f"{name}.parquet"))


def panel(folder: Path, name: str) -> str:
    """The methods of a panel: settings, final return, and times to two levels."""
    found = read(name)
    standing = found.standings
    levels = list(dict.fromkeys(each.level for each in standing))
    shown = [levels[at] for at in SHOWN if at < len(levels)]
    headings = ["method", "settings", "return at the end"]
    for level in shown:
        headings += [f"seconds to {level:,g}", "gradients", "times as long"]
    rows = [headings, ["---"] * len(headings)]
    for method in found.scenario.methods:
        row = [f"`{method}`", _settings(found.scenario, method), _spread(found.late(method))]
        for each in standing:
            if each.method == method and each.level in shown:
                row += _cells(each)
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _settings(scenario: Scenario, method: str) -> str:
    given = scenario.methods[method].model_dump(exclude_unset=True)
    chosen = f"M = {given['batch']}" if "batch" in given else f"η = {given['momentum']:g}"
    return f"\N{GREEK SMALL LETTER ALPHA} = 2^{np.log2(given['step']):.0f}, {chosen}"


def _spread(late: "pd.Series[float]") -> str:
    return f"{late.median():.4g} ({late.min():.4g} to {late.max():.4g})"


def _cells(each: Standing) -> list[str]:
    """Seconds, gradients and the ratio at a level, the leader's in bold."""
    cell = cells(each)
    if each.verdict == "leads":
        return [f"**{cell.seconds}**", cell.gradients, "leads"]
    ratio = f"{cell.times} ({cell.interval})"
    if each.verdict == "not told apart":
        ratio += ", not told apart"
    return [cell.seconds, cell.gradients, ratio]
