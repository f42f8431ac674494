"""What are the results of a study?  Its exponents as a table, and its figure."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import rc_context

from simulator.figures.drawing import save_all
from simulator.figures.style import STYLE, sheet
from simulator.statistics.exponents import exponents
from simulator.statistics.samples import median
from simulator.study.complexity import LARGE, plot_complexity
from simulator.text_table import Table
from simulator.training.record import BROKEN

DASH = "\N{EN DASH}"
APART = 0.3
"""Between a measured exponent and a predicted one, from which on the notes point to a reason."""


def fitted(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """A row per method: its exponents, and how many runs reached the target."""
    runs = frame.groupby("method", sort=False)["reached"]
    return exponents(frame, confidence).assign(
        reached=runs.sum().to_numpy(), of=runs.size().to_numpy()
    )


def table(frame: pd.DataFrame, confidence: float) -> Table:
    """The median time at both ends, the exponents, and how many runs reached the target."""
    values = frame["value"].min(), frame["value"].max()
    ends = [f"seconds at {value:,g}" for value in values]
    headings = ["method", *ends, "exponent", "interval", "predicted", "reached"]
    rows = []
    for row in fitted(frame, confidence).to_dict("records"):
        own = frame[frame["method"] == row["method"]]
        seconds = (median(own.loc[own["value"] == value, "seconds"]) for value in values)
        measured, low, high, predicted = (
            _number(row[name], ".2f") for name in ("measured", "low", "high", "predicted")
        )
        interval = DASH if _is_nan(row["low"]) else f"{low} to {high}"
        reached, times = f"{row['reached']}/{row['of']}", (_number(x, ",.4g") for x in seconds)
        rows.append([str(row["method"]), *times, measured, interval, predicted, reached])
    return Table(headings, rows)


def notes(frame: pd.DataFrame, confidence: float) -> list[str]:
    """The meaning of the columns, and the first failure of each method."""
    parameter, seeds = frame["parameter"].iloc[0], frame["seed"].nunique()
    source = "over seeds" if seeds > 1 else "from the residuals, for want of seeds"
    lines = [
        f"exponent: of the median time to the target against {parameter}, fitted on all values; "
        f"interval: {confidence:.0%}, {source}",
        "predicted: the exponent of theory's formula over the same values",
    ]
    if frame["predicted"].isna().any():
        lines.append(
            f"predicted {DASH}: theory speaks of the time to a gradient's norm "
            "(evaluation.metric = 'gradient_norm'), on steady clusters, and not of every method"
        )
    if apart := _apart(frame, confidence):
        lines.append(
            f"measured and predicted are far apart for {', '.join(apart)}: "
            "'Why measured and predicted differ' in docs/tables.md explains it"
        )
    wrong = frame[frame["end"].isin(BROKEN)]
    for row in wrong.drop_duplicates("method").to_dict("records"):
        at = f"{parameter} = {row['value']:g}, seed {row['seed']}"
        lines.append(f"{row['method']} {row['end']} at {at}: {row['message']}")
    return lines


def _apart(frame: pd.DataFrame, confidence: float) -> list[str]:
    """Methods whose exponents differ by more than theory's constants usually explain."""
    found = fitted(frame, confidence)
    return found.loc[(found["measured"] - found["predicted"]).abs() > APART, "method"].tolist()


@rc_context(STYLE)
def draw(
    frame: pd.DataFrame, directory: Path, confidence: float, formats: Sequence[str] = ("png",)
) -> list[Path]:
    """Write the figure in each format."""
    figure, axes = sheet(LARGE)
    plot_complexity(frame, axes, confidence=confidence)
    return save_all(figure, directory / "figures" / "complexity", formats)


def as_data(frame: pd.DataFrame, directory: Path, confidence: float) -> dict[str, Any]:
    """The table as plain data; unknown numbers are null."""
    rows = fitted(frame, confidence).to_dict("records")
    return {
        "directory": str(directory),
        "parameter": str(frame["parameter"].iloc[0]),
        "values": sorted(frame["value"].unique().tolist()),
        "methods": [{str(k): None if _is_nan(v) else v for k, v in row.items()} for row in rows],
    }


def _number(value: float, form: str) -> str:
    # "z" turns a negative zero into zero.
    return f"{value:z{form}}" if math.isfinite(value) else DASH


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
