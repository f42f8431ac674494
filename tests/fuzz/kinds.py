"""What is spoiled, and which command is then to say so?  A kind of file is one entry of ``KINDS``.

A case is a kind and a number: ``make`` lays the spoiled file out in an empty folder and returns the
words of a command line, which goes the way of the real one up to where work would begin.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import material
import mutations

Words = list[str]
Make = Callable[[Random, Path, Path], Words]
"""``words = make(random, folder, valid)``; ``valid`` is where ``material`` was laid out."""
SLOW = "paper/"
"""The scenarios that start MuJoCo: a few of many."""


def scenario(random: Random, folder: Path, valid: Path) -> Words:
    known = material.scenarios()
    few = random.random() < 0.02
    name = random.choice([name for name in known if name.startswith(SLOW) == few])
    file = folder / "spoiled.toml"
    file.write_bytes(mutations.text(known[name], random))
    return ["validate", str(file)]


def sweep(random: Random, folder: Path, valid: Path) -> Words:
    file = folder / "spoiled.toml"
    file.write_bytes(mutations.text(random.choice(list(material.sweeps().values())), random))
    return ["sweep", str(file), "--out", str(folder / "out"), "--quiet"]


def suite(random: Random, folder: Path, valid: Path) -> Words:
    file = folder / "spoiled.toml"
    file.write_bytes(mutations.text(random.choice(list(material.suites().values())), random))
    return ["check", str(file), "--update", "--quiet", "--baseline", str(folder / "out")]


def baseline(random: Random, folder: Path, valid: Path) -> Words:
    """One of the suite's baselines is spoiled; the others are not asked for."""
    file = random.choice(material.baselines())
    whole = file.read_bytes()
    (folder / file.name).write_bytes(mutations.manifest(whole, random))
    suite = file.parent.name
    return ["check", suite, "--only", file.stem, "--quiet", "--baseline", str(folder)]


def csv_trace(random: Random, folder: Path, valid: Path) -> Words:
    (folder / "trace.csv").write_bytes(mutations.csv(material.TRACE, random))
    return _of_a_trace(folder, "trace.csv")


def parquet_trace(random: Random, folder: Path, valid: Path) -> Words:
    whole = (valid / "trace.parquet").read_bytes()
    (folder / "trace.parquet").write_bytes(mutations.raw(whole, random))
    return _of_a_trace(folder, "trace.parquet")


def _of_a_trace(folder: Path, name: str) -> Words:
    file = folder / "scenario.toml"
    file.write_text(material.OF_A_TRACE.replace("FILE", name))
    return ["validate", str(file)]


def manifest(random: Random, folder: Path, valid: Path) -> Words:
    spoiled = _copy(random, folder, valid) / "manifest.json"
    spoiled.write_bytes(mutations.manifest(spoiled.read_bytes(), random))
    return _read(random, spoiled.parent)


def results_file(random: Random, folder: Path, valid: Path) -> Words:
    """Another file of a result directory, by its bytes; or it is gone, or something else."""
    directory = _copy(random, folder, valid)
    files = sorted(
        path for path in directory.rglob("*") if path.suffix in (".parquet", ".npz", ".csv")
    )
    spoiled = random.choice([path for path in files if path.is_file()])
    match random.choice(("bytes", "bytes", "bytes", "other", "gone", "folder")):
        case "bytes":
            spoiled.write_bytes(mutations.raw(spoiled.read_bytes(), random))
        case "other":
            other = random.choice([path for path in files if path.is_file()])
            spoiled.write_bytes(other.read_bytes())
        case _ as what:
            spoiled.unlink()
            if what == "folder":
                spoiled.mkdir()
    return _read(random, directory)


def results_column(random: Random, folder: Path, valid: Path) -> Words:
    """A table of a result directory, without a column, or with another in its place."""
    import pandas as pd

    directory = _copy(random, folder, valid)
    tables = [path for path in directory.rglob("*.parquet") if path.is_file()]
    path = random.choice(sorted(tables))
    frame = pd.read_parquet(path)
    name = random.choice(list(frame.columns))
    match random.choice(("drop", "text", "nan", "big", "rows", "rename")):
        case "drop":
            frame = frame.drop(columns=name)
        case "text":
            frame[name] = "x"
        case "nan":
            frame[name] = float("nan")
        case "big":
            frame[name] = 2**62
        case "rows":
            frame = frame.iloc[: random.randrange(len(frame) + 1)]
        case _:
            frame = frame.rename(columns={name: "x"})
    frame.to_parquet(path)
    return _read(random, directory)


def _copy(random: Random, folder: Path, valid: Path) -> Path:
    directory = folder / "results"
    shutil.copytree(valid / random.choice(material.RESULTS), directory)
    return directory


def _read(random: Random, directory: Path) -> Words:
    out = directory.parent / "timeline.json"
    return random.choice(
        (
            ["run", "--quiet", "--resume", str(directory)],
            ["replay", str(directory), "0.0.0"],
            ["verify", str(directory)],
            ["timeline", str(directory), "--out", str(out)],
            ["evaluate", str(directory), "--episodes", "1"],
        )
    )


KINDS: dict[str, tuple[Make, float]] = {
    "scenario": (scenario, 0.45),
    "suite": (suite, 0.03),
    "baseline": (baseline, 0.02),
    "sweep": (sweep, 0.1),
    "csv-trace": (csv_trace, 0.1),
    "parquet-trace": (parquet_trace, 0.1),
    "manifest": (manifest, 0.1),
    "results-file": (results_file, 0.05),
    "results-column": (results_column, 0.05),
}
"""How to make a case of each, and what part of all cases it has."""
