"""Does it fit?  What a scenario will take of gradients, time and memory, before any work.

The beginning of each method's schedule is simulated (``rehearsal.py``) and extrapolated; what its
numbers cost are rough rates of the objective.  ``check`` refuses what the machine has no memory
for, and what would in effect never end; ``told`` is what ``straggle validate`` says.
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
EVENT, STEP, LOOK_AT_WORKER = 5e-6, 60e-6, 50e-9
"""Seconds: of a gradient that is started, of a server step, and for each worker in its round."""
WORKER, ROW_OF_WORKER, ROW_OF_STEP, TICKET = 900, 400, 900, 130
"""Bytes: of a worker in a schedule, of its row and a step's in a table, of a ticket in a batch."""
SCHEDULES = 300e6  # bytes of a run without numbers, before anything is large
STARTING, DRAWING = 2.0, 4.0  # seconds before the first run, and for the figures
ANYWAY = "straggle run --anyway tries it all the same"


class Work(NamedTuple):
    """What one run will do at most; where there is a target it may end before."""

    steps: float
    used: float
    started: float
    looks: float
    seconds: float  # simulated
    batch: float  # gradients of one step
    begun: float  # those, and what is started for it in vain
    step_seconds: float
    keeps: bool  # whether gradients are kept for later steps


class Part(NamedTuple):
    """Something that takes memory: what the user can change, and how many bytes."""

    key: str
    remedy: str
    bytes: float


class Estimate(NamedTuple):
    """Of all methods and seeds."""

    works: dict[str, Work]  # by method, of one seed
    seconds: dict[str, float]  # real ones that a method takes of one seed, by its name
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
    """What all runs of a scenario take together."""
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


def told(scenario: Scenario) -> list[str]:
    """How much there is to do, what it takes, and of which methods that is only a bound."""
    found = estimate(scenario)
    most = "at most" if scenario.stop.target is not None else "about"
    started = found.seeds * sum(work.started for work in found.works.values())
    gradients = f"{most} {_count(found.gradients)} gradients used of {_count(started)} started"
    cost = f"{most} {_duration(found.real_seconds)} on a machine like this, {_size(found.bytes)}"
    return [gradients, cost, *_unsure(scenario)]


def _unsure(scenario: Scenario) -> list[str]:
    begun = {label: rehearse(scenario, label) for label in scenario.methods}
    return [
        f"{label} closes no step with its first {_count(each.started)} gradients, so of its steps "
        "only a bound is known; give stop.seconds"
        for label, each in begun.items()
        if not each.steps and not each.over
    ]


def check(scenario: Scenario, schedule_only: bool = False) -> Estimate:
    """Refuse what would in effect never end, and what does not fit in the memory there is."""
    found = estimate(scenario, schedule_only)
    for label, work in found.works.items():
        _check_end(scenario, label, work)
    _check_memory(found.parts)
    return found


# What a run does


def _work(scenario: Scenario, begun: Beginning) -> Work:
    """The beginning, and what follows up to the first of its limits, at the same pace."""
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
    # A step that the end of the run cuts short has no more than was delivered by then.
    most = max(begun.rate * lasted, begun.used / begun.steps if begun.steps else 0.0)
    return Work(
        steps,
        begun.used + following * begun.step_used,
        begun.started + begun.rate * later,
        _looks(scenario, steps, lasted),
        lasted,
        min(begun.step_used, most),
        min(begun.rate * pace, most),
        pace,
        begun.said.keeps,
    )


def _times(limit: float, each: float) -> float:
    """How many times something fits; what never ends, never."""
    if math.isinf(limit):
        return math.inf
    return limit / each if each else math.inf


def _looks(scenario: Scenario, steps: float, seconds: float) -> float:
    """Evaluations fall on steps."""
    rhythm, stop = scenario.evaluation, scenario.stop
    if rhythm.every_steps is not None:
        return steps / rhythm.every_steps
    every = rhythm.every_seconds
    if every is None and scenario.objective.exact:
        return steps
    if every is None:
        return min(steps, 50.0) if stop.seconds else steps / 10
    return min(steps, seconds / every)


def _seconds(scenario: Scenario, label: str, work: Work, cost: Cost, schedule_only: bool) -> float:
    """Real ones, of one run."""
    alone = work.batch < 2
    schedule = EVENT * work.started
    if not alone:
        schedule += LOOK_AT_WORKER * scenario.cluster.workers * work.steps
    if schedule_only:
        return schedule
    gradients = cost.gradient * (cost.apart if alone else 1.0) * work.used
    return schedule + gradients + STEP * work.steps + cost.look * work.looks + cost.compiling


# Memory


