"""Which settings does theory choose for a method?  From the objective's constants and an accuracy.

A method's table may say ``theory = { eps = 0.01 }`` in place of its step, momentum and batch.  What
is said beside it stands; theory fills in the rest (``Method.prescribe``).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

from algorithms.methods import METHODS
from algorithms.theory import Problem, Settings
from simulator.mistakes import Mistake
from simulator.objectives.tables.objective import Constants, ObjectiveTable
from simulator.scenario.cluster_table import ClusterTable
from simulator.scenario.ends import StopTable
from simulator.scenario.tables import MethodTable


class Asked(Protocol):
    """What theory looks at of a scenario."""

    @property
    def cluster(self) -> ClusterTable: ...
    @property
    def objective(self) -> ObjectiveTable: ...
    @property
    def stop(self) -> StopTable: ...
    @property
    def methods(self) -> Mapping[str, MethodTable]: ...


def constants_of(scenario: Asked) -> Constants:
    """Of the scenario's objective; a Mistake if it knows none."""
    objective = scenario.objective
    if not objective.exact:
        raise Mistake(
            f"objective.kind = {objective.kind!r}: theory needs the constants of the objective, "
            "and this one knows none; take one with exact gradients, or give step and momentum"
        )
    return _constants(objective.model_dump_json(), type(objective), scenario.cluster.workers)


@lru_cache(maxsize=64)
def _constants(objective: str, kind: Any, workers: int) -> Constants:
    found: Constants = kind.model_validate_json(objective).constants(workers)
    return found


def problem_of(scenario: Asked, label: str) -> Problem:
    """The constants as a method is told them, without how well they are known."""
    problem = Problem(*(constant.value for constant in constants_of(scenario)))
    theory = scenario.methods[label].theory
    if theory is None or theory.hessian_smoothness is None:
        return problem
    least = problem.hessian_smoothness
    if theory.hessian_smoothness < least:
        raise Mistake(
            f"methods.{label}.theory.hessian_smoothness = {theory.hessian_smoothness:g}: "
            f"must be at least what the objective has, {least:g}"
        )
    return problem._replace(hessian_smoothness=theory.hessian_smoothness)


def prescribed(scenario: Asked, label: str) -> Settings | None:
    """What theory chooses for a method and how long it expects to take; None if it is not asked."""
    table = scenario.methods[label]
    theory, choose = table.theory, METHODS[table.method].prescribe
    if theory is None or choose is None:
        return None
    workers = scenario.cluster.workers
    try:
        return choose(problem_of(scenario, label), theory.eps, workers, theory.factor)
    except (OverflowError, ZeroDivisionError):
        told = "asks for more steps than a number holds; raise it"
        raise Mistake(f"methods.{label}.theory.eps = {theory.eps:g}: {told}") from None


def settings_of(scenario: Asked, label: str) -> dict[str, Any]:
    """All settings of a method: said, chosen by theory, or by default."""
    chosen = prescribed(scenario, label)
    said = scenario.methods[label].settings()
    if chosen is None:
        return said
    return said | {name: value for name, value in chosen.settings.items() if said[name] is None}


def check(scenario: Asked) -> None:
    """Refuse what theory would take for ever to do."""
    for label, table in scenario.methods.items():
        chosen = prescribed(scenario, label)
        if chosen is None or table.theory is None:
            continue
        gradients = _gradients(scenario, chosen)
        if gradients > table.theory.limit:
            raise Mistake(
                f"methods.{label}.theory.eps = {table.theory.eps:g}: asks for {chosen.steps:,} "
                f"steps, {gradients:,.0f} gradients in all, more than limit = "
                f"{table.theory.limit:,}; raise eps, factor (so many times fewer) or the limit, "
                "or set stop.gradients"
            )


def _gradients(scenario: Asked, chosen: Settings) -> float:
    """How many a run may compute: theory's own number, or where it is told to stop."""
    stop = scenario.stop
    known = [chosen.gradients]
    if stop.gradients is not None:
        known.append(stop.gradients)
    if stop.steps is not None:
        known.append(stop.steps * chosen.gradients // chosen.steps)
    return min(known)


def told(scenario: Asked) -> list[str]:
    """The constants of the objective and how well they are known, and what theory chooses."""
    if not scenario.objective.exact:
        return []
    lines = [
        f"  {name}: {constant.value:.4g} ({constant.status}: {constant.reason})"
        for name, constant in constants_of(scenario)._asdict().items()
    ]
    for label in scenario.methods:
        if chosen := prescribed(scenario, label):
            settings = settings_of(scenario, label)
            said = ", ".join(f"{name} {_short(settings[name])}" for name in chosen.settings)
            lines.append(
                f"  {label}, by theory: {said}; about {chosen.steps:,} steps, "
                f"{chosen.gradients:,} gradients"
            )
    return lines


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
