"""How well does the simulator predict reality?  The same scenario simulated, and compared.

A round is the time between two steps.  Methods that step with every gradient have none: there it is
the time of as many steps as bring ten gradients per worker.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from simulator.figures.looks import looks
from simulator.figures.opening import opening_seconds, replay, some_workers
from simulator.figures.pictures import Picture, Timeline
from simulator.mistakes import Mistake
from simulator.results.columns import rows
from simulator.results.results import Results
from simulator.scenario.scenario import Scenario
from simulator.system.files import replace as replace_file
from simulator.text_table import Table
from simulator.training.dry_run import simulate
from simulator.training.record import Run

if TYPE_CHECKING:
    import pandas as pd

NAME = "prediction.json"
GRADIENTS = 10
"""Gradients per worker in a round of a method that steps with every gradient."""
DASH = "–"  # noqa: RUF001 (as tables have it)


class Pair(NamedTuple):
    """A number, simulated and real."""

    simulated: float
    real: float

    @property
    def error(self) -> float:
        """Of the prediction, relative to reality; NaN without both numbers."""
        if not (math.isfinite(self.simulated) and math.isfinite(self.real) and self.real):
            return math.nan
        return abs(self.simulated - self.real) / abs(self.real)


class Prediction(NamedTuple):
    """One run: simulated, and in real time."""

    method: str
    seed: int
    rounds: int
    """Rounds that were compared one by one."""
    round_error: float
    """The median relative error of a round."""
    round_seconds: Pair
    """The median of all rounds."""
    steps: Pair
    """At the end of the shorter run."""
    used: Sequence[Pair]
    """The gradients of each worker that were used in a second."""
    seconds_to_target: Pair

    @property
    def used_error(self) -> float:
        """The median relative error over the workers."""
        errors = [each.error for each in self.used if not math.isnan(each.error)]
        return float(np.median(errors)) if errors else math.nan

    def as_data(self) -> dict[str, Any]:
        pairs = {"round_seconds": self.round_seconds, "steps": self.steps}
        pairs |= {"seconds_to_target": self.seconds_to_target}
        return {
            "method": self.method,
            "seed": self.seed,
            "rounds": self.rounds,
            "round_error": _known(self.round_error),
            **{name: _as_data(pair) for name, pair in pairs.items()},
            "used_per_second": [_as_data(pair) for pair in self.used],
        }


def _as_data(pair: Pair) -> dict[str, float | None]:
    parts = {"simulated": pair.simulated, "real": pair.real, "error": pair.error}
    return {name: _known(value) for name, value in parts.items()}


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def predict(results: Results) -> list[Prediction]:
    """Simulate every run of these results, compare, and keep what is found beside them."""
    found = [_compared(results, row) for row in results.manifest["runs"]]
    text = json.dumps([each.as_data() for each in found], indent=2) + "\n"
    replace_file(results.directory / NAME, lambda path: path.write_text(text))
    return found


def load(directory: Path) -> list[Prediction]:
    """The predictions in a result directory; none if nothing was compared."""
    file = directory / NAME
    if not file.exists():
        return []
    try:
        return [_of_data(each) for each in from_json(file.read_bytes())]
    except (OSError, ValueError, KeyError, TypeError):
        raise Mistake(f"{file}: cannot be read; remove it, or make it again by --compare") from None


def _of_data(data: Mapping[str, Any]) -> Prediction:
    return Prediction(
        data["method"],
        data["seed"],
        data["rounds"],
        _or_nan(data["round_error"]),
        _pair_of(data["round_seconds"]),
        _pair_of(data["steps"]),
        [_pair_of(each) for each in data["used_per_second"]],
        _pair_of(data["seconds_to_target"]),
    )


def _pair_of(data: Mapping[str, Any]) -> Pair:
    return Pair(_or_nan(data["simulated"]), _or_nan(data["real"]))


def _compared(results: Results, row: Mapping[str, Any]) -> Prediction:
    method, seed = row["method"], row["seed"]
    simulated = _simulated(results.scenario.restrict([method], [seed]))
    of, workers = results.step_columns, results.worker_columns
    steps = rows(of, (of["method"] == method) & (of["seed"] == seed))
    used = workers["used"][(workers["method"] == method) & (workers["seed"] == seed)]
    assert simulated.accounts is not None
    times, own = np.array(simulated.times), steps["time"][1:]
    ends = simulated.accounts.time, float(row["simulated_seconds"])
    size = _round(results.scenario.cluster.workers, steps["tickets"][1:])
    rounds = [_rounds(each, size) for each in (times, own)]
    common = min(map(len, rounds))
    first, second = (each[:common] for each in rounds)
    errors = np.abs(first - second) / second
    until = min(ends)
    counted = Pair(*(float(np.searchsorted(each, until, "right")) for each in (times, own)))
    return Prediction(
        method,
        seed,
        common,
        float(np.median(errors)) if common else math.nan,
        Pair(*(float(np.median(each)) if len(each) else math.nan for each in rounds)),
        counted,
        [
            Pair(float(a) / (ends[0] or 1), float(b) / (ends[1] or 1))
            for a, b in zip(simulated.accounts.used, used, strict=True)
        ],
        Pair(_or_nan(simulated.reached), _or_nan(row["seconds_to_target"])),
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _round(workers: int, tickets: NDArray[Any]) -> int:
    """The steps of a round; a short run has some rounds, too."""
    mean = float(tickets.mean()) if len(tickets) else 1.0
    if mean >= workers / 2:
        return 1
    return min(math.ceil(GRADIENTS * workers / max(mean, 1.0)), max(1, len(tickets) // 4))


def _rounds(times: NDArray[Any], size: int) -> NDArray[Any]:
    whole = np.concatenate([[0.0], times])[::size]
    return np.diff(whole)


def _simulated(scenario: Scenario) -> Run:
    """The run, simulated; with its gradients only if it has a target."""
    if scenario.stop.target is not None:
        from simulator.training.laboratory import laboratory_of

        return laboratory_of(scenario).run(scenario)
    runs: list[Run] = []
    simulate(scenario, runs.append)
    return runs[0]


# What is shown


def table(predictions: Sequence[Prediction]) -> Table:
    """A line per run: simulated, real, and the error."""
    several = len({each.seed for each in predictions}) > 1
    headings = ["method", "round, simulated (s)", "real (s)", "median error", "steps, simulated"]
    headings += ["real", "error", "gradients per worker: error"]
    targets = any(not math.isnan(each.seconds_to_target.error) for each in predictions)
    headings += ["target, simulated (s)", "real (s)", "error"] if targets else []
    lines = []
    for each in predictions:
        name = f"{each.method}, seed {each.seed}" if several else each.method
        line = [name, _number(each.round_seconds.simulated), _number(each.round_seconds.real)]
        line += [_share(each.round_error), *_pair(each.steps), _share(each.used_error)]
        lines.append(line + (_pair(each.seconds_to_target) if targets else []))
    return Table(headings, lines, "Prediction and reality")


def _pair(pair: Pair) -> list[str]:
    return [_number(pair.simulated), _number(pair.real), _share(pair.error)]


def _number(value: float) -> str:
    return DASH if math.isnan(value) else f"{value:,.4g}"


def _share(value: float) -> str:
    return DASH if math.isnan(value) else f"{value:.1%}"


def frame(predictions: Sequence[Prediction]) -> "pd.DataFrame":
    """A row per run."""
    import pandas as pd

    lines = []
    for each in predictions:
        line: dict[str, Any] = {"method": each.method, "seed": each.seed, "rounds": each.rounds}
        line |= {"round_error": each.round_error, "used_error": each.used_error}
        for name in ("round_seconds", "steps", "seconds_to_target"):
            pair: Pair = getattr(each, name)
            line |= {f"{name}_simulated": pair.simulated, f"{name}_real": pair.real}
            line |= {f"{name}_error": pair.error}
        lines.append(line)
    return pd.DataFrame(lines)


def pictures(results: Results, seconds: float | None = None) -> dict[str, Picture]:
    """The timelines of both, simulated above real, on one axis."""
    scenario, seed = results.scenario, int(results.step_columns["seed"][0])
    workers = some_workers(scenario.build_cluster(), seed)
    seconds = opening_seconds(results) if seconds is None else seconds
    known, scale = looks(scenario.methods), results.manifest["real"]["time_scale"]
    without = {name: value for name, value in results.manifest.items() if name != "real"}
    both = {"simulated": replace(results, manifest=without), "real": results}
    openings, colours = {}, {}
    for label in scenario.methods:
        for kind, of in both.items():
            openings[f"{label}, {kind}"] = replay(of, label, seed, seconds, workers)
            colours[f"{label}, {kind}"] = known[label].colour
    note = f"Opening of seed {seed}; in the real runs a second lasted {1000 * scale:g} ms."
    return {"prediction": Timeline(openings, colours, seconds, note)}
