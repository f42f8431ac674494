"""What is a baseline?  A file per benchmark, written for the eyes of whoever reviews its diff.

A line per key of the scenario, per server step, per group of workers and per point of a curve, so
that a diff shows what moved; numbers as ``repr`` has them, so that they are read back to the bit.
"""

import json
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from simulator import plugins
from simulator.gate.runs import Record
from simulator.gate.suite_file import Benchmark, ClaimTable, ToleranceTable
from simulator.mistakes import Mistake
from simulator.scenario.differences import differences
from simulator.system.files import replace

FORMAT = 1
SCHEDULES, LEARNING = ("numpy", "simpy"), ("numpy", "simpy", "jax", "jaxlib")
"""The packages on which the numbers depend."""


class Baseline(NamedTuple):
    """A benchmark as it was: what was asked, what wrote it, and the runs."""

    kind: str
    asked: dict[str, Any]
    """Which numbers are kept: the metric of a curve, the two methods of a claim."""
    scenario_hash: str
    scenario: dict[str, Any]
    """By the path of a key, every default written out."""
    versions: dict[str, str]
    command: str
    runs: list[Record]

    @property
    def written_by(self) -> str:
        return f"straggle {self.versions['straggle']}, numpy {self.versions['numpy']}"


def of(benchmark: Benchmark, runs: list[Record], command: str) -> Baseline:
    """The baseline that these runs make."""
    return Baseline(
        benchmark.table.kind,
        _asked(benchmark),
        benchmark.scenario.fingerprint(),
        # As a file has it, so that what is read is equal to what was written.
        json.loads(json.dumps(dict(_keys(benchmark.scenario.canonical())))),
        versions_of(benchmark),
        command,
        runs,
    )


def versions_of(benchmark: Benchmark) -> dict[str, str]:
    """What its numbers depend on here: packages and plug-ins."""
    packages = ("straggle", *(SCHEDULES if benchmark.schedule_only else LEARNING))
    brought = plugins.used(benchmark.scenario.canonical()).values()
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        **{f"plug-in {origin.plugin}": origin.version for origin in brought},
    }


def _asked(benchmark: Benchmark) -> dict[str, Any]:
    table = benchmark.table
    match table:
        case ToleranceTable():
            return {"metric": table.metric or benchmark.scenario.metric}
        case ClaimTable():
            said = {"of": table.of, "over": table.over, "measure": table.measure}
            return said if table.count is None else {**said, "count": table.count}
    return {}


def _keys(tables: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every key by its path; what is not said is left out."""
    for name, value in tables.items():
        path = f"{before}.{name}" if before else name
        if isinstance(value, dict) and value:
            yield from _keys(value, path)
        elif value is not None:
            yield path, value


# What a benchmark asks now, held against what it asked then


def check(benchmark: Benchmark, baseline: Baseline, file: Path) -> None:
    """Refuse to compare with a baseline of something else; say which keys are others."""
    now = of(benchmark, [], "")
    if told := changes(now, baseline):
        raise Mistake(
            f"benchmarks.{benchmark.name}: asks for something else than its baseline, {file} "
            f"(hash {now.scenario_hash}, was {baseline.scenario_hash}): {told}; if that is meant, "
            "--update writes it anew"
        )


def changes(now: Baseline, then: Baseline) -> str:
    """The first keys that are others, in words; empty where the same is asked."""
    said, was = ({"kind": each.kind, **each.asked} for each in (now, then))
    if said == was and now.scenario_hash == then.scenario_hash:
        return ""
    found = [*differences(said, was), *differences(now.scenario, then.scenario)]
    told = "; ".join(found[:3]) or "a file that the scenario names has changed"
    return told + (f" and {len(found) - 3} more" if len(found) > 3 else "")


# Files


def file_of(directory: Path, benchmark: str) -> Path:
    return directory / f"{benchmark}.json"


def read(directory: Path, benchmark: str) -> Baseline | None:
    """None if there is none."""
    file = file_of(directory, benchmark)
    try:
        plain = from_json(file.read_bytes())
        if plain.pop("format") != FORMAT:
            raise ValueError(f"not of format {FORMAT}")
        del plain["benchmark"]
        return Baseline(**plain)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        remedy = "restore it, or --update writes it anew"
        raise Mistake(f"{file}: is no baseline: {reason}; {remedy}") from None


def write(directory: Path, benchmark: str, baseline: Baseline) -> None:
    """Put it in its place, never half a file."""
    plain = {"format": FORMAT, "benchmark": benchmark, **baseline._asdict()}
    file = file_of(directory, benchmark)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        replace(file, lambda path: path.write_text(laid_out(plain) + "\n", encoding="utf-8"))
    except OSError as error:
        raise Mistake(f"--baseline {directory}: cannot be written: {error.strerror}") from None


def laid_out(value: Any, indent: str = "", listed: bool = False) -> str:
    """JSON in which a row of a list stands on one line, and all else is spread.

    >>> print(laid_out({"a": [1, 2], "rows": [{"x": 1.5, "y": "z"}, {"x": 2.0, "y": "w"}]}))
    {
      "a": [1, 2],
      "rows": [
        {"x": 1.5, "y": "z"},
        {"x": 2.0, "y": "w"}
      ]
    }
    """
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    nested = any(isinstance(item, dict | list) for item in items)
    if not items or not (nested or (isinstance(value, dict) and not listed)):
        return json.dumps(value, ensure_ascii=False)
    deeper = indent + "  "
    if isinstance(value, dict):
        lines = [f"{json.dumps(key)}: {laid_out(item, deeper)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        lines = [laid_out(item, deeper, listed=True) for item in value]
        opening, closing = "[", "]"
    inside = ",\n".join(f"{deeper}{line}" for line in lines)
    return f"{opening}\n{inside}\n{indent}{closing}"
