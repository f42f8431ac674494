"""Which tables of a scenario describe a calibrated cluster, and what speaks for each key?"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulator.calibration.calibration import Calibration, Part
from simulator.calibration.choice import Candidate
from simulator.calibration.words import (
    about_failures,
    about_outages,
    about_part,
    about_speeds,
    opening,
)
from simulator.scenario.toml_text import inline
from simulator.system.files import replace

DIGITS = 6
"""Significant digits of estimates."""


def rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def tables_of(found: Calibration, prefix: str) -> dict[str, Any]:
    """The tables ``cluster`` and, if transfers were logged, ``network``."""
    cluster: dict[str, Any] = {"workers": found.workers}
    cluster["compute"] = _law("compute", found.parts["compute"], prefix)
    if found.levels:
        cluster["speed"] = {"law": "trace", "file": f"{prefix}-speed.csv"}
    if found.outages:
        cluster["outages"] = [_outage(each._asdict()) for each in found.outages]
    if found.failures:
        workers = found.failures.workers
        cluster["failures"] = {
            "mean_time_between_failures": rounded(found.failures.between),
            "mean_time_to_repair": rounded(found.failures.repair),
            **({"workers": workers} if workers else {}),
        }
    links = {kind: part for kind, part in found.parts.items() if kind != "compute"}
    network = {kind: _law(kind, part, prefix) for kind, part in links.items()}
    return {"cluster": cluster, **({"network": network} if network else {})}


def _outage(outage: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in outage.items() if value is not None}
    return {name: v if name == "worker" else rounded(v) for name, v in kept.items()}


def _law(kind: str, part: Part, prefix: str) -> Any:
    chosen = part.chosen
    if chosen is None:
        table = {"law": "empirical", "file": f"{prefix}-{kind}.csv"}
        return {**table, "worker": "worker"} if part.workers_differ else table
    seconds = _seconds(chosen)
    if chosen.family is None:
        return seconds
    family, shape = chosen.family, chosen.parameters.shape
    own = {family.shape: rounded(shape)} if family.shape else {}
    return {"law": family.law, family.scale: seconds, **own}


def _seconds(chosen: Candidate) -> Any:
    """One number, a table of two speeds if the slow workers come last, or a list."""
    scale = [rounded(each) for each in chosen.parameters.scale]
    group = chosen.group
    if chosen.grouping == "all":
        return scale[0]
    if chosen.grouping == "two" and (np.diff(group) >= 0).all():
        share = rounded(float(group.mean()))
        return {"law": "two-speed", "fast": scale[0], "slow": scale[1], "slow_share": share}
    return [scale[each] for each in group]


def text_of(found: Calibration, tables: Mapping[str, Any]) -> str:
    """The file: every key below what speaks for it."""
    remarks = {kind: about_part(found.parts[kind]) for kind in found.parts}
    remarks |= {"speed": about_speeds(found), "outages": about_outages(found)}
    remarks |= {"failures": about_failures(found)}
    lines = [f"# {line}" for line in opening(found)]
    for table, columns in tables.items():
        lines += ["", f"[{table}]", *_keys(columns, remarks)]
    return "\n".join(lines) + "\n"


def _keys(columns: Mapping[str, Any], remarks: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for key, value in columns.items():
        yield from (f"# {line}" for line in remarks.get(key, ()))
        yield f"{key} = {inline(value)}"


def write(found: Calibration, file: Path) -> dict[str, Any]:
    """Write the TOML file, and beside it the files that its laws name; returns its tables."""
    tables = tables_of(found, file.stem)
    file.parent.mkdir(parents=True, exist_ok=True)
    for name, text in files_of(found, file.stem).items():
        _save(file.with_name(name), text)
    _save(file, text_of(found, tables))
    return tables


def _save(file: Path, text: str) -> None:
    replace(file, lambda path: path.write_text(text, encoding="utf-8"))


def files_of(found: Calibration, prefix: str) -> dict[str, str]:
    """The texts of the files that the laws name."""
    files = {
        f"{prefix}-{kind}.csv": _seconds_file(part)
        for kind, part in found.parts.items()
        if part.chosen is None
    }
    if found.levels:
        files[f"{prefix}-speed.csv"] = _speeds_file(found)
    return files


def _seconds_file(part: Part) -> str:
    rows = zip(part.sample.worker, part.sample.seconds, strict=True)
    return "worker,seconds\n" + "".join(f"{w},{float(s)!r}\n" for w, s in rows)


def _speeds_file(found: Calibration) -> str:
    rows = (
        f"{worker},{float(time)!r},{rounded(speed)}\n"
        for worker, levels in found.levels.items()
        for time, speed in zip(levels.times, levels.speeds, strict=True)
    )
    return "worker,time,speed\n" + "".join(rows)
