"""What do the runs of a scenario share?  What is built and compiled once; and often a schedule.

Every method of a scenario sees the same durations per worker, the same initial point and the same
tickets' keys.  The times of a cluster do not depend on the values of gradients, so neither do they
depend on the numbers of an update rule: runs over steps and momenta, and over seeds where no time
is random, are simulated once, and their gradients are evaluated in the same calls.
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
from simulator.training.checkpoint import Checkpoints, Keeper, go_on
from simulator.training.diagnostics import SignalToNoise
from simulator.training.evaluation import Diagnostics, Evaluation, ExactEvaluation
from simulator.training.executor import BatchedExecutor, Executor
from simulator.training.finite import Finite
from simulator.training.jax_setup import prepare
from simulator.training.lanes import Lane, Turn, lanes_of
from simulator.training.learner import Learner
from simulator.training.lengths import Ruler
from simulator.training.observer import Observer
from simulator.training.record import Memory, Run
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
"""Called with every run that ends, and its place among those that were asked for."""
Watch = Callable[[Run], None]
"""Called with a run that is under way, after each of its steps."""
MOST_COMPILED = 24
"""Methods and settings whose compiled rules are held."""


class Member(NamedTuple):
    """One run: a scenario of one method and one seed, and who keeps its checkpoints."""

    scenario: Scenario
    keeper: Keeper | None = None

    @property
    def label(self) -> str:
        return next(iter(self.scenario.methods))

    @property
    def seed(self) -> int:
        return self.scenario.seeds[0]


class Compiled(NamedTuple):
    """What a method trains by."""

    values: Values
    learner: Learner
    executor: Executor


class Laboratory:
    """An objective, and what was compiled for the methods that train on it."""

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
        """The only run of this scenario, whatever becomes of it."""
        found: list[Run] = []
        self.train([Member(scenario, keeper)], lambda at, run: found.append(run), watch)
        return found[0]

    def train(
        self, members: Sequence[Member], ended: Ended, watch: Watch = lambda run: None
    ) -> None:
        """Train members of one ``schedule_key`` side by side.

        A run with a checkpoint goes on from there.  An interruption ends all that are under way.
        """
        for part, memories in _trainings(members):
            tell = partial(_tell, part, ended)
            self._train([members[at] for at in part], memories, tell, _Watching(watch))

    def sample(self, scenario: Scenario, point: NDArray[Any], ticket: Ticket) -> Any:
        """One gradient by itself, by the plain code, and the environment steps it took."""
        import jax
        import jax.numpy as jnp

        member = Member(scenario)
        values = self._compiled_for(scenario, member.label).values
        root = jax.random.key(member.seed)
        gradient, steps = values.sample(root, jnp.asarray(point), ticket)
        return np.asarray(gradient), int(steps)

    def point_at(self, scenario: Scenario, version: int) -> NDArray[Any]:
        """Where the only run of this scenario takes gradients of this version."""
        found: list[NDArray[Any]] = []
        seek = _Seek(version, found)
        runs = self._train([Member(scenario)], [], lambda at, run: None, seek)
        if not found:
            told = f"the run closed only {runs[0].steps} server steps"
            raise Mistake(f"version {version}: {told}")
        return found[0]

    def _train(
        self,
        members: Sequence[Member],
        memories: Sequence[Memory],
        ended: Ended,
        first: Observer,
    ) -> list[Run]:
        """``first`` sees every step before it is measured, and may end the runs."""
        scenario, label = members[0].scenario, members[0].label
        compiled = self._compiled_for(scenario, label)
        runs = [Run(label, each.seed, tuple(self.objective.metrics)) for each in members]
        numbers = [numbers_of(each.scenario, label) for each in members]
        by_name = {name: [each[name] for each in numbers] for name in numbers[0]}
        accounting = Accounting(scenario, runs, ended)
        lanes = lanes_of(runs, by_name, compiled.learner, compiled.executor, accounting.settle)
        for lane in lanes:
            lane.start(self.objective.initial_point)
        measured = scenario.cluster.per == "environment-step"
        simulation = self._simulation(scenario, runs[0], lanes[0] if measured else None)
        accounting.simulation = simulation
        observers = [Finite(), first, *self._observers(scenario, compiled), accounting]
        if keepers := [each.keeper for each in members if each.keeper]:
            observers.append(Checkpoints(keepers, runs))
        done = go_on(lanes, memories) if memories else 0
        follow(simulation, stop_of(scenario), lanes, observers, ahead=not measured, done=done)
        return runs

    def _simulation(self, scenario: Scenario, run: Run, lane: Lane | None) -> Simulation:
        """The schedule; where time is charged by the environment step, it asks for lengths."""
        lengths = None
        if lane is not None:
            run.lengths = {}
            assert self.objective.episodes is not None, "refused when the scenario was checked"
            lengths = Ruler(self.objective.episodes, run, lane.points).lengths
        rhythm = Rhythm(scenario.evaluation, stop_of(scenario))
        # The accounts of all workers at every single step would be dear; they can be had later.
        at = (lambda number, time: False) if self._measures_all(scenario) else rhythm
        return simulation_of(
            scenario,
            run.method,
            run.seed,
            vector=vector_of(scenario),
            account_when=at,
            lengths=lengths,
        )

    def _observers(self, scenario: Scenario, compiled: Compiled) -> list[Observer]:
        """Those that measure."""
        table, reaches = scenario.evaluation, partial(_reaches, scenario)
        observers: list[Observer] = []
        if (every := table.diagnostics_every_steps) is not None:
            exact = self.objective.exact if compiled.values is self.objective else None
            ratio = SignalToNoise(compiled.values, table.episodes, exact)
            observers.append(Diagnostics(ratio, every))
        if self._measures_all(scenario):
            assert self.objective.exact is not None
            return [*observers, ExactEvaluation(self.objective.exact, reaches)]
        # The schedule has accounts where its runs are looked at.
        looked = Evaluation(
            self.objective, table.episodes, lambda step: step.accounts is not None, reaches
        )
        return [*observers, looked]

    def _measures_all(self, scenario: Scenario) -> bool:
        """Where measuring is exact and cheap, and no rhythm is given, every step is measured."""
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
        if work is None:  # what every method shares is compiled once
            return Compiled(self.objective, learner, self._plain)
        assert self.objective.local is not None, "refused when the scenario was checked"
        values = self.objective.local(work)
        return Compiled(values, learner, self._executor(values))


class _Seek(Observer):
    """Ends the training at a version, whose point it finds."""

    def __init__(self, version: int, found: list[NDArray[Any]]) -> None:
        self._version, self._found = version, found

    def begin(self, lane: Lane) -> None:
        if self._version == 0:
            self._end(lane, lane.place.query)

    def step(self, lane: Lane, turn: Turn) -> None:
        if self._version == turn.step.number:
            self._end(lane, turn.query)

    def _end(self, lane: Lane, points: Any) -> None:
        self._found.append(np.asarray(points)[0])
        for run in lane.living:
            lane.end(run, "interrupted")


class _Watching(Observer):
    """Shows every run after each of its steps, before it may end there."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def begin(self, lane: Lane) -> None:
        for run in lane.living:
            self._watch(run)

    def step(self, lane: Lane, turn: Turn) -> None:
        self.begin(lane)


