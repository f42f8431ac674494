"""What happens on the schedule plane?  The pace of a candidate, simulated for a while.

The candidate's schedule runs as in ``straggle run --schedule-only``, and breaks off after some
events.  So whatever changes a schedule counts here, too.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from algorithms.methods import METHODS
from simulator.advice.candidates import Candidate
from simulator.cluster import InvalidDuration
from simulator.engine import Simulation, Stalled
from simulator.estimate.rehearsal import Enough, Observed, observed_run
from simulator.schedule import Accounts, Step
from simulator.training.schedules import vector_of

BEGINNING = 0.2
"""Share of the steps that do not count: the cluster is not in its rhythm yet."""
ENOUGH_STEPS, OF_A_WORKER, OF_A_SEED = 4, 3, 1000
"""The least steps, and the least events per worker and in all, of a simulation."""
MOST = 100_000
"""Events of one simulation, if it has at least one per worker and a step."""
PATIENCE = 4
"""Times as many events, after which a simulation without a step ends."""


class Forecast(NamedTuple):
    """The mean of the later steps of a schedule; shares are those of all workers' seconds."""

    seconds: float
    """Of a step."""
    gradients: float
    """Used in a step."""
    batch: float
    """Gradients whose mean is as noisy as the step's."""
    delay: float
    """Steps since the points of its gradients."""
    depth: float
    """Gradients that a worker takes one after another, each at its own last point."""
    busy: float
    communicating: float
    down: float
    idle: float
    wasted: float
    """Busy with gradients that no step uses."""
    bytes: float
    """Sent and received in a step."""
    last: int
    """The worker whose gradient closes most steps."""
    last_share: float
    """The share of the steps that it closes."""
    uneven: float
    """The greatest weight of a worker, as a multiple of the mean, less 1: 0 if all weigh alike."""
    steps: int
    """That were simulated."""
    failures: float
    """Computations and gradients that were lost with their workers, per used gradient."""


def forecast(
    candidate: Candidate, events: int, seeds: Sequence[int], slowness: float = 1.0
) -> Forecast | None:
    """The mean over some seeds; None if no step closes within so many events.

    Each seed gets enough events, and a large batch enough for a few steps.
    """
    cluster = candidate.scenario.build_cluster()
    size, workers = candidate.size or 1, cluster.workers
    wanted = max(ENOUGH_STEPS * size, OF_A_WORKER * workers, OF_A_SEED)
    least = max(min(wanted, MOST), 2 * size, workers)
    seeds = seeds[: max(1, events // least if cluster.random else 1)]
    budget = max(events // len(seeds), least)
    found = [_one(candidate, budget, seed, slowness) for seed in seeds]
    closed = [each for each in found if each is not None]
    if not closed:
        return None
    whole = Forecast._make(float(np.mean(column)) for column in zip(*closed, strict=True))
    return whole._replace(last=closed[0].last, steps=sum(each.steps for each in closed))


def _one(candidate: Candidate, events: int, seed: int, slowness: float) -> Forecast | None:
    observed = Observed()
    most = PATIENCE * events
    run = observed_run(candidate.scenario, candidate.method, seed, observed, most, slowness)
    steps: list[Step] = []
    messages: list[int] = []
    with suppress(Stalled, InvalidDuration, Enough):
        for step in run.steps():
            steps.append(step)
            messages.append(observed.uploads + observed.downloads)
            if observed.events >= events:
                break
    if not steps:
        return None
    return _summary(candidate, _Later.of(steps, messages), run, observed.work)


class _Later(NamedTuple):
    """The steps after the beginning, and their seconds, gradients and messages in all."""

    steps: Sequence[Step]
    seconds: float
    gradients: int
    messages: int
    simulated: int

    @classmethod
    def of(cls, steps: Sequence[Step], messages: Sequence[int]) -> "_Later":
        number = len(steps)
        first = max(1, int(number * BEGINNING))
        if number == 1:
            return cls(steps, steps[0].time, steps[0].used, messages[0], number)
        before, last = steps[first - 1], steps[-1]
        sent = messages[-1] - messages[first - 1]
        return cls(steps[first:], last.time - before.time, last.used - before.used, sent, number)


def _summary(candidate: Candidate, later: _Later, run: Simulation, work: float) -> Forecast:
    steps, number, accounts = later.steps, len(later.steps), run.accounts()
    fresh, depth = work * later.gradients / number, _depth(candidate, steps, work)
    batch = work * _independent(steps) * max(depth / work, 1.0)
    closing = Counter(step.tickets[-1].worker for step in steps if step.tickets)
    last, closed = closing.most_common(1)[0] if closing else (0, 0)
    return Forecast(
        later.seconds / number,
        fresh,
        min(batch, fresh),
        float(np.mean([step.mean_delay for step in steps])),
        depth,
        *_shares(accounts),
        message_bytes(candidate) * later.messages / number,
        last,
        closed / number,
        _unevenness(steps, run.workers),
        later.simulated,
        float(accounts.lost.sum() / max(1, accounts.used.sum())),
    )


def _independent(steps: Sequence[Step]) -> float:
    """The mean number of equally weighted gradients that are as noisy as a step's."""
    weighed = (np.asarray(step.weights) for step in steps if step.tickets)
    return float(np.mean([w.sum() ** 2 / (w @ w) for w in weighed if w.any()] or [0.0]))


def message_bytes(candidate: Candidate) -> int:
    """The bytes of a message."""
    scenario = candidate.scenario
    return scenario.build_cluster().network.message(vector_of(scenario)).bytes


def _depth(candidate: Candidate, steps: Sequence[Step], work: float) -> float:
    """The local steps behind each weighted ticket of a method with local steps, else 1."""
    table = candidate.scenario.methods[candidate.method]
    if "local_step" not in METHODS[table.method].parameters():
        return 1.0
    tickets = sum(len(step.tickets) for step in steps)
    weighted = sum(np.count_nonzero(step.weights) for step in steps)
    return work * tickets / weighted if weighted else work


def _shares(accounts: Accounts) -> tuple[float, float, float, float, float]:
    of = accounts
    columns = of.busy, of.communicating, of.down, of.idle, of.wasted
    busy, communicating, down, idle, wasted = (of.share(each) for each in columns)
    return busy, communicating, down, max(0.0, idle), wasted


def _unevenness(steps: Sequence[Step], workers: int) -> float:
    weights = np.zeros(workers)
    for step in steps:
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            weights[ticket.worker] += weight
    whole = float(weights.sum())
    return float(weights.max()) / whole * workers - 1 if whole else 0.0
