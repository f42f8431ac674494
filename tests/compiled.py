"""What the scenarios of a test file have in common is built and compiled once."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

import pytest

from simulator.numerics.learner import Learner
from simulator.runs import experiment
from simulator.runs.experiment import Laboratory
from simulator.runs.simulations import rule_maker, rule_of
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario


@pytest.fixture(autouse=True, scope="module")
def compiled_once() -> Iterator[None]:
    """Equal objectives and rules of a file are one object, as in all runs of a scenario.

    A new object would trace and compile the same functions again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Scenario, "build_objective", once(Scenario.build_objective, objective_key))
        patch.setattr(experiment, "rule_maker", once(rule_maker, rule_key))
        patch.setattr(experiment, "rule_of", once(rule_of, rule_key))
        patch.setattr(experiment, "Learner", once(Learner, lambda rule: rule))
        worked = once(
            Laboratory._seen_through, lambda laboratory, work: (laboratory._objective, work)
        )
        patch.setattr(Laboratory, "_seen_through", worked)
        yield


def once(make: Callable[..., Any], key: Callable[..., Hashable]) -> Callable[..., Any]:
    """Make the thing of each key once."""
    made: dict[Hashable, Any] = {}

    def get(*arguments: Any) -> Any:
        name = key(*arguments)
        if name not in made:
            made[name] = make(*arguments)
        return made[name]

    return get


def objective_key(scenario: Scenario) -> Hashable:
    return scenario.cluster.workers, scenario.objective.model_dump_json()


def rule_key(scenario: Scenario, label: str) -> Hashable:
    return scenario.methods[label].method, repr(settings_of(scenario, label))
