"""What happens when a method trains?  The short loop that joins schedule, gradients and rule.

The engine says when, the executor computes what was used, the rule makes the next point.  All runs
that share the schedule go along, in lanes; one that reaches its target or goes wrong leaves the
others.  A single run is the only one of its lane.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from simulator.cluster import InvalidDuration
from simulator.engine import Simulation, Stalled
from simulator.mistakes import Mistake, printable
from simulator.numerics.diagnostics import SignalToNoise
from simulator.numerics.executor import Executor, chunks, groups, one_by_one, padded_size
from simulator.numerics.learner import Learner, Place
from simulator.objectives.objective import Broken, Objective, Values
from simulator.runs.checkpoint import Keeper, Memory
from simulator.runs.culprit import Turn, culprit, failure_at, first_that_went_wrong, somewhere
from simulator.runs.lanes import LONGEST, Lane
from simulator.runs.lengths import Ruler
from simulator.runs.record import End, Row, Run
from simulator.runs.simulations import Rhythm, replay, simulation_of, stop_of, vector_of
from simulator.scenario.scenario import Scenario
from simulator.schedule import Accounts, Step

if TYPE_CHECKING:
    from jax import Array

Metrics: TypeAlias = Mapping[str, NDArray[Any]]
"""A value for each row of a lane."""
Ended: TypeAlias = Callable[[Run], None]
"""Called with every run when it has ended, whatever became of it."""


FAR = 1e6
"""A point with such a number has gone too far, and what is wrong there is no gradient's fault."""


class Course(NamedTuple):
    """What all runs of a method have in common, built and compiled once."""

    scenario: Scenario
    label: str
    objective: Objective
    values: Values
    learner: Learner
    executor: Executor
    watch: Callable[[Run], None]


