"""What would change the answer?  The upload time and the noise at which another method leads.

The upload time is found by bisection on the schedule plane, the noise on the same schedules.  Where
the present network is free, every upload is given the same time instead.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from simulator.advice.candidates import Candidate
from simulator.advice.noise import Noise
from simulator.advice.ranking import Ranking, again, ranking, simulated
from simulator.cluster.law import Floats
from simulator.scenario.cluster_table import NetworkTable
from simulator.scenario.scenario import Scenario
from simulator.training.schedules import vector_of

UPLOAD, NOISE = "upload seconds", "noise"
RIVALS, EVENTS = 3, 1000
"""The methods whose times are compared at another upload time, and the events of a simulation."""
MOST_WORKERS = 2000
"""With more, the upload time is not searched for: it would take minutes."""
FACTORS = tuple(tuple(4.0 ** (sign * k) for k in range(1, 4)) for sign in (-1, 1))
"""A search looks at a 4th to a 64th of the present number, and at 4 to 64 times as much."""
CLOSE = 1.1
"""A bisection ends where its bounds differ by less."""


class Flip(NamedTuple):
    """From this value on, up or down, another candidate leads."""

    what: str
    """``UPLOAD`` or ``NOISE``."""
    now: float
    value: float
    leader: Candidate


Leader = Callable[[float], Candidate]
"""The leading candidate at a factor of the present number."""


def flips(found: Ranking, noise: Noise, scenario: Scenario, seeds: Sequence[int]) -> list[Flip]:
    return [*_of_uploads(found, noise, scenario, seeds), *_of_noise(found, noise)]


def _of_noise(found: Ranking, noise: Noise) -> list[Flip]:
    """On the same schedules."""

    def leader(factor: float) -> Candidate:
        return again(found, noise.times(factor)).leader.candidate

    return [
        Flip(NOISE, noise.batch, noise.batch * factor, other)
        for factor, other in _changes(leader, found.leader.candidate, FACTORS)
    ]


def _of_uploads(
    found: Ranking, noise: Noise, scenario: Scenario, seeds: Sequence[int]
) -> list[Flip]:
    """Where uploads are free, times are compared with those of a gradient, from the least up."""
    if scenario.cluster.workers > MOST_WORKERS:
        return []
    methods = [row.candidate.method for row in found.best[:RIVALS] if math.isfinite(row.time)]
    chosen = [row.candidate for row in found.rows if row.candidate.method in methods]
    now = upload_seconds(scenario)
    unit = now or _gradient_seconds(scenario)

    def leader(factor: float) -> Candidate:
        charged = chosen if now else [_charged(each, unit * factor) for each in chosen]
        simulate = simulated(EVENTS, seeds[:1], factor if now else 1.0)
        return ranking(charged, simulate, noise, found.alike).leader.candidate

    directions = FACTORS if now else ([*reversed(FACTORS[0]), 1.0, *FACTORS[1]],)
    changes = _changes(leader, found.leader.candidate, directions)
    return [Flip(UPLOAD, now, unit * factor, other) for factor, other in changes]


def upload_seconds(scenario: Scenario) -> float:
    """The median seconds of an upload, alone on the shared uplink if there is one."""
    cluster, vector = scenario.build_cluster(), vector_of(scenario)
    seed, first = scenario.timing_seed(scenario.seeds[0]), np.zeros(cluster.workers, np.int64)
    seconds: Floats = cluster.uploads(seed, vector).all(first)
    if uplink := cluster.network.uplink:
        seconds = np.maximum(seconds, cluster.network.message(vector).bytes / uplink.bandwidth)
    return float(np.median(seconds))


def _gradient_seconds(scenario: Scenario) -> float:
    seed = scenario.timing_seed(scenario.seeds[0])
    return float(np.median(scenario.build_cluster().computations(seed).nominal))


def _charged(candidate: Candidate, seconds: float) -> Candidate:
    given = candidate.scenario.network.model_dump(exclude_unset=True)
    network = NetworkTable.model_validate({**given, "upload": seconds})
    scenario = candidate.scenario.model_copy(update={"network": network})
    return candidate._replace(scenario=scenario)


def _changes(
    leader: Leader, now: Candidate, directions: Iterable[Sequence[float]]
) -> Iterator[tuple[float, Candidate]]:
    """In each direction, the first factor at which another method leads, and its candidate."""
    for factors in directions:
        inner = 1.0 if factors[0] != FACTORS[0][-1] else 0.0
        for outer in factors:
            other = leader(outer)
            if other.method != now.method:
                yield _bisected(leader, now, inner, outer, other)
                break
            inner = outer


def _bisected(
    leader: Leader, now: Candidate, inner: float, outer: float, other: Candidate
) -> tuple[float, Candidate]:
    """The factor at which the leader changes, between one where it does not and one where it does.

    An ``inner`` of 0 is no number to halve: the outer one is the answer.
    """
    while inner and max(inner, outer) / min(inner, outer) > CLOSE:
        middle = math.sqrt(inner * outer)
        candidate = leader(middle)
        if candidate.method == now.method:
            inner = middle
        else:
            outer, other = middle, candidate
    return outer, other
