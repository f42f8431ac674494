"""What happens when a scenario runs?  The short loop that joins schedule, gradients and rule.

The engine says when, the executor computes what was used, the rule makes the next point.  Every
method of a scenario sees the same durations per worker, the same initial point and the same
tickets' keys.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work
from simulator.cluster import InvalidDuration
from simulator.diagnostics import SignalToNoise
from simulator.engine import Simulation, Stalled, Stop
from simulator.executor import (
    BatchedExecutor,
    Evaluated,
    Executor,
    Kept,
    groups,
    one_by_one,
    padded_size,
)
from simulator.learner import Learner, Place
from simulator.lengths import Ruler
from simulator.numbers import prepare
from simulator.objectives.objective import Broken, Exact, Local, Objective, Values
from simulator.record import Run
from simulator.scenario import Scenario
from simulator.schedule import Accounts, Step
from simulator.simulations import Rhythm, replay, rule_of, simulation_of, stop_of, vector_of

if TYPE_CHECKING:
    from jax import Array


class Diverged(Exception):
    """The numbers of a run went wrong: a metric is not finite."""


Points: TypeAlias = "dict[int, Array]"
Turn: TypeAlias = tuple[Step, Evaluated, Place]
"""A server step, its gradient, and where it led."""
Watch = Callable[[Run], None]
"""Called now and then with a run that is under way."""


def run_scenario(
    scenario: Scenario,
    *,
    watch: Watch = lambda run: None,
    executor: Callable[[Values], Executor] = BatchedExecutor,
) -> Iterator[Run]:
    """Every method on every seed; a run that fails ends alone, an interrupted one is the last."""
    prepare()
    objective = scenario.build_objective()
    laboratory = Laboratory(scenario, objective, executor, watch)
    for seed in scenario.seeds:
        for label in scenario.methods:
            run = laboratory.run(label, seed)
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
        self.scenario, self.objective, self.watch = scenario, objective, watch
        self.vector = vector_of(scenario)
        rules = {label: rule_of(scenario, label) for label in scenario.methods}
        self.learners = {label: Learner(rule) for label, rule in rules.items()}
        # What is not worked on by rules of its own is shared, and compiled once.
        self.values: dict[str, Values] = {
            label: self._seen_through(rule.work) if rule.work else objective
            for label, rule in rules.items()
        }
        plain = executor(objective)
        self.executors = {
            label: plain if values is objective else executor(values)
            for label, values in self.values.items()
        }
        # Where measuring is exact and cheap, and nobody says how often, nothing is missed.
        self.exact = objective if isinstance(objective, Exact) else None
        rhythm = scenario.evaluation
        self.always = self.exact and rhythm.every_seconds is None and rhythm.every_steps is None

    def _seen_through(self, work: Work) -> Values:
        """The objective of a method whose tickets are no gradients, but its workers' own work."""
        assert isinstance(self.objective, Local), "refused before, when the scenario was checked"
        return self.objective.worked(work)

    def run(self, label: str, seed: int) -> Run:
        """One method on one seed, whatever becomes of it."""
        began = time.perf_counter()
        run = Run(label, seed, tuple(self.objective.metrics))
        if self.scenario.cluster.per == "environment-step":
            run.lengths = {}
        points: Points = {}
        simulation = self._simulation(run, points)
        try:
            self._train(run, simulation, points)
        except Stalled as stalled:
            run.end, run.message = "stalled", str(stalled)
        except (Broken, Diverged, InvalidDuration) as wrong:
            run.end, run.message = "failed", str(wrong)
        except KeyboardInterrupt:
            run.end, run.message = "interrupted", "interrupted"
        if run.end in ("stop", "stalled"):
            run.accounts = simulation.accounts()
        elif run.end in ("failed", "interrupted") or not run.accounts_are_newest:
            run.accounts = self._accounts_at(run)
        run.real_seconds = time.perf_counter() - began
        return run

    def _simulation(self, run: Run, points: Points) -> Simulation:
        """The schedule; where time is charged by the environment step, it asks for lengths."""
        ruler = Ruler(self.objective, run, points).lengths if run.lengths is not None else None
        rhythm = Rhythm(self.scenario.evaluation, stop_of(self.scenario))
        return simulation_of(
            self.scenario,
            run.method,
            run.seed,
            vector=self.vector,
            # Everybody's accounts at every single step would be dear; they can be had later.
            account_when=rhythm if not self.always else lambda number, time: False,
            lengths=ruler,
        )

    def _accounts_at(self, run: Run) -> Accounts:
        """At the run's last step, which the schedule had left behind: it is played once more."""
        simulation = replay(self.scenario, run, self.vector)
        if run.steps:
            for _ in simulation.steps(Stop(steps=run.steps)):
                pass
        return simulation.accounts()

    def _train(self, run: Run, simulation: Simulation, points: Points) -> None:
        import jax

        learner, executor = self.learners[run.method], self.executors[run.method]
        root = jax.random.key(run.seed)
        kept: Kept = {}
        state, place = learner.start(self.objective.initial_point(root))
        points[0], run.point = place.query, place.iterate
        if self._look(run, root):
            return
        # Where an episode's length decides when it ends, no step can be looked ahead.
        grouped = groups if run.lengths is None else one_by_one
        for group, following in grouped(simulation.steps(stop_of(self.scenario))):
            run.evaluated += sum(len(step.fresh) for step in group)
            values = executor.evaluate(root, points, group, kept)
            state, places = learner.advance(state, values, group)
            points.update((step.number, at.query) for step, at in zip(group, places, strict=True))
            turns = zip(group, values, places, strict=True)
            if self._follow(run, root, points, turns):
                return
            if len(points) > 2 * (simulation.workers + 1):
                needed = simulation.versions_in_use() | {simulation.version}
                if following:
                    needed |= {following.version, *(ticket.version for ticket in following.fresh)}
                for version in points.keys() - needed:
                    del points[version]
        if not run.looked:
            self._look(run, root)

    def _follow(self, run: Run, root: "Array", points: Points, steps: Iterable[Turn]) -> bool:
        """Record steps whose values are known; whether one of them is at the target."""
        turns = list(steps)
        if self.always:
            measured = self._measure([place.iterate for _, _, place in turns])
        for at, (step, value, place) in enumerate(turns):
            run.move(value.environment_steps, place.iterate)
            run.close(step)
            self._diagnose(run, root, points, step)
            if self.always:
                if self._see(run, {name: values[at] for name, values in measured.items()}):
                    return True
            elif step.accounts is not None and self._look(run, root):
                return True
        return False

    def _diagnose(self, run: Run, root: "Array", points: Points, step: Step) -> None:
        """Where it is asked for: how much of the step's gradient is signal."""
        evaluation = self.scenario.evaluation
        every = evaluation.diagnostics_every_steps
        if every is not None and step.number % every == 0:
            ratio = SignalToNoise(self.values[run.method], evaluation.episodes)
            run.note("signal_to_noise", ratio.of(root, points, step))

    def _measure(self, points: "Sequence[Array]") -> "dict[str, NDArray[Any]]":
        """The exact metrics at several points, in one call."""
        assert self.exact is not None
        rows = [np.asarray(point) for point in points]
        rows += [rows[0]] * (padded_size(len(rows)) - len(rows))
        measured = self.exact.measure(cast("Array", np.stack(rows)))
        return {name: np.asarray(values) for name, values in measured.items()}

    def _look(self, run: Run, root: "Array") -> bool:
        """Evaluate the newest iterate; whether it is as good as the target."""
        assert run.point is not None
        episodes = self.scenario.evaluation.episodes
        return self._see(run, self.objective.evaluate(root, run.point, run.steps, episodes))

    def _see(self, run: Run, measured: "Mapping[str, Array | float]") -> bool:
        """Record what was measured at the newest step; whether the run has reached its target."""
        metrics = run.look(measured)
        self.watch(run)
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise Diverged(
                    f"{name} = {value} after server step {run.steps}; a smaller step may help"
                )
        target, value = self.scenario.stop.target, metrics[self.scenario.metric]
        if target is None or not (
            value >= target if self.scenario.higher_is_better else value <= target
        ):
            return False
        run.end, run.reached = "target", run.time
        return True
