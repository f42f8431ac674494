"""How are the best settings stored?  As scenarios for ``straggle run``."""

import copy
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.scenario import data_files, loading
from simulator.scenario.toml_text import document
from simulator.sweeps import score
from simulator.sweeps.settings import Setting, describe
from simulator.sweeps.sweep_file import Sweep
from simulator.system.files import replace

if TYPE_CHECKING:
    import pandas as pd


def write(
    sweep: Sweep, settings: Mapping[int, Setting], frame: "pd.DataFrame", directory: Path
) -> list[Path]:
    """Write ``best.toml``, or with several cases ``best-1.toml`` and so on.

    A method is left out if all of its runs failed.
    """
    best = score.best(score.ranked(frame))
    seeds = fresh_seeds(frame["seed"].unique().tolist())
    written = []
    for case, own in best[best["failed"] < best["runs"]].groupby("case", sort=True):
        chosen = [settings[number] for number in own["setting"]]
        name = "best" if best["case"].nunique() == 1 else f"best-{int(str(case)) + 1}"
        written.append(_write(sweep, chosen, seeds, directory, name))
    for stale in {*directory.glob("best*.toml")} - {*written}:
        stale.unlink(missing_ok=True)
    return written


def fresh_seeds(tried: Collection[int], least: int = 1) -> list[int]:
    """Seeds that chose no setting: as many as were tried, and ``least`` or more.

    >>> fresh_seeds([0, 4]), fresh_seeds([0], least=3)
    ([5, 6], [1, 2, 3])
    """
    first = max(tried) + 1
    return list(range(first, first + max(least, len(tried))))


def _write(
    sweep: Sweep, chosen: list[Setting], seeds: list[int], directory: Path, name: str
) -> Path:
    order = sorted(chosen, key=lambda setting: sweep.methods.index(setting.method))
    tables: dict[str, Any] = copy.deepcopy(loading.untracked(order[0].tables))
    tables["methods"] = {s.method: s.tables["methods"][s.method] for s in order}
    tables["seeds"] = seeds
    files = order[0].scenario.moved_to(directory, f"{name}-").files
    tables = data_files.with_files(tables, {path: file.name for path, file in files.items()})
    remarks = [f"The best settings of the sweep {sweep.name}; none of these seeds chose them."]
    remarks += [f"{s.method}: {describe(s.values)}" for s in order if s.values]
    text = document(tables, remarks)
    file = directory / f"{name}.toml"
    replace(file, lambda path: path.write_text(text, encoding="utf-8"))
    return file
