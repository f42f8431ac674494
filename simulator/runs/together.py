"""Which runs share a schedule, and how are they run together?

The times of a cluster do not depend on the values of gradients, so neither do they depend on the
numbers of an update rule.  A sweep over steps and momenta, and over seeds where no time is random,
is simulated once, and the gradients of all runs are evaluated in the same calls.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from simulator import plugins
from simulator.numerics.numbers import prepare
from simulator.objectives.objective import Objective
from simulator.runs.experiment import Laboratory
from simulator.runs.record import Run
from simulator.runs.simulations import free_numbers, numbers_of
from simulator.scenario.scenario import Scenario

Thing = TypeVar("Thing")


class Member(NamedTuple):
    """One run of a sweep: a scenario restricted to one method and one seed."""

    scenario: Scenario

    @property
    def label(self) -> str:
        return next(iter(self.scenario.methods))

    @property
    def seed(self) -> int:
        return self.scenario.seeds[0]


def schedule_key(member: Member) -> str:
    """Equal for members that can run together; then their schedules are equal, too."""
    scenario, label = member.scenario, member.label
    if scenario.cluster.per == "environment-step":  # the schedule depends on the gradients
        return scenario.fingerprint()
    table = scenario.methods[label]
    numbers = {name: 1.0 for name in free_numbers(table.method) if _is_number(table, name)}
    changes: dict[str, Any] = {
        "title": "",
        "methods": {label: table.model_copy(update=numbers)},
    }
    if scenario.cluster.seed is not None or not scenario.build_cluster().random:
        changes["seeds"] = [0]
    return scenario.model_copy(update=changes).fingerprint()


def run_together(members: Sequence[Member], ended: Callable[[int, Run], None]) -> None:
    """Run members of one ``schedule_key``; ``ended(index, run)`` is called as each ends.

    Each run is the one that ``Laboratory.run`` would make of it alone: the same schedule and
    accounts, and the same numbers but for rounding.  An interruption ends all that have not ended.
    """
    scenario, label = members[0].scenario, members[0].label
    laboratory = _laboratory(members[0])
    numbers = [numbers_of(member.scenario, label) for member in members]
    # Steps of about the same length lead to episodes of about the same length.
    order = sorted(range(len(members)), key=lambda at: (*numbers[at].values(), members[at].seed))
    for part in _trainings(scenario, order):
        training = laboratory.training(
            label,
            [members[at].seed for at in part],
            {name: [numbers[at][name] for at in part] for name in numbers[0]},
        )
        places = {id(run): at for run, at in zip(training.runs, part, strict=True)}

        def tell(run: Run, places: dict[int, int] = places) -> None:
            ended(places[id(run)], run)

        training.run(ended=tell)
        if any(run.end == "interrupted" for run in training.runs):
            return


_laboratories: dict[Hashable, Laboratory] = {}
_objectives: dict[Hashable, Objective] = {}


def _laboratory(member: Member) -> Laboratory:
    """What was compiled for the last members serves the next ones, as far as it can."""
    scenario = member.scenario
    brought = tuple(plugins.used(scenario.canonical()).values())  # a name may be given anew

    def build() -> Laboratory:
        prepare()
        said = scenario.cluster.workers, scenario.objective.model_dump_json(), brought
        return Laboratory(scenario, _kept(_objectives, said, scenario.build_objective))

    return _kept(_laboratories, (schedule_key(member), brought), build)


def _kept(things: dict[Hashable, Thing], key: Hashable, make: Callable[[], Thing]) -> Thing:
    """The thing of this key; it is made if it is not the last that was."""
    if key not in things:
        made = make()
        things.clear()
        things[key] = made
    return things[key]


def _trainings(scenario: Scenario, order: list[int]) -> Iterator[list[int]]:
    """All at once, but for those whose schedule depends on the gradients."""
    if scenario.cluster.per == "environment-step":
        yield from ([at] for at in order)
    else:
        yield order


def _is_number(table: Any, name: str) -> bool:
    return isinstance(getattr(table, name), int | float)