def _of_schedule(scenario: Scenario, works: dict[str, Work]) -> Iterator[Part]:
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
    scenario: Scenario, works: dict[str, Work], cost: Cost, size: Size
) -> Iterator[Part]:
    episodes = scenario.evaluation.episodes
    yield Part("", "", cost.base)
    yield Part(f"evaluation.episodes = {episodes}", "play fewer", cost.looking)
    horizon = getattr(scenario.objective, "horizon", None)
    playing = f"objective.horizon = {horizon}"
    of_points = f"objective: {size.dimension:,} parameters", "take fewer, or fewer workers"
    if scenario.objective.plays:
        yield Part(playing, "take a shorter one", cost.rows)
    else:
        yield Part(*of_points, cost.rows)
    yield Part(*of_points, size.dimension * size.itemsize * _vectors(scenario, works))
    yield Part("objective.states", "take fewer", cost.fixed)


def _vectors(scenario: Scenario, works: dict[str, Work]) -> float:
    """Points that are kept until twice as many are there as can be in use; and gradients."""
    kept = 2.0 * (scenario.cluster.workers + 1)
    most = max(min(kept, work.steps + 1) for work in works.values())
    tables = scenario.methods.values()
    own = any(METHODS[t.method].works_locally(t.settings()) for t in tables)
    at_once = max(min(work.batch, 64.0) for work in works.values())
    table = any(work.keeps for work in works.values())
    return most * (3 if own else 1) + 3 * at_once + (kept if table else 0) + 8


# Refusals


def _check_end(scenario: Scenario, label: str, work: Work) -> None:
    """Refuse so many events that they never end; the clock may not even move."""
    for what, many, key, remedy in _events(scenario, label, work):
        if many > MOST_EVENTS:
            raise Mistake(
                f"{key}: {'' if key.endswith(label) else f'methods.{label} '}would come to "
                f"{_count(many)} {what}, more than "
                f"{_count(MOST_EVENTS)}, and in effect never end; {remedy}; {ANYWAY}"
            )


def _events(scenario: Scenario, label: str, work: Work) -> Iterator[tuple[str, float, str, str]]:
    failures = scenario.cluster.failures
    if failures is not None:
        cycle = failures.mean_time_between_failures + failures.mean_time_to_repair
        who = len(failures.workers) if failures.workers else scenario.cluster.workers
        many = who * work.seconds / cycle if math.isfinite(cycle) else 0.0
        name = "mean_time_between_failures"
        key = f"cluster.failures.{name} = {getattr(failures, name):g}"
        yield "failures", many, key, "let them be rarer, or stop earlier"
    stop = scenario.stop
    smaller = "take a smaller batch, or let computations last longer"
    yield "gradients in one step", work.begun, f"methods.{label}", smaller
    said = {name: value for name, value in stop.model_dump().items() if value is not None}
    said.pop("target", None)
    until = " and ".join(f"stop.{name} = {value:g}" for name, value in said.items())
    yield "gradients", work.started, until, "stop earlier, or let computations last longer"
    yield "server steps", work.steps, until, "stop earlier"
    if every := interval_of(scenario.build_cluster().speed):
        # At least one round is laid out; what is drawn of a walk has to fit.
        many = min(work.seconds, work.step_seconds) / every * scenario.cluster.workers
        if many > MOST_BYTES / BYTES and math.isfinite(work.step_seconds):
            raise Mistake(
                f"cluster.speed.every = {every:g}: a round of methods.{label} would come to "
                f"{_count(many)} speeds, more than {_count(MOST_BYTES / BYTES)}, which fill the "
                "memory; let it change more rarely"
            )


def _check_memory(parts: list[Part]) -> None:
    needed, there = sum(part.bytes for part in parts), available_bytes()
    if needed <= there:
        return
    largest = max((part for part in parts if part.key), key=lambda part: part.bytes)
    raise Mistake(
        f"{largest.key}: needs about {_size(largest.bytes)} of {_size(needed)} in all, and the "
        f"machine has {_size(there)} to spare; {largest.remedy}; {ANYWAY}"
    )


# In words


def _count(many: float) -> str:
    """With two digits that matter.

    >>> _count(21345.6), _count(3e300), _count(7)
    ('21,000', '3e+300', '7')
    """
    if not many < 1e15:
        return f"{many:.0e}"
    if many < 100:
        return f"{many:.0f}"
    step = 10 ** (math.floor(math.log10(many)) - 1)
    return f"{round(many / step) * step:,}"


def _size(many: float) -> str:
    """In gigabytes.

    >>> _size(6.2e8), _size(3.14e11)
    ('0.6 GB', '310 GB')
    """
    gigabytes = many / 1e9
    return f"{gigabytes:.1f} GB" if gigabytes < 10 else f"{_count(gigabytes)} GB"


def _duration(seconds: float) -> str:
    """In the unit in which it is a small number.

    >>> _duration(40.3), _duration(7300.0), _duration(1e300)
    ('40 s', '2 hours', '3e+292 years')
    """
    for unit, length in (("years", 3.15e7), ("days", 86400.0), ("hours", 3600.0)):
        if seconds >= 2 * length:
            return f"{_count(seconds / length)} {unit}"
    return f"{_count(seconds / 60)} minutes" if seconds >= 120 else f"{seconds:.0f} s"
