"""How does a method train?  The loop in which schedule, gradients and rule meet.

The schedule yields the steps, the executor computes their gradients, the rule makes the next point.
Runs that share a schedule train side by side.  Observers measure, check, record or show them, and
change no number.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from algorithms.updates import Rule
from simulator.cluster import InvalidDuration
from simulator.engine import Ends, Stalled
from simulator.mistakes import check_argument
from simulator.objectives.objective import Broken, Objective, Values
from simulator.schedule import Step
from simulator.training.executor import BatchedExecutor
from simulator.training.finite import Finite, fail_broken
from simulator.training.jax_setup import prepare
from simulator.training.lanes import Lane, lanes_of
from simulator.training.learner import Learner
from simulator.training.observer import Observer
from simulator.training.record import End, Run

LARGEST = 64
"""Gradients in a batch, and in a group of steps."""


class Group(NamedTuple):
    """Steps to compute together, and the step after them, if the schedule has it already."""

    steps: list[Step]
    following: Step | None = None


class Schedule(Protocol):
    """A source of steps, and the versions of points that they may still need."""

    version: int
    workers: int

    def steps(self, stop: Ends) -> Iterable[Step]: ...

    def versions_in_use(self) -> set[int]: ...


def train(
    schedule: Schedule,
    stop: Ends,
    objective: Objective,
    rule: Rule,
    *,
    seed: int = 0,
    observers: Sequence[Observer] = (),
) -> Run:
    """Train one run: follow the schedule until it stops, and return the run.

    ``objective`` gives the gradients of the schedule's tickets, ``rule`` moves the point, ``seed``
    is the root of all random numbers.  The run's ``times`` are simulated seconds; its ``point`` is
    the last iterate.

    >>> from algorithms.methods import rennala
    >>> from algorithms.updates import nigt
    >>> from simulator import Cluster, Power, Quadratic, Simulation, Stop
    >>> cluster = Cluster(workers=10, compute=Power(exponent=0.5)).build()
    >>> schedule = Simulation(cluster, rennala(batch=20))
    >>> quadratic = Quadratic(dimension=50).build(workers=10)
    >>> run = train(schedule, Stop(steps=3), quadratic, nigt(step=0.1, momentum=0.1))
    >>> list(run.times), run.point.shape
    ([5.0, 10.0, 15.0], (50,))
    """
    remedy = "give Quadratic(...).build(workers=10) or scenario.build_objective()"
    check_argument("train: objective", objective, Values, remedy)
    prepare()
    run = Run("", seed, tuple(objective.metrics))
    executor = BatchedExecutor(objective)
    lanes = lanes_of([run], {}, Learner(lambda numbers: rule), executor, lambda run: None)
    for lane in lanes:
        lane.start(objective.initial_point)
    follow(schedule, stop, lanes, [Finite(), *observers])
    return run


def follow(
    schedule: Schedule,
    stop: Ends,
    lanes: Sequence[Lane],
    observers: Sequence[Observer],
    *,
    ahead: bool = True,
    done: int = 0,
) -> None:
    """Train every run to its end, of any kind, after the steps that are ``done``.

    An interruption ends every run, and is raised again.
    """
    try:
        _loop(schedule, stop, lanes, observers, ahead, done)
    except (Stalled, InvalidDuration) as error:
        _end_all(lanes, "stalled" if isinstance(error, Stalled) else "failed", str(error))
    except Broken as broken:
        fail_broken(lanes, broken)
    except KeyboardInterrupt:
        for lane in _going(lanes):
            for observer in observers:
                observer.interrupted(lane)
        _end_all(lanes, "interrupted", "interrupted")
        raise
    else:
        _end_all(lanes, "stop", "")


def _loop(
    schedule: Schedule,
    stop: Ends,
    lanes: Sequence[Lane],
    observers: Sequence[Observer],
    ahead: bool,
    done: int,
) -> None:
    for lane in _going(lanes):
        for observer in () if done else observers:
            observer.begin(lane)
    _mark(lanes)
    settled = False
    steps = groups(_after(done, schedule.steps(stop), lanes), ahead=ahead)
    while _going(lanes) and (group := next(steps, None)):
        # JAX computed the last group while the schedule went on to this one.
        if settled or _settle(lanes, observers):
            _rest(schedule, group, lanes, observers)
        if group.steps:
            for lane in _going(lanes):
                lane.compute(group.steps)
        # With lengths in the schedule, the next episodes are played before the next step is known.
        settled = not ahead and _settle(lanes, observers)
    for lane in _going(lanes):
        for observer in observers:
            observer.end(lane)


def _rest(
    schedule: Schedule, group: Group, lanes: Sequence[Lane], observers: Sequence[Observer]
) -> None:
    """Between two groups: nothing is under way, and everything is recorded."""
    if lanes := _going(lanes):
        _forget(schedule, group, lanes)
        _mark(lanes)
        for observer in observers:
            observer.rest(lanes)


def _after(done: int, steps: Iterable[Step], lanes: Sequence[Lane]) -> Iterable[Step]:
    """The steps that are not done yet."""
    for step in steps:
        if step.number > done:
            yield step
            continue
        for lane in lanes:
            for run in lane.living:
                run.account(step)


def _settle(lanes: Sequence[Lane], observers: Sequence[Observer]) -> bool:
    """Record the computed steps, one by one, and call the observers; returns whether any were."""
    some = False
    for lane in _going(lanes):
        turns = lane.computed()
        if not turns:
            continue
        some = True
        for observer in observers:
            observer.group(lane, turns)
        for turn in turns:
            lane.record(turn)
            for observer in observers:
                observer.step(lane, turn)
        lane.close_up()
    return some


def _forget(schedule: Schedule, group: Group, lanes: Sequence[Lane]) -> None:
    """Drop the points at which no gradient will be taken, when there are many."""
    if len(lanes[0].points) <= 2 * (schedule.workers + 1):
        return
    needed = schedule.versions_in_use() | {schedule.version}
    for step in (*group.steps, *([group.following] if group.following else [])):
        needed |= {step.version, *step.versions}
    for lane in lanes:
        lane.forget(lane.points.keys() - needed)


def _going(lanes: Sequence[Lane]) -> list[Lane]:
    return [lane for lane in lanes if lane.going.any()]


def _mark(lanes: Sequence[Lane]) -> None:
    for lane in _going(lanes):
        lane.mark()


def _end_all(lanes: Sequence[Lane], end: End, message: str) -> None:
    for lane in lanes:
        for run in lane.living:
            lane.end(run, end, message)


def groups(steps: Iterable[Step], *, ahead: bool = True) -> Iterator[Group]:
    """The schedule in groups; the last one is empty, and precedes an error of the schedule.

    Unless ``ahead``, every step is a group, and is yielded before the schedule goes on.
    """
    group: list[Step] = []
    size = 0
    failure: Exception | None = None
    stream = iter(steps)
    while True:
        try:
            step = next(stream, None)
        except Exception as error:  # raised again below, after the last group
            step, failure = None, error
        if step is None:
            break
        newest = max(step.versions, default=0)
        more = max(1, len(step.fresh))  # a step without a gradient counts, too
        if group and (newest > group[0].version or size + more > LARGEST):
            yield Group(group, step)
            group, size = [], 0
        group.append(step)
        size += more
        if not ahead:
            yield Group(group)
            group, size = [], 0
    if group:
        yield Group(group)
    yield Group([])
    if failure is not None:
        raise failure
