"""What did a study find?  Its exponents as a table, and its figure."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import rc_context

from simulator.figures.drawing import save
from simulator.figures.style import STYLE, sheet
from simulator.statistics.exponents import exponents
from simulator.statistics.samples import median
from simulator.study.complexity import plot_complexity
from simulator.text_table import Table

DASH = "\N{EN DASH}"
APART = 0.3
"""Between a measured exponent and a predicted one, from which on the notes point to a reason."""


def fitted(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """A row per method: its exponents, and how many runs reached the target."""
    found = exponents(frame, confidence)
    runs = frame.groupby("method", sort=False)["reached"]
    return found.assign(reached=runs.sum().to_numpy(), of=runs.size().to_numpy())


def table(fitted: pd.DataFrame, frame: pd.DataFrame) -> Table:
    """The median time at both ends, the exponents, and how many runs got there."""
    values = frame["value"].min(), frame["value"].max()
    ends = [f"seconds at {value:,g}" for value in values]
    headings = ["method", *ends, "exponent", "interval", "predicted", "reached"]
    rows = []
    for row in fitted.to_dict("records"):
        mine = frame[frame["method"] == row["method"]]
        seconds = (median(mine.loc[mine["value"] == value, "seconds"]) for value in values)
        times = [_number(each, ",.4g") for each in seconds]
        exponents = [_number(row["measured"], ".2f"), _interval(row)]
        law, reached = _number(row["predicted"], ".2f"), f"{row['reached']}/{row['of']}"
        rows.append([str(row["method"]), *times, *exponents, law, reached])
    return Table(headings, rows)


def notes(frame: pd.DataFrame, confidence: float) -> list[str]:
    """What the table's columns mean, and what went wrong."""
    what = frame["parameter"].iloc[0]
    told = [
        f"exponent: of the median time to the target against {what}, fitted on all values; "
        f"interval: {confidence:.0%}, {_whence(frame)}",
        "predicted: the exponent of theory's formula over the same values",
    ]
    if frame["predicted"].isna().any():
        told.append(
            f"predicted {DASH}: theory speaks of the time to a gradient's norm "
            "(evaluation.metric = 'gradient_norm'), on steady clusters, and not of every method"
        )
    if apart := _apart(frame, confidence):
        told.append(
            f"measured and predicted are far apart for {', '.join(apart)}: "
            "'Why measured and predicted differ' in docs/complexity.md explains it"
        )
    wrong = frame[frame["end"].isin(["failed", "stalled"])]
    for row in wrong.drop_duplicates("method").to_dict("records"):
        at = f"{what} = {row['value']:g}, seed {row['seed']}"
        told.append(f"{row['method']} {row['end']} at {at}: {row['message']}")
    return told


def _apart(frame: pd.DataFrame, confidence: float) -> list[str]:
    """Methods whose exponents differ by more than theory's constants usually explain."""
    found = fitted(frame, confidence)
    return found.loc[(found["measured"] - found["predicted"]).abs() > APART, "method"].tolist()


def _whence(frame: pd.DataFrame) -> str:
    return "over seeds" if frame["seed"].nunique() > 1 else "from the residuals, for want of seeds"


@rc_context(STYLE)
def draw(
    frame: pd.DataFrame, directory: Path, confidence: float, formats: Sequence[str] = ("png",)
) -> list[Path]:
    """The figure, in each format."""
    figures = directory / "figures"
    figures.mkdir(exist_ok=True)
    figure, axes = sheet((5.2, 4.2))
    plot_complexity(frame, axes, confidence=confidence)
    written = [figures / f"complexity.{suffix}" for suffix in formats]
    for path in written:
        save(figure, path)
    return written


def as_data(fitted: pd.DataFrame, frame: pd.DataFrame, directory: Path) -> dict[str, Any]:
    """The same as plain data: what is not known is null."""
    rows = fitted.to_dict("records")
    plain = [{str(k): None if _is_nan(v) else v for k, v in row.items()} for row in rows]
    return {
        "directory": str(directory),
        "parameter": str(frame["parameter"].iloc[0]),
        "values": sorted(frame["value"].unique().tolist()),
        "methods": plain,
    }


def _interval(row: dict[Any, Any]) -> str:
    if _is_nan(row["low"]):
        return DASH
    return f"{_number(row['low'], '.2f')} to {_number(row['high'], '.2f')}"


def _number(value: float, form: str) -> str:
    # No zero is negative.
    return f"{value:z{form}}" if math.isfinite(value) else DASH


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
