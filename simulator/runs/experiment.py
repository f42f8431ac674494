"""What happens when a scenario runs?  Every method trains on every seed.

Every method of a scenario sees the same durations per worker, the same initial point and the same
tickets' keys.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.numerics.executor import BatchedExecutor, Executor
from simulator.numerics.learner import Learner
from simulator.numerics.numbers import prepare
from simulator.objectives.objective import Objective, Values
from simulator.runs.checkpoint import Keeper
from simulator.runs.record import Run
from simulator.runs.simulations import numbers_of, rule_maker, rule_of
from simulator.runs.training import Course, Training
from simulator.scenario.scenario import Scenario

Watch = Callable[[Run], None]
"""Called now and then with a run that is under way."""


Kept = Callable[[str, int], Keeper | None]
"""Who keeps the checkpoints of a method on a seed."""


def run_scenario(
    scenario: Scenario,
    *,
    watch: Watch = lambda run: None,
    executor: Callable[[Values], Executor] = BatchedExecutor,
    done: Collection[tuple[str, int]] = (),
    kept: Kept = lambda label, seed: None,
) -> Iterator[Run]:
    """Every method on every seed; a run that fails ends alone, an interrupted one is the last.

    Runs that are ``done`` are left out, and one that was kept goes on where it was.
    """
    prepare()
    objective = scenario.build_objective()
    laboratory = Laboratory(scenario, objective, executor, watch)
    for seed in scenario.seeds:
        for label in scenario.methods:
            if (label, seed) in done:
                continue
            run = laboratory.run(label, seed, kept(label, seed))
            yield run
            if run.end == "interrupted":
                return


class Laboratory:
    """What the runs of a scenario share, so that nothing is built or compiled twice."""

    def __init__(
        self,
        scenario: Scenario,
        objective: Objective,
        executor: Callable[[Values], Executor] = BatchedExecutor,
        watch: Watch = lambda run: None,
    ) -> None:
        self._scenario, self._objective, self._watch = scenario, objective, watch
        self._executor, self._plain = executor, executor(objective)
        self._courses = {label: self._course(label) for label in scenario.methods}

    def run(
        self, label: str, seed: int, keeper: Keeper | None = None, watch: Watch | None = None
    ) -> Run:
        """One method on one seed, whatever becomes of it."""
        training = self.alone(label, seed, keeper, watch)
        training.run(ended=lambda run: None)
        return training.runs[0]

    def alone(
        self, label: str, seed: int, keeper: Keeper | None = None, watch: Watch | None = None
    ) -> Training:
        """A run by itself."""
        numbers = {name: [value] for name, value in numbers_of(self._scenario, label).items()}
        course = self._courses[label]
        course = course if watch is None else course._replace(watch=watch)
        return Training(course, [seed], numbers, keeper)

    def sample(
        self, label: str, seed: int, point: NDArray[Any], ticket: Ticket
    ) -> tuple[NDArray[Any], int]:
        """One gradient by itself, by the plain code, and the environment steps it took."""
        import jax
        import jax.numpy as jnp

        values = self._courses[label].values
        gradient, steps = values.sample(jax.random.key(seed), jnp.asarray(point), ticket)
        return np.asarray(gradient), int(steps)

    def training(
        self, label: str, seeds: Sequence[int], numbers: Mapping[str, Sequence[float]]
    ) -> Training:
        """Runs of one method that share a schedule, each with its seed and the rule's numbers."""
        return Training(self._courses[label], seeds, numbers)

    def _course(self, label: str) -> Course:
        scenario, objective = self._scenario, self._objective
        work = rule_of(scenario, label).work
        values = self._seen_through(work) if work else objective
        # What is not worked on by rules of its own is shared, and compiled once.
        executor = self._executor(values) if work else self._plain
        learner = Learner(rule_maker(scenario, label))
        return Course(scenario, label, objective, values, learner, executor, self._watch)

    def _seen_through(self, work: Work) -> Values:
        """The objective of a method whose tickets are no gradients, but its workers' own work."""
        local = self._objective.local
        assert local is not None, "refused before, when the scenario was checked"
        return local(work)
