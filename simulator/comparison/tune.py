"""Which sweep does ``--tune`` name?  One with equally many settings and equal time for each method.

``methods.*.step=0.01,0.02`` names the values of a key, and may be repeated for more keys.  Or
``--tune`` names a sweep file, whose scenario is replaced by the one that is compared.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pydantic_core import to_jsonable_python

from simulator.mistakes import Mistake
from simulator.scenario import files
from simulator.scenario.scenario import Scenario
from simulator.study import varying
from simulator.sweeps import sweep_file
from simulator.sweeps.keys import is_of_case
from simulator.sweeps.settings import count
from simulator.sweeps.sweep_file import Sweep

Grid: TypeAlias = Mapping[str, Sequence[Any]]
Tune: TypeAlias = str | Sequence[str] | Grid
"""``path=values``, several of them, a sweep file, or a grid as a sweep has it."""
HALVED = 6
"""Settings of a method from which on not all of them are run to their end."""
HALVING = {"rounds": 3, "keep": 1 / 3, "first": 0.25}


def sweep_of(scenario: Scenario, tune: Tune) -> Sweep:
    """The sweep that tunes a scenario's methods, on the scenario's seeds."""
    table = _table(scenario, tune)
    sweep = sweep_file.read(table)
    for path in sweep.keys:
        if is_of_case(path):
            raise Mistake(
                f"--tune {path}: is no setting of a method, and all are compared in the same "
                "circumstances; name one such as methods.*.step"
            )
    counts = {method: count(sweep, method) for method in sweep.methods}
    if len(set(counts.values())) > 1:
        numbers = ", ".join(f"{method} {number}" for method, number in counts.items())
        raise Mistake(
            f"--tune: the methods have different numbers of settings: {numbers}; "
            "give each as many values, so that none is tuned better than another"
        )
    if "halving" not in table and max(counts.values()) >= HALVED:
        return sweep_file.read({**table, "halving": HALVING})
    return sweep


def _table(scenario: Scenario, tune: Tune) -> dict[str, Any]:
    """The contents of the sweep file."""
    if isinstance(tune, str):
        tune = [tune]
    if isinstance(tune, Mapping):
        return {"scenario": scenario, "grid": dict(tune), "score": _score(scenario)}
    if len(tune) == 1 and tune[0].startswith("methods.") and "=" not in tune[0]:
        raise Mistake(f"--tune {tune[0]}: needs values, such as {tune[0]}=0.1,0.2")
    if len(tune) == 1 and "=" not in tune[0]:
        table, _ = files.read("sweep", tune[0])
        return {"score": _score(scenario), **table, "scenario": scenario}
    found = [varying.read(text, option="--tune") for text in tune]
    grid = {each.path: [*each.values] for each in found}
    if len(grid) < len(found):
        raise Mistake("--tune: a key is given twice; name all of its values at once")
    return {"scenario": scenario, "grid": grid, "score": _score(scenario)}


def _score(scenario: Scenario) -> dict[str, Any]:
    """The time to the target if there is one, else the late metric."""
    if scenario.stop.target is not None:
        return {"kind": "time"}
    return {"kind": "late" if math.isfinite(scenario.stop.seconds or math.inf) else "value"}


def as_data(sweep: Sweep | None) -> Any:
    """The part of a sweep that identifies a comparison."""
    if sweep is None:
        return None
    return to_jsonable_python(sweep.table.model_dump(exclude={"scenario"}), inf_nan_mode="strings")
