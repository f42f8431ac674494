"""How are the best settings written down?  As scenarios that ``straggle run`` takes as they are."""

import copy
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.scenario.toml_text import document
from simulator.sweeps import score
from simulator.sweeps.settings import Setting, told_of
from simulator.sweeps.sweep_file import Sweep
from simulator.system.files import replace

if TYPE_CHECKING:
    import pandas as pd


def write(
    sweep: Sweep, settings: Mapping[int, Setting], frame: "pd.DataFrame", directory: Path
) -> list[Path]:
    """``best.toml``, or, of several cases, ``best-1.toml`` and so on.

    A method of which every run failed has no best setting, and is left out.
    """
    found = score.best(score.ranked(frame))
    written = []
    for case, mine in found[found["failed"] < found["runs"]].groupby("case", sort=True):
        chosen = [settings[number] for number in mine["setting"]]
        name = "best" if found["case"].nunique() == 1 else f"best-{int(str(case)) + 1}"
        written.append(_write(sweep, chosen, unused_seeds(frame), directory, name))
    for stale in {*directory.glob("best*.toml")} - {*written}:
        stale.unlink(missing_ok=True)
    return written


def unused_seeds(frame: "pd.DataFrame") -> list[int]:
    """As many seeds as a setting was tried on, of which none chose it: on them it is compared."""
    first = int(frame["seed"].max()) + 1
    return list(range(first, first + frame["seed"].nunique()))


def _write(
    sweep: Sweep, chosen: list[Setting], seeds: list[int], directory: Path, name: str
) -> Path:
    """The circumstances are the same for all; each method brings its own table."""
    order = sorted(chosen, key=lambda setting: sweep.methods.index(setting.method))
    tables: dict[str, Any] = copy.deepcopy(order[0].tables)
    tables["methods"] = {s.method: s.tables["methods"][s.method] for s in order}
    tables["seeds"] = seeds
    if trace := order[0].scenario.speed_trace:
        copied = directory / f"{name}-speeds{trace.suffix.lower()}"
        replace(copied, lambda path: shutil.copyfile(trace, path))
        tables["cluster"]["speed"]["file"] = copied.name
    remarks = [f"The best settings of the sweep {sweep.name}; none of these seeds chose them."]
    remarks += [f"{s.method}: {told_of(s.values)}" for s in order if s.values]
    text = document(tables, remarks)
    file = directory / f"{name}.toml"
    replace(file, lambda path: path.write_text(text, encoding="utf-8"))
    return file
