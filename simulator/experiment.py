"""What happens when a scenario runs?  The short loop that joins schedule, gradients and rule.

The engine says when, the executor computes what was used, the rule makes the next point.  Every
method of a scenario sees the same durations per worker, the same initial point and the same
tickets' keys.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from simulator.cluster import InvalidDuration
from simulator.engine import Simulation, Stalled, Stop
from simulator.executor import BatchedExecutor, Executor, groups, one_by_one
from simulator.learner import Learner
from simulator.lengths import Ruler
from simulator.numbers import prepare
from simulator.objectives.objective import Objective
from simulator.record import Run
from simulator.scenario import Scenario
from simulator.schedule import Accounts
from simulator.simulations import Rhythm, replay, rule_of, simulation_of, stop_of, vector_of

if TYPE_CHECKING:
    from jax import Array


class Diverged(Exception):
    """The numbers of a run went wrong: a metric is not finite."""


Points: TypeAlias = "dict[int, Array]"
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
    objective = scenario.build_objective()
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
        self.vector = vector_of(scenario)
        self.learners = {label: Learner(rule_of(scenario, label)) for label in scenario.methods}

    def run(self, label: str, seed: int) -> Run:
        """One method on one seed, whatever becomes of it."""
        began = time.perf_counter()
        run = Run(label, seed, tuple(self.objective.metrics))
        if self.scenario.cluster.per == "environment-step":
            run.lengths = {}
        stop = stop_of(self.scenario)
        points: Points = {}
        simulation = self._simulation(
            run, points, account_when=Rhythm(self.scenario.evaluation, stop)
        )
        try:
            self._train(run, simulation, points, stop)
        except Stalled as stalled:
            run.end, run.message = "stalled", str(stalled)
        except (Diverged, InvalidDuration) as wrong:
            run.end, run.message = "failed", str(wrong)
        except KeyboardInterrupt:
            run.end, run.message = "interrupted", "interrupted"
        if run.end in ("failed", "interrupted"):
            run.accounts = self._accounts_at(run)
        elif run.end != "target":
            run.accounts = simulation.accounts()
        run.real_seconds = time.perf_counter() - began
        return run

    def _simulation(self, run: Run, points: Points, account_when: Rhythm) -> Simulation:
        """The schedule; where time is charged by the environment step, it asks for lengths."""
        ruler = Ruler(self.objective, run, points).lengths if run.lengths is not None else None
        return simulation_of(
            self.scenario,
            run.method,
            run.seed,
            vector=self.vector,
            account_when=account_when,
            lengths=ruler,
        )

    def _accounts_at(self, run: Run) -> Accounts:
        """At the run's last step, which the schedule had left behind: it is played once more."""
        simulation = replay(self.scenario, run, self.vector)
        if run.steps:
            for _ in simulation.steps(Stop(steps=run.steps)):
                pass
        return simulation.accounts()

    def _train(self, run: Run, simulation: Simulation, points: Points, stop: Stop) -> None:
        import jax

        learner, root = self.learners[run.method], jax.random.key(run.seed)
        state, place = learner.start(self.objective.initial_point(root))
        points[0], run.point = place.query, place.iterate
        if self._look(run, root):
            run.end, run.reached = "target", 0.0
            run.accounts = simulation.accounts()
            return
        # Where an episode's length decides when it ends, no step can be looked ahead.
        grouped = groups if run.lengths is None else one_by_one
        for group, following in grouped(simulation.steps(stop)):
            run.evaluated += sum(len(step.tickets) for step in group)
            values = self.executor.evaluate(root, points, group)
            state, places = learner.advance(state, values, group)
            for step, value, place in zip(group, values, places, strict=True):
                points[step.number] = place.query
                run.move(value.environment_steps, place.iterate)
                run.close(step)
                if step.accounts is not None and self._look(run, root):
                    run.end, run.reached = "target", step.time
                    return
            if len(points) > 2 * (simulation.workers + 1):
                needed = simulation.versions_in_use() | {simulation.version}
                needed |= {ticket.version for ticket in following.tickets} if following else set()
                for version in points.keys() - needed:
                    del points[version]
        if run.steps not in run.looks and self._look(run, root):
            run.end, run.reached = "target", run.time
            run.accounts = simulation.accounts()

    def _look(self, run: Run, root: "Array") -> bool:
        """Evaluate the newest iterate; whether it is as good as the target."""
        assert run.point is not None
        episodes = self.scenario.evaluation.episodes
        metrics = run.look(self.objective.evaluate(root, run.point, run.steps, episodes))
        self.watch(run)
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise Diverged(
                    f"{name} = {value} after server step {run.steps}; a smaller step may help"
                )
        target, value = self.scenario.stop.target, metrics[self.scenario.metric]
        if target is None:
            return False
        return value >= target if self.scenario.higher_is_better else value <= target
