"""What are the results of a sweep?  The best setting of every method as a table, and notes."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import rc_context

from simulator.figures.drawing import save_all
from simulator.figures.style import STYLE
from simulator.scenario.toml_text import inline
from simulator.sweeps.halving import rounds_of
from simulator.sweeps.keys import is_circumstance
from simulator.sweeps.score import best, keys_of, ranked
from simulator.sweeps.sensitivity import draw_sensitivity
from simulator.text_table import Table
from simulator.training.record import BROKEN

if TYPE_CHECKING:
    from simulator.sweeps.sweep import Swept

DASH = "\N{EN DASH}"


def best_of(frame: pd.DataFrame) -> pd.DataFrame:
    """A row per case and method: its best setting, and ``tried``, ``broken``, ``edges``, ``tied``.

    ``tried`` counts settings, and ``broken`` runs that failed or stalled.  ``edges`` names each key
    whose best value is the smallest or largest tried: a better one may lie beyond.
    """
    groups = frame.groupby(["case", "method"], sort=False)
    chosen = best(ranked(frame))
    more = [_counts(row, groups.get_group((row["case"], row["method"]))) for row in rows_of(chosen)]
    return chosen.assign(**pd.DataFrame(more, index=chosen.index))


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _counts(row: dict[str, Any], own: pd.DataFrame) -> dict[str, Any]:
    return {
        "tried": own["setting"].nunique(),
        "total": len(own),
        "broken": int(own["end"].isin(BROKEN).sum()),
        "edges": [text for name in keys_of(own) if (text := _edge(name, row, own))],
    }


def _edge(name: str, row: dict[str, Any], own: pd.DataFrame) -> str:
    """A note if the best value of a method's key is the smallest or largest tried."""
    values = own[name].dropna()
    if is_circumstance(name) or values.nunique() < 2 or not pd.api.types.is_numeric_dtype(values):
        return ""
    if row["failed"] == row["runs"]:
        return ""
    for end, word in ((values.max(), "largest"), (values.min(), "smallest")):
        if row[name] == end:
            return f"its best {name} is the {word} tried"
    return ""


def tables(found: pd.DataFrame, swept: "Swept") -> list[Table]:
    """A table for every case, with a row per method; after halving, one of all settings."""
    cases = [own for _, own in found.groupby("case", sort=False)]
    title = swept.sweep.table.title
    best = [_table(own, title, _case(own.iloc[0], found)) for own in cases]
    return [*best, _rounds(swept)] if swept.sweep.table.halving else best


def _rounds(swept: "Swept") -> Table:
    """Every setting, the best first, with its last round and its score there."""
    placed = ranked(swept.frame)
    rounds = {each.number: each for each in rounds_of(swept.sweep.table.halving)}
    keys, last = keys_of(placed), max(rounds)
    rows = []
    for row in rows_of(placed.sort_values(["case", "method", "rank", "setting"], kind="stable")):
        at = rounds[row["round"]]
        dropped = DASH if at.number == last else f"round {at.number}"
        length = f"{at.share:.0%}, {row['runs']} seed{'' if row['runs'] == 1 else 's'}"
        tried = [_word(row[name]) for name in keys]
        rows.append([row["method"], *tried, dropped, length, _number(row["score"])])
    headings = ["method", *keys, "dropped after", "part of the run", score_name(placed)]
    return Table(headings, rows, "Rounds of successive halving")


def _table(found: pd.DataFrame, title: str, case: str) -> Table:
    keys = [name for name in keys_of(found) if not is_circumstance(name)]
    headings = ["method", *keys, score_name(found), "20% to 80%", "settings", "runs failed"]
    rows = []
    for row in rows_of(found):
        best = [_word(row[name]) for name in keys]
        runs = [str(row["tried"]), f"{row['broken']} of {row['total']}"]
        rows.append([row["method"], *best, _number(row["score"]), _band(row), *runs])
    return Table(headings, rows, ": ".join(filter(None, [title, case])))


def label_of(row: Any, frame: pd.DataFrame) -> str:
    """The method of a row, and its circumstances if there are several."""
    return ", ".join(filter(None, [row["method"], _case(row, frame)]))


