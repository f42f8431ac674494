"""What did a sweep find?  The best setting of every method as a table, and what to mind."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import rc_context

from simulator.figures.drawing import save
from simulator.figures.style import STYLE
from simulator.scenario.toml_text import inline
from simulator.sweeps.keys import is_circumstance
from simulator.sweeps.score import BROKEN, best, keys_of, ranked
from simulator.sweeps.sensitivity import draw_sensitivity
from simulator.text_table import Table

if TYPE_CHECKING:
    from simulator.sweeps.sweep import Swept

DASH = "\N{EN DASH}"


def best_of(frame: pd.DataFrame) -> pd.DataFrame:
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
        "broken": int(mine["end"].isin(BROKEN).sum()),
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


def tables(found: pd.DataFrame, swept: "Swept") -> list[Table]:
    """A table for every case, with a line per method; and what became of every setting."""
    cases = [mine for _, mine in found.groupby("case", sort=False)]
    title = swept.sweep.table.title
    best = [_table(mine, title, _case(mine.iloc[0], found)) for mine in cases]
    return [*best, _rounds(swept)] if swept.sweep.table.halving else best


def _rounds(swept: "Swept") -> Table:
    """Every setting, the best first, with its last round and its score there."""
    placed, rounds = ranked(swept.frame), {each.round.number: each.round for each in swept.trials}
    keys, last = keys_of(placed), max(rounds)
    rows = []
    for row in _rows(placed.sort_values(["case", "method", "rank", "setting"], kind="stable")):
        at = rounds[row["round"]]
        tried = [DASH if pd.isna(row[name]) else _word(row[name]) for name in keys]
        fate = DASH if at.number == last else f"round {at.number}"
        length = f"{at.share:.0%}, {row['runs']} seed{'' if row['runs'] == 1 else 's'}"
        rows.append([row["method"], *tried, fate, length, _number(row["score"])])
    headings = ["method", *keys, "dropped after", "part of the run", _of(placed)]
    return Table(headings, rows, "Rounds of successive halving")


def _table(found: pd.DataFrame, title: str, case: str) -> Table:
    told = ": ".join(filter(None, [title, case]))
    keys = [name for name in keys_of(found) if not is_circumstance(name)]
    headings = ["method", *keys, _of(found), "20% to 80%", "settings", "runs failed"]
    rows = []
    for row in _rows(found):
        best = [DASH if pd.isna(row[name]) else _word(row[name]) for name in keys]
        runs = [str(row["tried"]), f"{row['broken']} of {row['total']}"]
        rows.append([row["method"], *best, _number(row["score"]), _band(row), *runs])
    return Table(headings, rows, told)


def _case(row: Any, frame: pd.DataFrame) -> str:
    """The circumstances in words, if there are several."""
    if frame["case"].nunique() == 1:
        return ""
    return _told(_values(row, frame, of_case=True))


def _told(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {_word(value)}" for name, value in values.items())


def _values(row: Any, frame: pd.DataFrame, of_case: bool = False) -> dict[str, Any]:
    """What was varied and concerns the row."""
    keys = [name for name in keys_of(frame) if is_circumstance(name) == of_case]
    return {name: _plain(row[name]) for name in keys if not pd.isna(row[name])}


def _plain(value: Any) -> Any:
    """A whole number as such: a column with gaps makes it a fraction."""
    value = value.item() if isinstance(value, np.generic) else value
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    return int(value) if whole else value


def _word(value: Any) -> str:
    return value if isinstance(value, str) else inline(_plain(value))


def _of(frame: pd.DataFrame) -> str:
    """What the score is, in words."""
    kind, metric = frame["score_kind"].iloc[0], str(frame["metric"].iloc[0])
    words = {"value": metric, "average": f"average {metric}", "time": "seconds to target"}
    words["late"] = f"{metric} in the last fifth"
    return words[kind]


def _cautions(row: dict[str, Any]) -> list[str]:
    """What makes a best setting less than it seems."""
    if row["failed"]:
        if row["failed"] == row["runs"]:
            return ["all of its runs failed, so it has no best setting"]
        return [f"{row['failed']} of {row['runs']} of its runs failed", *row["edges"]]
    ties = [f"exactly as good are {row['tied']} other settings"] if row["tied"] else []
    return [*row["edges"], *ties]


def notes(found: pd.DataFrame, swept: "Swept") -> list[str]:
    """Below the tables: what to mind, what went wrong, and what to do next."""
    frame, rows = swept.frame, _rows(found)
    told = [
        f"{', '.join(filter(None, [row['method'], _case(row, frame)]))}: {'; '.join(cautions)}"
        for row in rows
        if (cautions := _cautions(row))
    ]
    if frame["reached"].any() and frame["score_kind"].iloc[0] != "time":
        told.append(
            "runs end at their target, so values beyond it are not compared; "
            "[score] kind = 'time' compares when they reached it"
        )
    broken = frame[frame["end"].isin(BROKEN)]
    for row in _rows(broken.drop_duplicates("method")):
        at = _told(_values(row, frame) | _values(row, frame, of_case=True))
        where = f" at {at}" if at else ""
        told.append(f"{row['method']} {row['end']}{where}, seed {row['seed']}: {row['message']}")
    chosen = any(row["tried"] > 1 for row in rows)
    return [*told, *(_next(swept) if chosen else [])]


def _next(swept: "Swept") -> list[str]:
    """The settings are compared on seeds that did not choose them."""
    files = sorted(swept.directory.glob("best*.toml"))
    if not files:
        return []
    others = f" (and so on, to {files[-1].name})" if len(files) > 1 else ""
    return [
        "a best score is optimistic on the seeds that chose it; compare on those of the best file:",
        f"  straggle run {shlex.quote(str(files[0]))}{others}",
    ]


def as_data(found: pd.DataFrame, swept: "Swept") -> dict[str, Any]:
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
        for row in _rows(found)
    ]
    return {
        "directory": str(swept.directory),
        "metric": str(frame["metric"].iloc[0]),
        "score": str(frame["score_kind"].iloc[0]),
        "best": [str(file) for file in sorted(swept.directory.glob("best*.toml"))],
        "methods": rows,
    }


def hopeless(found: pd.DataFrame) -> bool:
    """Whether some method has no setting that works."""
    return bool((found["failed"] == found["runs"]).any())


@rc_context(STYLE)
def draw(swept: "Swept", formats: Sequence[str] = ("png",)) -> list[Path]:
    """How sensitive the methods are: a figure, or one per case that is no line in it."""
    figures = swept.directory / "figures"
    figures.mkdir(exist_ok=True)
    for stale in figures.glob("sensitivity*"):
        stale.unlink(missing_ok=True)
    written = []
    for name, figure in draw_sensitivity(swept.frame).items():
        for suffix in formats:
            path = figures / f"{name}.{suffix}"
            save(figure, path)
            written.append(path)
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