class Training:
    """Runs of one method that share a schedule, from their start to their end."""

    def __init__(
        self,
        course: Course,
        seeds: Sequence[int],
        numbers: Mapping[str, Sequence[float]],
        keeper: Keeper | None = None,
    ) -> None:
        """``numbers`` are the rule's, by name, one for each of the seeds.

        ``keeper`` has the checkpoints of a run by itself: it goes on where the newest one was.
        """
        assert keeper is None or len(seeds) == 1
        self._keeper = keeper
        self._course, self._scenario = course, course.scenario
        self.runs = [Run(course.label, seed, tuple(course.objective.metrics)) for seed in seeds]
        if self._scenario.cluster.per == "environment-step":
            assert len(seeds) == 1, "there the schedule depends on the gradients"
            self.runs[0].lengths = {}
        self._lanes = []
        for start in range(0, len(seeds), LONGEST):
            part = slice(start, start + LONGEST)
            mine = {name: np.array(each[part], np.float64) for name, each in numbers.items()}
            self._lanes.append(Lane(self.runs[part], mine, course.learner, course.executor))
        # Where measuring is exact and cheap, and nobody says how often, nothing is missed.
        objective, rhythm = course.objective, self._scenario.evaluation
        self._exact = objective.exact
        seldom = rhythm.every_seconds is not None or rhythm.every_steps is not None
        self._always = self._exact is not None and not seldom
        # Where numbers are waited for in any case, no environment meets a policy that is none.
        self._waits = objective.on_host or self.runs[0].lengths is not None
        self._simulation = self._schedule()
        self._again: Again | None = None
        self._counted = 0.0
        self._group: Sequence[Step] = ()

    def run(self, ended: Ended) -> None:
        """Until every run has ended."""
        self._ended, self._counted = ended, time.perf_counter()
        try:
            self._train()
        except Stalled as stalled:
            self._end_all("stalled", str(stalled))
        except Broken as broken:
            self._end_broken(broken)
        except InvalidDuration as wrong:
            self._end_all("failed", str(wrong))
        except KeyboardInterrupt:
            self._end_all("interrupted", "interrupted")
        else:
            self._end_all("stop")

    def point_at(self, version: int) -> NDArray[Any]:
        """Where a run by itself takes gradients of this version; it is trained no further."""
        self._ended = lambda run: None
        points = self._lanes[0].points
        for _ in self._groups():
            if version in points or not self._lanes[0].living:
                break
        if version not in points:
            steps = self.runs[0].steps
            raise Mistake(f"version {version}: the run closed only {steps} server steps")
        point: NDArray[Any] = np.asarray(points[version])[0]
        return point

    def _schedule(self) -> Simulation:
        """Where time is charged by the environment step, it asks for lengths."""
        scenario, run = self._scenario, self.runs[0]
        ruler = None
        if run.lengths is not None:
            ruler = Ruler(self._course.objective, run, self._lanes[0].points).lengths
        rhythm = Rhythm(scenario.evaluation, stop_of(scenario))
        return simulation_of(
            scenario,
            run.method,
            run.seed,
            vector=vector_of(scenario),
            # Everybody's accounts at every single step would be dear; they can be had later.
            account_when=rhythm if not self._always else lambda number, time: False,
            lengths=ruler,
        )

    def _train(self) -> None:
        for _ in self._groups():
            if not any(lane.living for lane in self._lanes):
                return
        for lane in self._lanes:
            self._prove(lane, lane.turns)
            if any(not run.looked for run in lane.living):
                self._look(lane, lane.place)

    def _groups(self) -> Iterator[None]:
        """Go from group to group; where points are forgotten and kept, nothing is under way."""
        for lane in self._lanes:
            self._start(lane)
        done = self._remember()
        # Where an episode's length decides when it ends, no step can be looked ahead.
        grouped = groups if self.runs[0].lengths is None else one_by_one
        for group, following in grouped(self._simulation.steps(stop_of(self._scenario))):
            if group[-1].number <= done:
                for step in group:
                    self.runs[0].account(step)
                continue
            self._advance(group)
            yield
            self._forget(following)
            self._keep()

    def _advance(self, group: Sequence[Step]) -> None:
        """Take these steps in every lane."""
        self._group = group
        lanes = [lane for lane in self._lanes if lane.living]
        earlier = [lane.turns for lane in lanes]
        # All lanes are under way before anybody waits for the numbers of one.
        turns = [lane.step(group) for lane in lanes]
        for lane, before, mine in zip(lanes, earlier, turns, strict=True):
            many = len(lane.living)
            self._prove(lane, before)
            self._follow(lane, mine)
            if len(lane.living) < many:
                self._prove(lane, mine)
                lane.close_up()

    def _forget(self, following: Step | None) -> None:
        """Give up the points that nobody will ask for, when there are many."""
        simulation, lanes = self._simulation, [lane for lane in self._lanes if lane.living]
        if not lanes or len(lanes[0].points) <= 2 * (simulation.workers + 1):
            return
        needed = simulation.versions_in_use() | {simulation.version}
        # The newest steps may prove wrong, and then one asks by which gradient.
        for step in (*self._group, following) if following else self._group:
            needed |= {step.version, *(ticket.version for ticket in step.fresh)}
        for lane in lanes:
            lane.forget(lane.points.keys() - needed)

    def _keep(self) -> None:
        """Write down where the run is, now and then."""
        if self._keeper is None or not self._keeper.due:
            return
        (lane,) = self._lanes
        self._prove(lane, lane.turns)
        if not lane.living:
            return
        self._share_the_time()
        memory = {f"lane/{name}": values for name, values in lane.memory().items()}
        memory |= {f"record/{name}": values for name, values in self.runs[0].memory().items()}
        self._keeper.save(memory)

    def _remember(self) -> int:
        """Go back to where the run was when it was kept; after how many steps that is."""
        memory = self._keeper.newest() if self._keeper else None
        if memory is None:
            return 0
        (lane,), run = self._lanes, self.runs[0]
        lane.remember(_part(memory, "lane/"))
        run.remember(_part(memory, "record/"))
        run.point = Row(lane.place.iterate, lane.row(run))
        return run.steps

    def _prove(self, lane: Lane, turns: Sequence[Turn]) -> None:
        """Who is nowhere after these steps, since a number is not finite, has failed."""
        if not turns:
            return
        fine = somewhere(turns[-1][2])
        for run in lane.living:
            if not fine[lane.row(run)]:
                self._fail(run, lane, turns, f"its point is not finite after {run.steps} steps")

    def _fail(self, run: Run, lane: Lane, turns: Sequence[Turn], otherwise: str) -> None:
        """Say which gradient is not finite, or what is wrong otherwise."""
        row, told = lane.row(run), otherwise
        step = first_that_went_wrong(turns, row)
        if step is not None:
            run.failure = culprit(lane.abreast, row, step, self._course.executor)
            what = "the rule made a point" if run.failure.ticket is None else "a gradient"
            told = f"{what} that is not finite{run.failure.told}"
        point = run.failure.point if run.failure else np.asarray(lane.place.iterate)[row]
        near = point is not None and np.abs(point).max() < FAR  # which no infinity is, and no NaN
        if near and run.failure is None:
            told += ", though its point is finite: an episode of the evaluation went wrong"
        self._end(run, "failed", told if near else f"{told}; a smaller step may help")
        lane.leave(run)

    def _end_broken(self, broken: Broken) -> None:
        """An environment failed: with it all runs here."""
        for lane in self._lanes:  # it may have met a policy that was none
            self._prove(lane, lane.turns)
        number = None
        for step in self._group:
            if broken.ticket in step.fresh:
                number = step.number
        for lane in self._lanes:
            for run in lane.living:
                if broken.ticket is not None:
                    run.failure = failure_at(number, broken.ticket, lane.points, lane.row(run))
        told = self.runs[0].failure.told if self.runs[0].failure else ""
        self._end_all("failed", f"{broken}{told}")

    def _start(self, lane: Lane) -> None:
        initial = self._course.objective.initial_point
        lane.start(np.stack([np.asarray(initial(lane.root(run))) for run in lane.living]))
        for run in lane.living:
            run.point = Row(lane.place.iterate, lane.row(run))
        self._look(lane, lane.place)

    def _follow(self, lane: Lane, turns: Sequence[Turn]) -> None:
        """Record steps whose values are known; who is at the target, or went wrong, leaves."""
        if self._always:
            measured = self._measure([place.iterate for _, _, place in turns])
        for at, (step, value, place) in enumerate(turns):
            for run in lane.living:
                row = lane.row(run)
                run.move(Row(value.environment_steps, row), Row(place.iterate, row))
                run.close(step)
                self._diagnose(run, lane, step)
            if self._waits:
                self._prove(lane, [turns[at]])
            if self._always:
                self._see(lane, {name: values[at] for name, values in measured.items()})
            elif step.accounts is not None:
                self._look(lane, place)

    def _diagnose(self, run: Run, lane: Lane, step: Step) -> None:
        """Where it is asked for: how much of the step's gradient is signal."""
        evaluation = self._scenario.evaluation
        every = evaluation.diagnostics_every_steps
        if every is not None and step.number % every == 0:
            row = lane.row(run)
            points = {t.version: lane.points[t.version][row] for t in step.fresh}
            values = self._course.values
            exact = self._exact if values is self._course.objective else None
            ratio = SignalToNoise(values, evaluation.episodes, exact)
            run.note("signal_to_noise", ratio.of(lane.root(run), points, step))

    def _measure(self, places: "Sequence[Array]") -> Metrics:
        """The exact metrics at several places (K, R, d), a row for each of them (K, R)."""
        assert self._exact is not None
        points = np.stack([np.asarray(place) for place in places])
        rows = points.reshape(-1, points.shape[-1])
        found: list[Mapping[str, Array]] = []
        for chunk in chunks(len(rows)):
            part = rows[chunk]
            spare = np.repeat(part[:1], padded_size(len(part)) - len(part), axis=0)
            found.append(self._exact.measure(cast("Array", np.concatenate([part, spare]))))
        return {
            name: np.concatenate([np.asarray(each[name]) for each in found])[: len(rows)].reshape(
                points.shape[:2]
            )
            for name in found[0]
        }

    def _look(self, lane: Lane, place: Place) -> None:
        """Evaluate the newest iterates of those who go on."""
        if not lane.living:
            return
        episodes, step = self._scenario.evaluation.episodes, lane.living[0].steps
        look = self._course.objective.evaluate
        looks = look(lane.roots, place.iterate, step, episodes, lane.going)
        self._see(lane, {name: np.asarray(values) for name, values in looks.items()})

    def _see(self, lane: Lane, measured: Metrics) -> None:
        """Record what was measured at the newest step; some runs may end there."""
        for run in lane.living:
            row = lane.row(run)
            metrics = run.look({name: values[row] for name, values in measured.items()})
            self._course.watch(run)
            wrong = next((name for name in metrics if not math.isfinite(metrics[name])), None)
            if wrong is not None:
                told = f"{wrong} = {metrics[wrong]} after server step {run.steps}"
                self._fail(run, lane, lane.turns, told)
            elif self._is_good_enough(metrics[self._scenario.metric]):
                run.reached = run.time
                self._end(run, "target")
                lane.leave(run)

    def _is_good_enough(self, value: float) -> bool:
        target = self._scenario.stop.target
        if target is None:
            return False
        return value >= target if self._scenario.higher_is_better else value <= target

    def _end_all(self, end: End, message: str = "") -> None:
        for lane in self._lanes:
            for run in lane.living:
                self._end(run, end, message)

    def _end(self, run: Run, end: End, message: str = "") -> None:
        run.end, run.message = end, printable(message)
        if end in ("stop", "stalled"):
            run.accounts = self._simulation.accounts()
        elif not run.accounts_are_newest:
            run.accounts = self._accounts_at(run)
        if run.point is not None:
            run.point = np.asarray(run.point)
        self._share_the_time()
        self._ended(run)

    def _accounts_at(self, run: Run) -> Accounts:
        """At the run's last step, which the schedule had left behind: it is played once more."""
        if self._again is None or self._again.steps > run.steps:
            self._again = Again(self._scenario, run)
        return self._again.accounts_at(run.steps)

    def _share_the_time(self) -> None:
        """Real seconds are shared by all who went on since they were counted last."""
        now = time.perf_counter()
        living = [run for lane in self._lanes for run in lane.living]
        for run in living:
            run.real_seconds += (now - self._counted) / len(living)
        self._counted = now


def _part(memory: Memory, name: str) -> Memory:
    """What is kept under this name."""
    return {key.removeprefix(name): memory[key] for key in memory if key.startswith(name)}


class Again:
    """The schedule of some runs, played once more from one step to a later one."""

    def __init__(self, scenario: Scenario, run: Run) -> None:
        self.steps = self._wanted = 0
        wanted = lambda number, time: number == self._wanted  # noqa: E731 (asked in the midst of it)
        self._simulation = replay(scenario, run, vector_of(scenario), account_when=wanted)
        self._stream = self._simulation.steps(stop_of(scenario))
        self._accounts = self._simulation.accounts()

    def accounts_at(self, steps: int) -> Accounts:
        """Of all workers at this step, which is not one before ``self.steps``."""
        self._wanted = steps
        while self.steps < steps:
            step = next(self._stream)
            self.steps = step.number
            self._accounts = step.accounts or self._accounts
        return self._accounts
