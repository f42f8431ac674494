"""How much work, time and memory does a scenario take?  An estimate, before any work.

It extrapolates the simulated beginning of each method's schedule (``rehearsal.py``); the costs of
numbers are rough rates of the objective.  ``check`` refuses a scenario that exceeds the memory or
would in effect never end; ``lines`` is the text of ``straggle validate``.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from algorithms.methods import METHODS
from simulator.cluster.speed import interval_of
from simulator.cluster.speeds.walk import BYTES, MOST_BYTES
from simulator.estimate.rehearsal import Beginning, rehearse
from simulator.mistakes import Mistake
from simulator.objectives.costs import Cost
from simulator.objectives.objective import Size
from simulator.scenario.scenario import Scenario
from simulator.system.machine import available_bytes
from simulator.training.schedules import stop_of

MOST_EVENTS = 1e12  # two months, at some microseconds each
EVENT, STEP, WORKER_IN_ROUND = 5e-6, 60e-6, 50e-9
"""Seconds: of a started gradient, of a server step, and of each worker in a round."""
WORKER, ROW_OF_WORKER, ROW_OF_STEP, TICKET = 900, 400, 900, 130
"""Bytes: of a worker in a schedule, of its row and a step's row in a table, of a ticket."""
SCHEDULES = 300e6  # bytes of a run without numbers, before anything is large
STARTING, DRAWING = 2.0, 4.0  # seconds before the first run, and for the figures
REMEDY = "straggle run --anyway tries it all the same"


class Workload(NamedTuple):
    """An upper bound of one run's work; a run with a target may end before."""

    steps: float
    used: float
    started: float
    evaluations: float
    seconds: float  # simulated
    batch: float  # gradients of one step
    begun: float  # started gradients per step
    step_seconds: float
    keeps: bool  # whether gradients are kept for later steps


class Part(NamedTuple):
    """A part of the memory: the key to change, the remedy, and the bytes."""

    key: str
    remedy: str
    bytes: float


class Estimate(NamedTuple):
    works: dict[str, Workload]  # by method, of one seed
    seconds: dict[str, float]  # real ones, by method, of one seed
    seeds: int
    real_seconds: float
    parts: list[Part]

    @property
    def gradients(self) -> float:
        return self.seeds * sum(work.used for work in self.works.values())

    @property
    def bytes(self) -> float:
        return sum(part.bytes for part in self.parts)


def estimate(scenario: Scenario, schedule_only: bool = False) -> Estimate:
    works = {label: _work(scenario, rehearse(scenario, label)) for label in scenario.methods}
    size = Size(*scenario.objective.size(scenario.cluster.workers))
    cost = scenario.objective.cost(size, scenario.cluster.workers, scenario.evaluation.episodes)
    seconds = {
        label: _seconds(scenario, label, work, cost, schedule_only) for label, work in works.items()
    }
    parts = [*_of_schedule(scenario, works)]
    if schedule_only:
        parts.append(Part("", "", SCHEDULES))
    else:
        parts += _of_numbers(scenario, works, cost, size)
    total = STARTING + DRAWING + len(scenario.seeds) * sum(seconds.values())
    return Estimate(works, seconds, len(scenario.seeds), total, parts)


def lines(scenario: Scenario) -> list[str]:
    """The estimate as text, with the methods of which it is only a bound."""
    whole = estimate(scenario)
    most = "at most" if scenario.stop.target is not None else "about"
    started = whole.seeds * sum(work.started for work in whole.works.values())
    gradients = f"{most} {_count(whole.gradients)} gradients used of {_count(started)} started"
    cost = f"{most} {_duration(whole.real_seconds)} on a machine like this, {_size(whole.bytes)}"
    begun = {label: rehearse(scenario, label) for label in scenario.methods}
    remedy = "" if scenario.stop.seconds else "; give stop.seconds"
    bounds = [
        f"{label} closes no step with its first {_count(each.started)} gradients, so the number "
        f"of its steps is only a bound{remedy}"
        for label, each in begun.items()
        if not each.steps and not each.over
    ]
    return [gradients, cost, *bounds]


def check(scenario: Scenario, schedule_only: bool = False) -> Estimate:
    whole = estimate(scenario, schedule_only)
    for label, work in whole.works.items():
        _check_end(scenario, label, work)
    _check_memory(whole.parts)
    return whole


# The work of a run


