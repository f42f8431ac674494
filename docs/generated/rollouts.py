"""How old are episodes in a queue, and how fast are asynchronous forms?  For docs/rollouts.md.

docs/rollouts.py writes the files.
"""

from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parent.parent / "rollouts"
FORMS = "one step off", "depth 4", "no limit"


def table(folder: Path, name: str) -> str:
    return {"ages": ages, "speed_ups": speed_ups}[name]()


def published(cases: pd.DataFrame) -> "pd.Series[float]":
    """The published mean age at training."""
    flight, rho = cases["slots"] * cases["longest"], cases["rho"]
    full = flight / rho + (2 * cases["queue"] + rho - 1) / (2 * rho)
    return (flight + rho).where(rho < 1, full)


def counted(cases: pd.DataFrame) -> "pd.Series[float]":
    """Episodes in the queue and in the slots, over the batch, where the queue is always full."""
    full = (cases["rho"] > 1) & (cases["group"] == 1) & (cases["full"] == "wait")
    return (cases["queue"] + cases["slots"]).where(full)


def ages() -> str:
    """The errors of both formulas, for each kind of queue."""
    cases = pd.read_parquet(FOLDER / "ages.parquet")
    cases["side"] = np.where(cases["rho"] < 1, "< 1", "> 1")
    for formula in (published, counted):
        cases[formula.__name__] = (cases["age"] / formula(cases) - 1).abs()
    lines = [
        "| `full` | \N{GREEK SMALL LETTER RHO} | G | cases | error of the published formula "
        "| error of q + C/B |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for (full, side, group), part in cases.groupby(["full", "side", "group"], sort=False):
        errors = " | ".join(_errors(part[name]) for name in ("published", "counted"))
        lines.append(f"| `{full}` | {side} | {group} | {len(part)} | {errors} |")
    return "\n".join(lines)


def _errors(errors: "pd.Series[float]") -> str:
    if errors.isna().all():
        return "not its case"
    return f"{errors.median():.1%}, at most {errors.max():.0%}"


def speed_ups() -> str:
    """The best share of generating devices, for each tail of lengths and load of the trainer."""
    found = pd.read_parquet(FOLDER / "speed_ups.parquet")
    lines = [
        f"| \N{GREEK SMALL LETTER SIGMA} | training / generation | {' | '.join(FORMS)} |",
        "| --- | --- | --- | --- | --- |",
    ]
    for (sigma, load), part in found.groupby(["sigma", "load"]):
        cells = [_best(part[part["form"] == form]) for form in FORMS]
        lines.append(f"| {sigma:g} | {load:g} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _best(part: pd.DataFrame) -> str:
    """The largest speed-up and its share of devices, and that of three quarters."""
    best = part.loc[part["speed_up"].idxmax()]
    usual = part.loc[part["share"] == 0.75, "speed_up"].item()
    return f"{best['speed_up']:.1f} at {best['share']:.0%} ({usual:.1f})"
