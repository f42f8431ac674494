"""What did a sweep find?  The best setting of every method as a table, and what to mind."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from rich.table import Table

from simulator.plots import save
from simulator.score import best, keys_of, ranked
from simulator.sensitivity import draw_sensitivity
from simulator.settings import is_circumstance, told_of
from simulator.style import STYLE

if TYPE_CHECKING:
    from simulator.sweep import Swept

DASH = "\N{EN DASH}"


def found(frame: pd.DataFrame) -> pd.DataFrame:
    """A row per case and method: its best setting, and ``tried``, ``broken``, ``edges``, ``tied``.

    ``tried`` settings there were, and ``broken`` runs among them; ``edges`` are words about a best
    value that is the smallest or largest of those tried, beyond which a better one may lie.
    """
    groups = frame.groupby(["case", "method"], sort=False)
    chosen = best(ranked(frame))
    told = [_around(row, groups.get_group((row["case"], row["method"]))) for row in _rows(chosen)]
    return chosen.assign(**pd.DataFrame(told, index=chosen.index))


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _around(row: dict[str, Any], mine: pd.DataFrame) -> dict[str, Any]:
    return {
        "tried": mine["setting"].nunique(),
        "total": len(mine),
        "broken": int(mine["end"].isin(["failed", "stalled"]).sum()),
        "edges": [told for name in keys_of(mine) if (told := _edge(name, row, mine))],
    }


def _edge(name: str, row: dict[str, Any], mine: pd.DataFrame) -> str:
    """Whether the best value of a method's key is at the end of those tried."""
    values = mine[name].dropna()
    if is_circumstance(name) or values.nunique() < 2 or not pd.api.types.is_numeric_dtype(values):
        return ""
    if row["failed"] == row["runs"]:
        return ""
    for end, word in ((values.max(), "largest"), (values.min(), "smallest")):
        if row[name] == end:
            return f"its best {name} is the {word} tried"
    return ""


def table(swept: "Swept") -> Table:
    """A line per case and method."""
    rows, frame = _rows(found(swept.frame)), swept.frame
    view = Table(title=swept.sweep.table.title or None, title_justify="left", title_style="bold")
    cases = frame["case"].nunique() > 1
    for heading in (*(["case"] if cases else []), "method", "best setting"):
        view.add_column(heading, no_wrap=True)
    for heading in (_of(frame), "20% to 80%", "settings", "runs failed"):
        view.add_column(heading, justify="right")
    for row in rows:
        view.add_row(
            *([told_of(_values(row, frame, of_case=True))] if cases else []),
            row["method"],
            told_of(_values(row, frame)) or "as in the scenario",
            _number(row["score"]),
            _band(row),
            str(row["tried"]),
            f"{row['broken']} of {row['total']}",
        )
    return view


def _values(row: dict[str, Any], frame: pd.DataFrame, of_case: bool = False) -> dict[str, Any]:
    """What was varied and concerns the row."""
    keys = [name for name in keys_of(frame) if is_circumstance(name) == of_case]
    return {name: _shorter(row[name]) for name in keys if not pd.isna(row[name])}


def _shorter(value: Any) -> Any:
    """A whole number as such: a column with gaps makes it a fraction."""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return int(value) if whole else value


def _of(frame: pd.DataFrame) -> str:
    """What the score is, in words."""
    kind, metric = frame["score_kind"].iloc[0], frame["metric"].iloc[0]
    words = {"value": f"{metric}", "average": f"average {metric}", "time": "seconds to target"}
    return words[kind]


def _cautions(row: dict[str, Any]) -> list[str]:
    """What makes a best setting less than it seems."""
    if row["failed"]:
        many = "all" if row["failed"] == row["runs"] else f"{row['failed']} of {row['runs']}"
        return [f"{many} of its runs failed", *row["edges"]]
    ties = [f"exactly as good are {row['tied']} other settings"] if row["tied"] else []
    return [*row["edges"], *ties]


def notes(swept: "Swept") -> list[str]:
    """Below the table: what went wrong, and what to do next."""
    frame, told = swept.frame, []
    for row in _rows(found(frame)):
        if cautions := _cautions(row):
            of_case = _values(row, frame, of_case=True) if frame["case"].nunique() > 1 else {}
            who = told_of(of_case) + ", " if of_case else ""
            told.append(f"{who}{row['method']}: {'; '.join(cautions)}")
    if frame["reached"].any() and frame["score_kind"].iloc[0] != "time":
        told.append(
            "runs end at their target, so values beyond it are not compared; "
            "[score] kind = 'time' compares when they reached it"
        )
    broken = frame[frame["end"].isin(["failed", "stalled"])]
    for row in _rows(broken.drop_duplicates(["case", "method"])):
        at = told_of(_values(row, frame)) or "its own setting"
        told.append(f"{row['method']} {row['end']} at {at}, seed {row['seed']}: {row['message']}")
    fresh = int(frame["seed"].max()) + 1
    seeds = ",".join(str(fresh + at) for at in range(frame["seed"].nunique()))
    files = sorted(swept.directory.glob("best*.toml"))
    told.append("chosen on these very seeds, a best score is optimistic; with others it is fair:")
    told += [f"  straggle run {file} --seeds {seeds}" for file in files]
    return told


def as_data(swept: "Swept") -> dict[str, Any]:
    """The same as plain data: what is not known is null."""
    frame = swept.frame
    rows = [
        {
            "case": _values(row, frame, of_case=True),
            "method": row["method"],
            "setting": _values(row, frame),
            **{name: _known(row[name]) for name in ("score", "low", "high", "final")},
            **{name: int(row[name]) for name in ("runs", "failed", "reached", "tied", "tried")},
            "runs_broken": int(row["broken"]),
            "edges": row["edges"],
        }
        for row in _rows(found(frame))
    ]
    return {
        "directory": str(swept.directory),
        "metric": str(frame["metric"].iloc[0]),
        "score": str(frame["score_kind"].iloc[0]),
        "best": [str(file) for file in sorted(swept.directory.glob("best*.toml"))],
        "methods": rows,
    }


def hopeless(swept: "Swept") -> bool:
    """Whether some method has no setting that works."""
    rows = best(ranked(swept.frame))
    return bool((rows["failed"] == rows["runs"]).any())


@rc_context(STYLE)
def draw(swept: "Swept") -> list[Path]:
    """How sensitive the methods are: a figure, or one per case that is no line in it."""
    figures = swept.directory / "figures"
    figures.mkdir(exist_ok=True)
    for stale in figures.glob("sensitivity*"):
        stale.unlink()
    written = []
    for name, figure in draw_sensitivity(swept.frame).items():
        for suffix in (".png", ".svg"):
            save(figure, figures / (name + suffix))
            written.append(figures / (name + suffix))
    return written


def _band(row: dict[str, Any]) -> str:
    if row["runs"] - row["failed"] < 2:
        return DASH
    return f"{_number(row['low'])} to {_number(row['high'])}"


def _number(value: float) -> str:
    if math.isnan(value):
        return DASH
    return f"{value:,.4g}" if math.isfinite(value) else "never"


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