def _work(scenario: Scenario, begun: Beginning) -> Workload:
    """Extrapolate the beginning to the run's first limit, at the same pace."""
    stop, pace = stop_of(scenario), begun.step_seconds
    following = 0.0
    if not begun.over:
        seconds = stop.seconds - begun.seconds
        steps = stop.steps - begun.steps
        gradients = _times(stop.gradients - begun.used, begun.step_used)
        following = min(_times(seconds, pace), steps, gradients)
    # A limit may come before the first step.
    later = min(following * pace, stop.seconds - begun.seconds) if following else 0.0
    steps = begun.steps + following
    lasted = begun.seconds + later
    # A step that the end of the run cuts short has the gradients delivered by then.
    most = max(begun.rate * lasted, begun.used / begun.steps if begun.steps else 0.0)
    return Workload(
        steps,
        begun.used + following * begun.step_used,
        begun.started + begun.rate * later,
        _evaluations(scenario, steps, lasted),
        lasted,
        min(begun.step_used, most),
        min(begun.rate * pace, most),
        pace,
        begun.story.keeps,
    )


def _times(limit: float, each: float) -> float:
    """``limit / each``, but infinite where either bounds nothing."""
    return math.inf if math.isinf(limit) or not each else limit / each


def _evaluations(scenario: Scenario, steps: float, seconds: float) -> float:
    rhythm, stop = scenario.evaluation, scenario.stop
    if rhythm.every_steps is not None:
        return steps / rhythm.every_steps
    every = rhythm.every_seconds
    if every is None and scenario.objective.exact:
        return steps
    if every is None:
        return min(steps, 50.0) if stop.seconds else steps / 10
    return min(steps, seconds / every)


def _seconds(
    scenario: Scenario, label: str, work: Workload, cost: Cost, schedule_only: bool
) -> float:
    alone = work.batch < 2
    schedule = EVENT * work.started
    if not alone:
        schedule += WORKER_IN_ROUND * scenario.cluster.workers * work.steps
    if schedule_only:
        return schedule
    gradients = cost.gradient * (cost.own_points if alone else 1.0) * work.used
    evaluations = cost.evaluation * work.evaluations
    return schedule + gradients + STEP * work.steps + evaluations + cost.compiling


# Memory


def _of_schedule(scenario: Scenario, works: dict[str, Workload]) -> Iterator[Part]:
    n, runs = scenario.cluster.workers, len(works) * len(scenario.seeds)
    yield Part(f"cluster.workers = {n}", "take fewer", n * (WORKER + ROW_OF_WORKER * runs))
    if every := interval_of(scenario.build_cluster().speed):
        longest = min(max(work.seconds for work in works.values()), MOST_BYTES * every)
        walked = min(MOST_BYTES, BYTES * n * longest / every)
        yield Part(f"cluster.speed.every = {every:g}", "let it change more rarely", walked)
    label, largest = max(works.items(), key=lambda item: item[1].batch)
    batch = f"methods.{label}: {_count(largest.batch)} gradients in a step"
    yield Part(batch, "take a smaller batch", TICKET * largest.batch)
    if scenario.stop.target is None:
        # With a target it may end long before.
        steps = len(scenario.seeds) * sum(work.steps for work in works.values())
        yield Part(f"stop: {_count(steps)} server steps", "stop earlier", ROW_OF_STEP * steps)


def _of_numbers(
    scenario: Scenario, works: dict[str, Workload], cost: Cost, size: Size
) -> Iterator[Part]:
    episodes = scenario.evaluation.episodes
    yield Part("", "", cost.base)
    yield Part(f"evaluation.episodes = {episodes}", "play fewer", cost.evaluation_bytes)
    of_points = f"objective: {size.dimension:,} parameters", "take fewer, or fewer workers"
    if scenario.objective.plays:
        yield Part(*_playing(scenario), cost.rows)
    else:
        yield Part(*of_points, cost.rows)
    yield Part(*of_points, size.dimension * size.itemsize * _vectors(scenario, works))
    yield Part("objective.states", "take fewer", cost.fixed)


def _playing(scenario: Scenario) -> tuple[str, str]:
    """The key that makes the records of episodes large, and the remedy."""
    several = getattr(scenario.objective, "episodes", 1)
    if several > 1:
        return f"objective.episodes = {several}", "take fewer, or a shorter horizon"
    horizon = getattr(scenario.objective, "horizon", None)
    return f"objective.horizon = {horizon}", "take a shorter one"