def _tell(part: Sequence[int], ended: Ended, place: int, run: Run) -> None:
    ended(part[place], run)


def _reaches(scenario: Scenario, metrics: Any) -> bool:
    """Whether the target is met."""
    target, value = scenario.stop.target, metrics[scenario.metric]
    if target is None:
        return False
    return bool(value >= target if scenario.higher_is_better else value <= target)


def _trainings(members: Sequence[Member]) -> list[tuple[list[int], list[Memory]]]:
    """Which members train side by side: those that go on from the same step."""
    numbers = [numbers_of(each.scenario, each.label) for each in members]
    # Steps of about the same length lead to episodes of about the same length.
    order = sorted(range(len(members)), key=lambda at: (*numbers[at].values(), members[at].seed))
    if len(order) > 1 and members[0].scenario.cluster.per == "environment-step":
        # The schedule depends on the gradients, so no run shares it.
        return [([at], memories) for at in order for _, memories in _trainings([members[at]])]
    kept = {at: keeper.found() for at in order if (keeper := members[at].keeper)}
    kept = {at: found for at, found in kept.items() if found}
    fresh = [at for at in order if at not in kept]
    parts: list[tuple[list[int], list[Memory]]] = [(fresh, [])] if fresh else []
    while kept:
        # The latest step that most of the rest have.
        steps = [step for found in kept.values() for step in found]
        best = max(steps, key=lambda step: (steps.count(step), step))
        part = [at for at in order if best in kept.get(at, ())]
        parts.append((part, [kept[at][best] for at in part]))
        kept = {at: found for at, found in kept.items() if at not in part}
    return parts


MOST_OBJECTIVES = 1
"""So many objectives are held, with all that was compiled for them."""
_laboratories: dict[str, Laboratory] = {}


def laboratory_of(scenario: Scenario) -> Laboratory:
    """What was built and compiled for the last runs serves the next ones, as far as it can."""
    brought = sorted(map(str, plugins.used(scenario.canonical()).values()))  # a name may be reused
    said = scenario.cluster.workers, scenario.objective.model_dump_json(), brought
    key = json.dumps(said)
    if key not in _laboratories:
        prepare()
        made = Laboratory(scenario.build_objective())
        if len(_laboratories) >= MOST_OBJECTIVES:
            _laboratories.pop(next(iter(_laboratories)))
        _laboratories[key] = made
    return _laboratories[key]
