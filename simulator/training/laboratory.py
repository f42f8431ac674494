"""What do the runs of a scenario share?  The objective, compiled code, and often a schedule.

Every method of a scenario has the same durations per worker, the same initial point and the same
tickets' keys.  The times of a cluster depend neither on gradients nor on the numbers of an update
rule: runs over steps and momenta, and over seeds where no time is random, are simulated once, and
their gradients are evaluated in the same calls.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_jsonable_python

from algorithms.tickets import Ticket
from simulator import plugins
from simulator.engine import Simulation
from simulator.mistakes import Mistake
from simulator.objectives.objective import Objective, Values
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.training.accounting import Accounting
from simulator.training.checkpoint import Checkpoints, Keeper, Member, restore, trainings
from simulator.training.diagnostics import SignalToNoise
from simulator.training.evaluation import Diagnostics, Evaluation, ExactEvaluation
from simulator.training.executor import BatchedExecutor, Executor
from simulator.training.finite import Finite
from simulator.training.jax_setup import prepare
from simulator.training.lanes import Lane, Turn, lanes_of
from simulator.training.learner import Learner
from simulator.training.lengths import Ruler
from simulator.training.live import Live, Log
from simulator.training.observer import Observer
from simulator.training.payloads import ByKind, kind_of_size, payload
from simulator.training.record import Memory, Run
from simulator.training.recorded import Recorded
from simulator.training.schedules import (
    Rhythm,
    numbers_of,
    rule_maker,
    rule_of,
    simulation_of,
    stop_of,
    vector_of,
)
from simulator.training.train import follow

Ended = Callable[[int, Run], None]
"""Called with the place of every run that ends, and the run."""
Watch = Callable[[Run], None]
"""Called with a run that is under way, after each of its steps."""
Record = Callable[[Callable[[int, float], bool]], Recorded]
"""Makes a recorded schedule, given the steps that need accounts."""
MOST_COMPILED = 24
"""The number of methods and settings whose compiled code stays in memory."""


class Compiled(NamedTuple):
    """The compiled parts of a method."""

    values: Values
    learner: Learner
    executor: Executor


class Laboratory:
    """An objective, and the compiled code of the methods that train on it."""

    def __init__(
        self,
        objective: Objective,
        executor: Callable[[Values], Executor] = BatchedExecutor,
    ) -> None:
        self.objective = objective
        self._executor, self._plain = executor, executor(objective)
        self._compiled: dict[str, Compiled] = {}

    def run(
        self,
        scenario: Scenario,
        keeper: Keeper | None = None,
        watch: Watch = lambda run: None,
    ) -> Run:
        """The only run of this scenario, however it ends."""
        runs: list[Run] = []
        self.train([Member(scenario, keeper)], lambda at, run: runs.append(run), watch)
        return runs[0]

    def train(
        self,
        members: Sequence[Member],
        ended: Ended,
        watch: Watch = lambda run: None,
    ) -> None:
        """Train members of one ``schedule_key`` side by side.

        A run with a checkpoint goes on from there.  An interruption ends all that are under way.
        """
        for part, memories in trainings(members):

            def ended_at(at: int, run: Run, part: Sequence[int] = part) -> None:
                ended(part[at], run)

            chosen = [members[at] for at in part]
            self._train(chosen, memories, ended_at, _Watching(watch))

    def retrace(
        self, scenario: Scenario, recorded: Record, observer: Observer, log: Log | None = None
    ) -> Run:
        """The only run of this scenario along a recorded schedule, step by step."""
        member = Member(scenario, log=log)
        return self._train([member], [], lambda at, run: None, observer, recorded)[0]

    def sample(self, scenario: Scenario, point: NDArray[Any], ticket: Ticket) -> Any:
        """One gradient by the plain code at its point or payload, and its environment steps."""
        import jax
        import jax.numpy as jnp

        member = Member(scenario)
        values = self._compiled_for(scenario, member.label).values
        if values is self.objective:
            values = ByKind(values)[kind_of_size(len(point), values.dimension)]
        root = jax.random.key(member.seed)
        gradient, steps = values.sample(root, jnp.asarray(point), ticket)
        return np.asarray(gradient), int(steps)

    def point_at(
        self, scenario: Scenario, version: int, recorded: Record | None = None
    ) -> NDArray[Any]:
        """The point of this version in the only run of this scenario."""
        return self._found(scenario, _Seek(version), recorded)

    def place_of(
        self, scenario: Scenario, ticket: Ticket, step: int, recorded: Record | None = None
    ) -> NDArray[Any]:
        """The point or payload of this gradient in the step that used it."""
        return self._found(scenario, _Seek(step, ticket), recorded)

    def _found(self, scenario: Scenario, seek: "_Seek", recorded: Record | None) -> NDArray[Any]:
        runs = self._train([Member(scenario)], [], lambda at, run: None, seek, recorded)
        if seek.found is None:
            closed = f"the run closed only {runs[0].steps} server steps"
            raise Mistake(f"version {seek.version}: {closed}")
        return seek.found

    def _train(
        self,
        members: Sequence[Member],
        memories: Sequence[Memory],
        ended: Ended,
        first: Observer,
        recorded: Record | None = None,
    ) -> list[Run]:
        """Train members together; ``first`` observes every step first, and may end the runs."""
        scenario, label = members[0].scenario, members[0].label
        compiled = self._compiled_for(scenario, label)
        runs = [Run(label, each.seed, tuple(self.objective.metrics)) for each in members]
        numbers = [numbers_of(each.scenario, label) for each in members]
        by_name = {name: [each[name] for each in numbers] for name in numbers[0]}
        live = Live(runs, [each.log for each in members])

        def settled(at: int, run: Run) -> None:
            live.report(run)
            ended(at, run)

        accounting = Accounting(scenario, runs, settled)
        lanes = lanes_of(runs, by_name, compiled.learner, compiled.executor, accounting.settle)
        for lane in lanes:
            lane.start(self.objective.initial_point)
        measured = scenario.cluster.per == "environment-step"
        schedule: Simulation | Recorded
        if recorded is None:
            schedule = self._simulation(scenario, runs[0], lanes[0] if measured else None)
        else:
            schedule = recorded(self._account_when(scenario))
        accounting.schedule = schedule
        observers = [Finite(), first, *self._observers(scenario, compiled), accounting]
        if any(each.log for each in members):
            observers.append(live)
        if keepers := [each.keeper for each in members if each.keeper]:
            observers.append(Checkpoints(keepers, runs))
        done = restore(lanes, memories) if memories else 0
        ahead = not measured and recorded is None
        follow(schedule, stop_of(scenario), lanes, observers, ahead=ahead, done=done)
        return runs

    def _simulation(self, scenario: Scenario, run: Run, lane: Lane | None) -> Simulation:
        """The schedule; with time per environment step, it needs the lengths of episodes."""
        lengths = None
        if lane is not None:
            run.lengths = {}
            assert self.objective.episodes is not None, "refused when the scenario was checked"
            lengths = Ruler(self.objective.episodes, run, lane.points).lengths
        return simulation_of(
            scenario,
            run.method,
            run.seed,
            vector=vector_of(scenario),
            account_when=self._account_when(scenario),
            lengths=lengths,
        )

    def _account_when(self, scenario: Scenario) -> Callable[[int, float], bool]:
        """The steps that get accounts: those to evaluate.

        The accounts of all workers at every step would take long; a replay computes them later.
        """
        if self._measures_all(scenario):
            return lambda number, time: False
        return Rhythm(scenario.evaluation, stop_of(scenario))

    def _observers(self, scenario: Scenario, compiled: Compiled) -> list[Observer]:
        table, reaches = scenario.evaluation, partial(_reaches, scenario)
        observers: list[Observer] = []
        if (every := table.diagnostics_every_steps) is not None:
            exact = self.objective.exact if compiled.values is self.objective else None
            ratio = SignalToNoise(compiled.values, table.episodes, exact)
            observers.append(Diagnostics(ratio, every))
        if self._measures_all(scenario):
            assert self.objective.exact is not None
            return [*observers, ExactEvaluation(self.objective.exact, reaches)]
        # The schedule has accounts at the steps of evaluations.
        evaluation = Evaluation(
            self.objective, table.episodes, lambda step: step.accounts is not None, reaches
        )
        return [*observers, evaluation]

    def _measures_all(self, scenario: Scenario) -> bool:
        """Whether every step is measured: on an exact objective without a given rhythm."""
        rhythm = scenario.evaluation
        free = rhythm.every_seconds is None and rhythm.every_steps is None
        return free and self.objective.exact is not None

    def _compiled_for(self, scenario: Scenario, label: str) -> Compiled:
        method = scenario.methods[label].method
        settings, free = settings_of(scenario, label), numbers_of(scenario, label)
        fixed = {name: settings[name] for name in settings.keys() - free.keys()}
        key = json.dumps([method, to_jsonable_python(fixed)], sort_keys=True)
        if key not in self._compiled:
            if len(self._compiled) >= MOST_COMPILED:
                self._compiled.pop(next(iter(self._compiled)))
            self._compiled[key] = self._compile(scenario, label)
        return self._compiled[key]

    def _compile(self, scenario: Scenario, label: str) -> Compiled:
        learner, work = Learner(rule_maker(scenario, label)), rule_of(scenario, label).work
        if work is None:  # plain gradients, which are compiled once for all methods
            return Compiled(self.objective, learner, self._plain)
        assert self.objective.local is not None, "refused when the scenario was checked"
        values = self.objective.local(work)
        return Compiled(values, learner, self._executor(values))


class _Seek(Observer):
    """Ends the training at a version; finds its point, or how its step used a ticket."""

    found: NDArray[Any] | None = None

    def __init__(self, version: int, ticket: Ticket | None = None) -> None:
        self.version, self._ticket = version, ticket

    def begin(self, lane: Lane) -> None:
        if self.version == 0:
            self._end(lane, lane.place.query)

    def step(self, lane: Lane, turn: Turn) -> None:
        if self.version == turn.step.number:
            used = self._ticket and payload(lane.points, turn.step, self._ticket)
            self._end(lane, turn.query if used is None else used)

    def _end(self, lane: Lane, rows: Any) -> None:
        self.found = np.asarray(rows)[0]
        for run in lane.living:
            lane.end(run, "interrupted")


class _Watching(Observer):
    """Calls ``watch`` with every run after each of its steps, before it may end there."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def begin(self, lane: Lane) -> None:
        for run in lane.living:
            self._watch(run)

    def step(self, lane: Lane, turn: Turn) -> None:
        self.begin(lane)


def _reaches(scenario: Scenario, metrics: Any) -> bool:
    target, value = scenario.stop.target, metrics[scenario.metric]
    if target is None:
        return False
    return bool(value >= target if scenario.higher_is_better else value <= target)


MOST_OBJECTIVES = 1
"""The number of objectives in memory, with all their compiled code."""
_laboratories: dict[str, Laboratory] = {}


def laboratory_of(scenario: Scenario) -> Laboratory:
    """The laboratory of the last runs if their objective is the same, or a new one."""
    origins = sorted(map(str, plugins.used(scenario.canonical()).values()))  # a name may be reused
    objective = scenario.objective.model_dump_json()
    key = json.dumps([scenario.cluster.workers, objective, origins])
    if key not in _laboratories:
        prepare()
        laboratory = Laboratory(scenario.build_objective())
        if len(_laboratories) >= MOST_OBJECTIVES:
            _laboratories.pop(next(iter(_laboratories)))
        _laboratories[key] = laboratory
    return _laboratories[key]
