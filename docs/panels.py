"""Runs the panels of docs/paper.md: tunes the methods, races them, and keeps the race.

python docs/panels.py                 every panel: hours; the same command continues
python docs/panels.py reacher hopper  these panels

A panel leaves its comparison in results/paper/NAME, and in docs/panels its evaluations as Parquet
and its figure.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from simulator import load_results

DOCS = Path(__file__).resolve().parent
PANELS = DOCS / "panels"
RESULTS = Path("results") / "paper"
UNEQUAL = "humanoid-flag", "reachers", "hoppers"
NAMES = (
    *("hopper", "reacher", "humanoid-costly", "reachers", "humanoid-flag", "humanoid-sqrt"),
    *("walker2d", "reacher-100", "hoppers", "humanoid-equal", "humanoid-100"),
    "humanoid-decreasing",
)
SEEDS = "1-3"
"""The fresh seeds of the races."""
KEPT = ["method", "seed", "time", "step", "gradients", "environment_steps", "return"]


def compare(name: str) -> Path:
    """The comparison of a panel; one that was interrupted continues."""
    out = RESULTS / name
    grid = "paper-unequal-settings" if name in UNEQUAL else "paper-settings"
    words = ["compare", f"paper/{name}", "--tune", grid]
    words += ["--seeds", SEEDS, "--out", str(out)]
    subprocess.run([sys.executable, "-m", "simulator", *words], check=True)
    return out


def keep(name: str, comparison: Path) -> None:
    """The evaluations of its race, and its figure."""
    steps = load_results(comparison / "race").steps
    evaluations: pd.DataFrame = steps.loc[steps["return"].notna(), KEPT]
    PANELS.mkdir(exist_ok=True)
    evaluations.to_parquet(PANELS / f"{name}.parquet", index=False, compression="zstd")
    shutil.copy(comparison / "figures" / "comparison.png", PANELS / f"{name}.png")


def main(names: Iterable[str]) -> None:
    for name in names or NAMES:
        keep(name, compare(name))


if __name__ == "__main__":
    main(sys.argv[1:])