def _case(row: Any, frame: pd.DataFrame) -> str:
    """The circumstances in words; empty if the sweep has one case."""
    if frame["case"].nunique() == 1:
        return ""
    return _words(_values(row, frame, of_case=True))


def _words(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {_word(value)}" for name, value in values.items())


def _values(row: Any, frame: pd.DataFrame, of_case: bool = False) -> dict[str, Any]:
    """The settings, or the circumstances, of a row."""
    keys = [name for name in keys_of(frame) if is_circumstance(name) == of_case]
    return {name: _plain(row[name]) for name in keys if not pd.isna(row[name])}


def _plain(value: Any) -> Any:
    """An integer instead of a whole float, which a column with gaps has."""
    value = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return int(value) if whole else value


def _word(value: Any) -> str:
    if pd.isna(value):
        return DASH
    return value if isinstance(value, str) else inline(_plain(value))


def score_name(frame: pd.DataFrame) -> str:
    kind, metric = frame["score_kind"].iloc[0], str(frame["metric"].iloc[0])
    words = {"value": metric, "average": f"average {metric}", "time": "seconds to target"}
    words["late"] = f"{metric} in the last fifth"
    return words[kind]


def _cautions(row: dict[str, Any]) -> list[str]:
    """Reasons to doubt a best setting."""
    if row["failed"]:
        if row["failed"] == row["runs"]:
            return ["all of its runs failed, so it has no best setting"]
        return [f"{row['failed']} of {row['runs']} of its runs failed", *row["edges"]]
    ties = [f"exactly as good are {row['tied']} other settings"] if row["tied"] else []
    return [*row["edges"], *ties]


def notes(found: pd.DataFrame, swept: "Swept") -> list[str]:
    """Cautions, failures, and the next command."""
    frame, rows = swept.frame, rows_of(found)
    lines = [
        f"{label_of(row, frame)}: {'; '.join(cautions)}"
        for row in rows
        if (cautions := _cautions(row))
    ]
    if frame["reached"].any() and frame["score_kind"].iloc[0] != "time":
        lines.append(
            "runs end at their target, so values beyond it are not compared; "
            "[score] kind = 'time' compares when they reached it"
        )
    broken = frame[frame["end"].isin(BROKEN)]
    for row in rows_of(broken.drop_duplicates("method")):
        at = _words(_values(row, frame) | _values(row, frame, of_case=True))
        place = f" at {at}" if at else ""
        lines.append(f"{row['method']} {row['end']}{place}, seed {row['seed']}: {row['message']}")
    chosen = any(row["tried"] > 1 for row in rows)
    return [*lines, *(_next(swept) if chosen else [])]


def _next(swept: "Swept") -> list[str]:
    """The command that compares the best settings on new seeds."""
    files = sorted(swept.directory.glob("best*.toml"))
    if not files:
        return []
    others = f" (and so on, to {files[-1].name})" if len(files) > 1 else ""
    return [
        "a best score is optimistic on the seeds that chose it; compare on those of the best file:",
        f"  straggle run {shlex.quote(str(files[0]))}{others}",
    ]


def as_data(found: pd.DataFrame, swept: "Swept") -> dict[str, Any]:
    """The tables as plain data; unknown numbers are null."""
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
        for row in rows_of(found)
    ]
    return {
        "directory": str(swept.directory),
        "metric": str(frame["metric"].iloc[0]),
        "score": str(frame["score_kind"].iloc[0]),
        "best": [str(file) for file in sorted(swept.directory.glob("best*.toml"))],
        "methods": rows,
    }


@rc_context(STYLE)
def draw(swept: "Swept", formats: Sequence[str] = ("png",)) -> list[Path]:
    """Write the figures of the sweep, and remove older ones."""
    figures = swept.directory / "figures"
    for stale in figures.glob("sensitivity*"):
        stale.unlink(missing_ok=True)
    drawn = draw_sensitivity(swept.frame).items()
    return [path for name, figure in drawn for path in save_all(figure, figures / name, formats)]


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