def _vectors(scenario: Scenario, works: dict[str, Workload]) -> float:
    """Points, forgotten once there are twice as many as can be in use; and gradients."""
    points = 2.0 * (scenario.cluster.workers + 1)
    most = max(min(points, work.steps + 1) for work in works.values())
    tables = scenario.methods.values()
    own = any(METHODS[t.method].works_locally(t.settings()) for t in tables)
    at_once = max(min(work.batch, 64.0) for work in works.values())
    table = any(work.keeps for work in works.values())
    return most * (3 if own else 1) + 3 * at_once + (points if table else 0) + 8


# Refusals


def _check_end(scenario: Scenario, label: str, work: Workload) -> None:
    """Refuse a run with too many events; its clock may not even move."""
    for what, count, key, remedy in _events(scenario, label, work):
        if count > MOST_EVENTS:
            raise Mistake(
                f"{key}: {'' if key.endswith(label) else f'methods.{label} '}would come to "
                f"{_count(count)} {what}, more than "
                f"{_count(MOST_EVENTS)}, and in effect never end; {remedy}; {REMEDY}"
            )


def _events(
    scenario: Scenario, label: str, work: Workload
) -> Iterator[tuple[str, float, str, str]]:
    table, failures = scenario.cluster.failures, scenario.build_cluster().outages.failures
    if table is not None and failures is not None:
        cycle = failures.mean_time_between_failures + failures.mean_time_to_repair
        workers = len(failures.workers) if failures.workers else scenario.cluster.workers
        count = workers * work.seconds / cycle if math.isfinite(cycle) else 0.0
        key = " and ".join(
            f"cluster.failures.{name} = {value:g}"
            for name, value in table.model_dump(exclude_none=True).items()
            if name.endswith("between_failures")
        )
        yield "failures", count, key, "let them be rarer, or stop earlier"
    stop = scenario.stop
    smaller = "take a smaller batch, or let computations last longer"
    yield "gradients in one step", work.begun, f"methods.{label}", smaller
    limits = stop.model_dump(exclude={"target"}, exclude_none=True)
    until = " and ".join(f"stop.{name} = {value:g}" for name, value in limits.items())
    yield "gradients", work.started, until, "stop earlier, or let computations last longer"
    yield "server steps", work.steps, until, "stop earlier"
    if every := interval_of(scenario.build_cluster().speed):
        # At least one round of a random walk is drawn, and has to fit into memory.
        speeds = min(work.seconds, work.step_seconds) / every * scenario.cluster.workers
        if speeds > MOST_BYTES / BYTES and math.isfinite(work.step_seconds):
            raise Mistake(
                f"cluster.speed.every = {every:g}: a round of methods.{label} would come to "
                f"{_count(speeds)} speeds, more than {_count(MOST_BYTES / BYTES)}, which fill the "
                "memory; let it change more rarely"
            )


def _check_memory(parts: list[Part]) -> None:
    needed, available = sum(part.bytes for part in parts), available_bytes()
    if needed <= available:
        return
    largest = max((part for part in parts if part.key), key=lambda part: part.bytes)
    raise Mistake(
        f"{largest.key}: needs about {_size(largest.bytes)} ({_size(needed)} in all), and the "
        f"machine has {_size(available)} to spare; {largest.remedy}; {REMEDY}"
    )


# Text


def _count(number: float) -> str:
    """A number with two significant digits.

    >>> _count(21345.6), _count(3e300), _count(7)
    ('21,000', '3e+300', '7')
    """
    if not number < 1e15:
        return f"{number:.0e}"
    if number < 100:
        return f"{number:.0f}"
    step = 10 ** (math.floor(math.log10(number)) - 1)
    return f"{round(number / step) * step:,}"


def _size(size: float) -> str:
    """Bytes as gigabytes.

    >>> _size(6.2e8), _size(3.14e11)
    ('0.6 GB', '310 GB')
    """
    gigabytes = size / 1e9
    return f"{gigabytes:.1f} GB" if gigabytes < 10 else f"{_count(gigabytes)} GB"


def _duration(seconds: float) -> str:
    """A duration in the largest unit of which it has two.

    >>> _duration(40.3), _duration(7300.0), _duration(1e300)
    ('40 s', '2 hours', '3e+292 years')
    """
    for unit, length in (("years", 3.15e7), ("days", 86400.0), ("hours", 3600.0)):
        if seconds >= 2 * length:
            return f"{_count(seconds / length)} {unit}"
    return f"{_count(seconds / 60)} minutes" if seconds >= 120 else f"{seconds:.0f} s"
