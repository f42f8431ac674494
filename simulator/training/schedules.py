"""How do the tables of a scenario become the schedule and the rule of one run?"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from algorithms.methods import METHODS
from algorithms.updates import Rule
from algorithms.vocabulary import Aggregation
from simulator import plugins
from simulator.cluster import Vector
from simulator.engine import Simulation, Sinks, Stop
from simulator.scenario.ends import EvaluationTable
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.training.record import Run

MOST_EVALUATIONS = 2.0**52
"""With more, two moments of evaluation would be the same float."""


class Rhythm:
    """Evaluates at the first step at or after each multiple of some seconds, or steps.

    >>> rhythm = Rhythm(EvaluationTable(every_seconds=10.0), Stop())
    >>> [rhythm(number, time) for number, time in [(1, 4.0), (2, 12.0), (3, 13.0), (4, 20.0)]]
    [False, True, False, True]
    """

    def __init__(self, evaluation: EvaluationTable, stop: Stop) -> None:
        self._steps, self._seconds = evaluation.every_steps, evaluation.every_seconds
        if self._steps is None and self._seconds is None:
            if math.isfinite(stop.seconds):
                self._seconds = stop.seconds / 50
            else:
                self._steps = 10
        self._next = self._seconds or 0.0

    def __call__(self, number: int, time: float) -> bool:
        if self._steps is not None:
            return number % self._steps == 0
        assert self._seconds is not None
        if time < self._next:
            return False
        passed = time / self._seconds
        # The multiples of a too small interval are not distinct floats: evaluate every step.
        self._next = (math.floor(passed) + 1) * self._seconds if passed < MOST_EVALUATIONS else time
        return True


def stop_of(scenario: Scenario) -> Stop:
    """The scenario's stopping rules for the engine, infinite where not given."""
    stop = scenario.stop
    return Stop(stop.seconds or math.inf, stop.steps or math.inf, stop.gradients or math.inf)


def vector_of(scenario: Scenario) -> Vector:
    """The size of a message over the network: that of a point."""
    return Vector(*scenario.objective.size(scenario.cluster.workers))


def simulation_of(
    scenario: Scenario,
    label: str,
    seed: int,
    *,
    vector: Vector,
    retold: Callable[[Aggregation], Aggregation] = lambda story: story,
    slowness: float = 1.0,
    **options: Any,
) -> Simulation:
    """The schedule of one method on one seed; ``retold`` may observe its story.

    Uploads take ``slowness`` times as long as in the scenario.
    """
    table = scenario.methods[label]
    aggregation = retold(plugins.story_of(table.method, settings_of(scenario, label)))
    cluster, timing = scenario.build_cluster(), scenario.timing_seed(seed)
    if slowness != 1:
        cluster = replace(cluster, network=replace(cluster.network, slowness=slowness))
    name = plugins.title(label, table.method)
    return Simulation(cluster, aggregation, name=name, seed=timing, vector=vector, **options)


def replay(
    scenario: Scenario,
    run: Run,
    vector: Vector,
    trace: Sinks | None = None,
    account_when: Callable[[int, float], bool] = lambda number, time: False,
) -> Simulation:
    """The schedule of a finished run once more, equal to the last bit."""
    known = run.lengths
    # A planned episode that never began is in no record, and its length has no effect.
    lengths = None if known is None else lambda tickets: [known.get(t, 1) for t in tickets]
    return simulation_of(
        scenario,
        run.method,
        run.seed,
        vector=vector,
        lengths=lengths,
        trace=trace,
        account_when=account_when,
    )


def rule_of(scenario: Scenario, label: str) -> Rule:
    return rule_maker(scenario, label)({})


def rule_maker(scenario: Scenario, label: str) -> Callable[[Mapping[str, Any]], Rule]:
    """Makes the method's rule with these numbers in place of its own."""
    method, settings = METHODS[scenario.methods[label].method], settings_of(scenario, label)
    return lambda numbers: method.update_rule({**settings, **numbers})


def numbers_of(scenario: Scenario, label: str) -> dict[str, float]:
    """The settings that are plain numbers and change no schedule."""
    settings = settings_of(scenario, label)
    names = free_numbers(scenario.methods[label].method)
    return {name: settings[name] for name in names if isinstance(settings[name], int | float)}


def free_numbers(method: str) -> list[str]:
    """The settings that change neither the schedule of a method nor the work of its workers."""
    aggregation, rule = (
        inspect.signature(factory).parameters
        for factory in (METHODS[method].aggregation, METHODS[method].rule)
    )
    return [name for name in ("step", "momentum") if name in rule and name not in aggregation]


def schedule_key(scenario: Scenario) -> str:
    """A key that single runs share if they can train side by side, on one schedule."""
    if scenario.cluster.per == "environment-step":  # the schedule depends on the gradients
        return scenario.fingerprint()
    (label,) = scenario.methods
    table = scenario.methods[label]
    numbers = {
        name: 1.0
        for name in free_numbers(table.method)
        if isinstance(getattr(table, name), int | float)
    }
    changes: dict[str, Any] = {"title": "", "methods": {label: table.model_copy(update=numbers)}}
    if scenario.cluster.seed is not None or not scenario.build_cluster().random:
        changes["seeds"] = [0]
    return scenario.model_copy(update=changes).fingerprint()
