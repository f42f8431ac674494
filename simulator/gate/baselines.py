"""What is a baseline?  A JSON file per benchmark, laid out for reviews of its diff.

It has a line per key of the scenario, per server step, per group of workers and per point of a
curve.  Numbers are written as by ``repr``, so that they are read back to the bit.
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
from simulator.scenario.toml_text import differences
from simulator.system.files import replace

FORMAT = 1
SCHEDULES, LEARNING = ("numpy", "simpy"), ("numpy", "simpy", "jax", "jaxlib")
"""The packages on which the numbers depend."""
UNREADABLE = OSError, ValueError, LookupError, TypeError, AttributeError
"""Raised by the contents of a file that is no baseline."""


class Baseline(NamedTuple):
    """A benchmark's definition and runs, with the versions that wrote them."""

    kind: str
    asked: dict[str, Any]
    """The metric of a curve, or the methods and measure of a claim."""
    scenario_hash: str
    scenario: dict[str, Any]
    """Values by path, with all defaults."""
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
        # The round trip makes it equal to the one that is read from a file.
        json.loads(json.dumps(dict(_keys(benchmark.scenario.canonical())))),
        versions_of(benchmark),
        command,
        runs,
    )


def versions_of(benchmark: Benchmark) -> dict[str, str]:
    """The versions of all packages and plug-ins on which its numbers depend."""
    packages = ("straggle", *(SCHEDULES if benchmark.schedule_only else LEARNING))
    origins = plugins.used(benchmark.scenario.canonical()).values()
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        **{f"plug-in {origin.plugin}": origin.version for origin in origins},
    }


def _asked(benchmark: Benchmark) -> dict[str, Any]:
    table = benchmark.table
    match table:
        case ToleranceTable():
            return {"metric": table.metric or benchmark.scenario.metric}
        case ClaimTable():
            fields = {"of": table.of, "over": table.over, "measure": table.measure}
            return fields if table.count is None else {**fields, "count": table.count}
    return {}


def _keys(tables: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The path and value of every key that is not None."""
    for name, value in tables.items():
        path = f"{before}.{name}" if before else name
        if isinstance(value, dict) and value:
            yield from _keys(value, path)
        elif value is not None:
            yield path, value


def stale(benchmark: Benchmark, baseline: Baseline, file: Path) -> str:
    """The error that this is the baseline of another definition, with its keys; else empty."""
    now = of(benchmark, [], "")
    if text := changes(now, baseline):
        return (
            f"has changed since its baseline, {file} (hash {now.scenario_hash}, was "
            f"{baseline.scenario_hash}): {text}; --update accepts that"
        )
    return ""


def changes(now: Baseline, then: Baseline) -> str:
    """The first keys of the definition that differ; empty if none do."""
    new, old = ({"kind": each.kind, **each.asked} for each in (now, then))
    if new == old and now.scenario_hash == then.scenario_hash:
        return ""
    found = [*differences(new, old), *differences(now.scenario, then.scenario)]
    text = "; ".join(found[:3]) or "a file that the scenario names has changed"
    return text + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def file_of(directory: Path, benchmark: str) -> Path:
    return directory / f"{benchmark}.json"


def read(directory: Path, benchmark: str) -> Baseline | None:
    """The baseline of a benchmark, or None."""
    file = file_of(directory, benchmark)
    try:
        return parsed(file.read_bytes())
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        remedy = "restore it, or --update writes it anew"
        raise Mistake(f"{file}: is no baseline: {reason}; {remedy}") from None


def parsed(text: bytes) -> Baseline:
    """The baseline in this text; one of ``UNREADABLE`` if there is none."""
    plain = from_json(text)
    if plain.pop("format") != FORMAT:
        raise ValueError(f"not of format {FORMAT}")
    del plain["benchmark"]
    return Baseline(**plain)


def write(directory: Path, benchmark: str, baseline: Baseline) -> None:
    plain = {"format": FORMAT, "benchmark": benchmark, **baseline._asdict()}
    file = file_of(directory, benchmark)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        replace(file, lambda path: path.write_text(laid_out(plain) + "\n", encoding="utf-8"))
    except OSError as error:
        raise Mistake(f"--baseline {directory}: cannot be written: {error.strerror}") from None


def laid_out(value: Any, indent: str = "", listed: bool = False) -> str:
    """JSON with one line per row of a list and per key of a dictionary.

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
