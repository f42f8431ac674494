"""Which runs share a schedule, and how are they run?  One after another."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from simulator.objectives.objective import Objective
from simulator.prescription import settings_of
from simulator.record import Run
from simulator.remarks import random_times
from simulator.scenario import Scenario


class Member(NamedTuple):
    """A scenario of one method and one seed: one run."""

    scenario: Scenario

    @property
    def label(self) -> str:
        return next(iter(self.scenario.methods))

    @property
    def seed(self) -> int:
        return self.scenario.seeds[0]


def schedule_key(member: Member) -> str:
    """The same for members that share one schedule; step and momentum do not matter to it."""
    scenario = member.scenario
    if scenario.cluster.per == "environment-step":
        return scenario.fingerprint()
    settings = settings_of(scenario, member.label)
    kept = {name: value for name, value in settings.items() if name not in ("step", "momentum")}
    plain = scenario.canonical() | {"title": "", "methods": kept | {"label": member.label}}
    plain["methods"]["method"] = scenario.methods[member.label].method
    if scenario.cluster.seed is not None or not random_times(scenario):
        plain["seeds"] = []
    return json.dumps(plain, sort_keys=True, default=str)


def run_together(members: Sequence[Member], ended: Callable[[int, Run], None]) -> None:
    """Run members with one schedule; ``ended`` hears of each as it ends."""
    from simulator.experiment import Laboratory
    from simulator.numbers import prepare

    prepare()
    first = members[0].scenario
    objective = _objective(
        first.objective.model_dump_json(), type(first.objective), first.cluster.workers
    )
    for at, member in enumerate(members):
        ended(at, Laboratory(member.scenario, objective).run(member.label, member.seed))


@lru_cache(maxsize=1)
def _objective(table: str, kind: Any, workers: int) -> Objective:
    """The one that was last in use is kept, with what was compiled for it."""
    built: Objective = kind.model_validate_json(table).build(workers)
    return built
