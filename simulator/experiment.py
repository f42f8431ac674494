"""What happens when a scenario runs?  The short loop that joins schedule, gradients and rule.

The engine says when, the executor computes what was used, the rule makes the next point.  Every
method of a scenario sees the same durations per worker, the same initial point and the same
tickets' keys.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from algorithms.methods import METHODS
from algorithms.updates import Rule
from simulator.engine import Simulation, Stalled, Stop
from simulator.executor import BatchedExecutor, Executor, groups
from simulator.learner import Learner
from simulator.numbers import prepare
from simulator.objectives.objective import Objective
from simulator.record import Run
from simulator.scenario import EvaluationTable, Scenario
from simulator.schedule import Accounts

if TYPE_CHECKING:
    from jax import Array


class Diverged(Exception):
    """The numbers of a run went wrong: a metric is not finite."""


Watch = Callable[[Run], None]
"""Called now and then with a run that is under way."""


def run_scenario(
    scenario: Scenario,
    *,
    watch: Watch = lambda run: None,
    executor: Callable[[Objective], Executor] = BatchedExecutor,
) -> Iterator[Run]:
    """Every method on every seed; a run that fails ends alone, an interrupted one is the last."""
    prepare()
    objective = scenario.objective.build()
    laboratory = Laboratory(scenario, objective, executor(objective), watch)
    for seed in scenario.seeds:
        for label in scenario.methods:
            run = laboratory.run(label, seed)
            yield run
            if run.end == "interrupted":
                return


class Laboratory:
    """What the runs of a scenario share, so that nothing is built or compiled twice."""

    def __init__(
        self, scenario: Scenario, objective: Objective, executor: Executor, watch: Watch
    ) -> None:
        self.scenario, self.objective = scenario, objective
        self.executor, self.watch = executor, watch
        self.learners = {label: Learner(rule_of(scenario, label)) for label in scenario.methods}

    def run(self, label: str, seed: int) -> Run:
        """One method on one seed, whatever becomes of it."""
        began = time.perf_counter()
        run = Run(label, seed, tuple(self.objective.metrics))
        stop = stop_of(self.scenario)
        simulation = simulation_of(
            self.scenario,
            label,
            seed,
            dimension=self.objective.dimension,
            account_when=Rhythm(self.scenario.evaluation, stop),
        )
        try:
            self._train(run, simulation, stop)
        except Stalled as stalled:
            run.end, run.message = "stalled", str(stalled)
        except Diverged as diverged:
            run.end, run.message = "failed", str(diverged)
        except KeyboardInterrupt:
            run.end, run.message = "interrupted", "interrupted"
        if run.end in ("failed", "interrupted"):
            run.accounts = self._accounts_at(run)
        elif run.end != "target":
            run.accounts = simulation.accounts()
        run.real_seconds = time.perf_counter() - began
        return run

    def _accounts_at(self, run: Run) -> Accounts:
        """At the run's last step, which the schedule had left behind: it is played once more."""
        dimension, steps = self.objective.dimension, len(run.closed)
        simulation = simulation_of(self.scenario, run.method, run.seed, dimension=dimension)
        if steps:
            for _ in simulation.steps(Stop(steps=steps)):
                pass
        return simulation.accounts()

    def _train(self, run: Run, simulation: Simulation, stop: Stop) -> None:
        import jax

        learner, root = self.learners[run.method], jax.random.key(run.seed)
        state, place = learner.start(self.objective.initial_point(root))
        points, run.point = {0: place.query}, place.iterate
        if self._look(run, root):
            run.end, run.reached = "target", 0.0
            run.accounts = simulation.accounts()
            return
        for group, following in groups(simulation.steps(stop)):
            run.evaluated += sum(len(step.tickets) for step in group)
            values = self.executor.evaluate(root, points, group)
            state, places = learner.advance(state, values, group)
            for step, value, place in zip(group, values, places, strict=True):
                points[step.number] = place.query
                run.close(step, value.environment_steps, place.iterate)
                if step.accounts is not None:
                    run.accounts = step.accounts
                    if self._look(run, root):
                        run.end, run.reached = "target", step.time
                        return
            if len(points) > 2 * (simulation.workers + 1):
                needed = simulation.versions_in_use() | {simulation.version}
                needed |= {ticket.version for ticket in following.tickets} if following else set()
                points = {version: points[version] for version in needed & points.keys()}
        if len(run.closed) not in run.looks and self._look(run, root):
            run.end, run.reached = "target", run.time
            run.accounts = simulation.accounts()

    def _look(self, run: Run, root: "Array") -> bool:
        """Evaluate the newest iterate; whether it is as good as the target."""
        assert run.point is not None
        episodes, number = self.scenario.evaluation.episodes, len(run.closed)
        metrics = run.look(self.objective.evaluate(root, run.point, number, episodes))
        self.watch(run)
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise Diverged(
                    f"{name} = {value} after server step {number}; a smaller step may help"
                )
        target, value = self.scenario.stop.target, metrics[self.scenario.metric]
        if target is None:
            return False
        return value >= target if self.scenario.higher_is_better else value <= target


class Rhythm:
    """When to look: at the first step at or after each multiple of some seconds, or steps.

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
        self._next = (math.floor(time / self._seconds) + 1) * self._seconds
        return True


def stop_of(scenario: Scenario) -> Stop:
    """The scenario's end as the engine takes it: what is not said never comes."""
    stop = scenario.stop
    return Stop(stop.seconds or math.inf, stop.steps or math.inf, stop.gradients or math.inf)


def simulation_of(scenario: Scenario, label: str, seed: int, **options: Any) -> Simulation:
    """The schedule of one method on one seed."""
    table = scenario.methods[label]
    aggregation = METHODS[table.method].aggregate(table.settings())
    cluster, timing = scenario.build_cluster(), scenario.timing_seed(seed)
    return Simulation(cluster, aggregation, seed=timing, **options)


def rule_of(scenario: Scenario, label: str) -> Rule:
    table = scenario.methods[label]
    return METHODS[table.method].update_rule(table.settings())
