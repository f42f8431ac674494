"""Which settings does theory choose for a method, from the objective's constants and an accuracy?

A method's table may give ``theory = { eps = 0.01 }`` instead of its step, momentum and batch.
Other given settings stand; theory chooses the rest (``Method.prescribe``).
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


class Parts(Protocol):
    """The parts of a scenario on which theory depends."""

    @property
    def cluster(self) -> ClusterTable: ...
    @property
    def objective(self) -> ObjectiveTable: ...
    @property
    def stop(self) -> StopTable: ...
    @property
    def methods(self) -> Mapping[str, MethodTable]: ...


def constants_of(scenario: Parts) -> Constants:
    """The constants of the objective; a Mistake if it has none."""
    objective = scenario.objective
    if not objective.exact:
        raise Mistake(
            f"objective.kind = {objective.kind!r}: theory needs the constants of the objective, "
            "and this one knows none; take one with exact gradients, or give step and momentum"
        )
    return _constants(objective.model_dump_json(), type(objective), scenario.cluster.workers)


@lru_cache(maxsize=64)
def _constants(objective: str, kind: Any, workers: int) -> Constants:
    constants: Constants = kind.model_validate_json(objective).constants(workers)
    return constants


def problem_of(scenario: Parts, label: str) -> Problem:
    """The values of the constants for one method."""
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


def prescribed(scenario: Parts, label: str) -> Settings | None:
    """Theory's choice for a method and its number of steps; None if its table has no theory."""
    table = scenario.methods[label]
    theory, choose = table.theory, METHODS[table.method].prescribe
    if theory is None or choose is None:
        return None
    workers = scenario.cluster.workers
    try:
        return choose(problem_of(scenario, label), theory.eps, workers, theory.factor)
    except (OverflowError, ZeroDivisionError):
        message = "asks for more steps than a number holds; raise it"
        raise Mistake(f"methods.{label}.theory.eps = {theory.eps:g}: {message}") from None


def settings_of(scenario: Parts, label: str) -> dict[str, Any]:
    """All settings of a method: given, chosen by theory, or by default."""
    chosen = prescribed(scenario, label)
    given = scenario.methods[label].settings()
    if chosen is None:
        return given
    return given | {name: value for name, value in chosen.settings.items() if given[name] is None}


def check(scenario: Parts) -> None:
    """Refuse an accuracy that needs too many gradients."""
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


def _gradients(scenario: Parts, chosen: Settings) -> float:
    """The most gradients of a run: theory's own number, or those up to the stop."""
    stop = scenario.stop
    known = [chosen.gradients]
    if stop.gradients is not None:
        known.append(stop.gradients)
    if stop.steps is not None:
        known.append(stop.steps * chosen.gradients // chosen.steps)
    return min(known)


def lines(scenario: Parts) -> list[str]:
    """The constants of the objective, how well they are known, and theory's choices."""
    if not scenario.objective.exact:
        return []
    found = ["constants of the objective, for settings by theory:"]
    found += [
        f"  {name}: {constant.value:.4g} ({constant.status}: {constant.reason})"
        for name, constant in constants_of(scenario)._asdict().items()
    ]
    for label in scenario.methods:
        if chosen := prescribed(scenario, label):
            settings = settings_of(scenario, label)
            values = [(name, settings[name]) for name in chosen.settings]
            words = [f"{n} {v:.4g}" if isinstance(v, float) else f"{n} {v}" for n, v in values]
            found.append(
                f"  {label}, by theory: {', '.join(words)}; about {chosen.steps:,} steps, "
                f"{chosen.gradients:,} gradients"
            )
    return found
