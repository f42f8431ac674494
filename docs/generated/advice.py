"""How good was the advice?  A table of the shipped clusters, from the measured times.

``docs/advice/NAME.parquet`` has a row per method and size; docs/advise.py writes it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent.parent / "advice"
CLOSE = 1.1
"""Advice holds if its time is within so many times the best one."""


def table(folder: Path) -> str:
    """Advised and best candidates of each scenario, the misses in bold, and a count."""
    rows = [_row(pd.read_parquet(file)) for file in sorted(FOLDER.glob("*.parquet"))]
    head = "| scenario | advised | seconds | best measured | seconds | times as long |"
    lines = [head, "| --- | --- | --- | --- | --- | --- |", *(text for text, _ in rows)]
    held = sum(times <= CLOSE for _, times in rows)
    return "\n".join([*lines, "", f"The advice holds for {held} of {len(rows)} scenarios."])


def _row(frame: pd.DataFrame) -> tuple[str, float]:
    advised = frame[frame["advised"]].iloc[0]
    best = frame.loc[frame["seconds"].idxmin()]
    times = float(advised["seconds"] / best["seconds"])
    shown = f"{times:.2f}" if np.isfinite(times) else f"over {_slowest(frame):.2f}"
    cells = [
        f"`{advised['scenario']}`",
        _name(advised),
        _seconds(advised["seconds"]),
        _name(best),
        _seconds(best["seconds"]),
        shown if times <= CLOSE else f"**{shown}**",
    ]
    return f"| {' | '.join(cells)} |", times


def _slowest(frame: pd.DataFrame) -> float:
    """The longest time in the race, as a multiple of the best: others were slower when tuned."""
    raced = frame.loc[np.isfinite(frame["seconds"]), "seconds"]
    return float(raced.max() / raced.min())


def _name(row: "pd.Series[Any]") -> str:
    size = "" if pd.isna(row["size"]) else f", {row['setting']} {row['size']:.0f}"
    return f"`{row['method']}`{size}"


def _seconds(value: float) -> str:
    if not np.isfinite(value):
        return "too late"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
