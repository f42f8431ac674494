"""How long does a round of a method last, and how many gradients does it take?  Roughly.

A server does the same over and over: its *round*.  The closed forms are those of fixed times, each
worker's being the mean of its own; where times vary, what a worker has done early in a round is
told by its quantiles.  Nothing is simulated, so a million workers cost a moment.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from algorithms.aggregation import (
    buffered,
    delay_adaptive,
    greedy,
    local_rounds,
    malenia,
    mindflayer,
    rennala,
    ringleader,
    ringmaster,
    synchronous,
)
from algorithms.methods import METHODS
from simulator.cluster import Cluster
from simulator.cluster.collectives import Parts
from simulator.cluster.law import Floats, Integers
from simulator.runs.simulations import vector_of
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario

LOOKED_AT = 4096
"""So many workers stand for all of them, the fastest and the slowest included."""
QUANTILES = (np.arange(32) + 0.5) / 32
PLAYED = 0.5
"""The part of its horizon that an episode is taken to last."""
HALVINGS = 60
"""Of an interval of time; then its ends are next to each other."""


class Round(NamedTuple):
    """What a server does over and over, in simulated seconds; infinite, if it never ends."""

    seconds: float
    used: float
    """Gradients that go into a step."""
    started: float
    """Those, and what is recalled, broken off or dropped."""
    steps: float = 1.0


class Crew(NamedTuple):
    """Some workers, each of whom stands for ``weight`` of them."""

    mean: Floats
    """Seconds of a computation."""
    quantiles: Floats
    """A row for each share of its computations: what they do not exceed."""
    slowest: float
    """The longest of one computation by each worker, as a rule."""
    chosen: Integers
    weight: float
    workers: int
    transfers: Floats
    """Seconds to bring a gradient to the server and the next point back, without the queue."""
    collective: Callable[[float], float]
    """Seconds of an all-reduce among so many."""
    served: float
    """How many gradients in a second an uplink takes that all share."""

    @property
    def rate(self) -> float:
        """Gradients in a second, where nobody waits."""
        return float((self.weight / self.mean).sum())

    def counts(self, time: float) -> Floats:
        """How many each has done by then, who began at 0 and goes on."""
        whole: Floats = np.floor(time / self.mean)
        begun: Floats = (self.quantiles <= time).mean(axis=0)
        return np.maximum(whole, begun)

    def until(self, enough: Callable[[Floats], bool]) -> float:
        """When the counts are enough; infinite if never."""
        low, high = 0.0, float(self.mean.min())
        while not enough(self.counts(high)):
            low, high = high, 2 * high
            if math.isinf(high):
                return high
        for _ in range(HALVINGS):
            middle = low + (high - low) / 2
            low, high = (low, middle) if enough(self.counts(middle)) else (middle, high)
        return high


def round_of(scenario: Scenario, label: str, crew: Crew) -> Round:
    """The round of a method; ``crew`` is ``crew_of(scenario)``."""
    aggregation = METHODS[scenario.methods[label].method].aggregation
    with np.errstate(all="ignore"):  # what overflows is infinite, and means it
        return FORMS[aggregation](crew, settings_of(scenario, label))


# Who works, and how fast


def crew_of(scenario: Scenario) -> Crew:
    """The workers of a scenario, with what speeds, failures and transfers make of their times."""
    cluster, seed = scenario.build_cluster(), scenario.timing_seed(scenario.seeds[0])
    with np.errstate(all="ignore"):
        return _crew_of(scenario, cluster, seed)


def _crew_of(scenario: Scenario, cluster: Cluster, seed: int) -> Crew:
    durations, many = cluster.computations(seed), cluster.workers
    chosen = _some(durations.nominal)
    quantiles = np.stack([durations.quantile(share, chosen) for share in QUANTILES])
    finite = np.isfinite(quantiles)
    mean = np.where(finite, quantiles, 0.0).sum(0) / finite.sum(0)
    mean[~finite.any(0)] = np.inf
    # Of n draws half the time none exceeds the quantile of 2^(-1/n).
    last = durations.quantile(0.5 ** (1 / many), chosen)
    stretched = _steps(scenario) / _speeds(scenario, cluster, chosen, mean, seed)
    in_fact = _interrupted(scenario, mean * stretched, chosen)
    upload, download, collective, served = _transfers(scenario, cluster, chosen, seed)
    return Crew(
        mean=in_fact,
        quantiles=quantiles * stretched,
        slowest=_together(scenario, float(np.maximum(last * stretched, in_fact).max())),
        chosen=chosen,
        weight=many / len(chosen),
        workers=many,
        transfers=upload + download,
        collective=lambda those: collective(those) + float(download.mean()),
        served=served,
    )


def _some(nominal: Floats) -> Integers:
    """Workers from the fastest to the slowest, evenly."""
    order = np.argsort(nominal, kind="stable")
    if len(order) <= LOOKED_AT:
        return order
    return order[np.linspace(0, len(order) - 1, LOOKED_AT).round().astype(np.int64)]


def _steps(scenario: Scenario) -> float:
    """How many times a gradient takes what the law says."""
    if scenario.cluster.per == "gradient":
        return 1.0
    return max(1.0, PLAYED * getattr(scenario.objective, "horizon", 1))


def _interrupted(scenario: Scenario, seconds: Floats, chosen: Integers) -> Floats:
    """What computations of so many seconds take on average, where workers fail at random."""
    failures = scenario.cluster.failures
    if failures is None or math.isinf(failures.mean_time_to_repair):
        return seconds
    up, down = failures.mean_time_between_failures, failures.mean_time_to_repair
    if scenario.cluster.in_outage == "lost":
        # Until once nothing happens for so long.
        interrupted = (up + down) * np.expm1(seconds / up)
    else:
        interrupted = seconds * (1 + down / up)
    fails = np.isin(chosen, failures.workers) if failures.workers else np.True_
    return np.where(fails, np.maximum(seconds, interrupted), seconds)


def _together(scenario: Scenario, slowest: float) -> float:
    """Until everybody is done: while one is away the others wait, though not for all in turn."""
    failures = scenario.cluster.failures
    if failures is None or math.isinf(failures.mean_time_to_repair):
        return slowest
    up, down = failures.mean_time_between_failures, failures.mean_time_to_repair
    who = len(failures.workers) if failures.workers else scenario.cluster.workers
    longest_away = down * (math.log(who) + 0.58)  # the mean of the largest of exponentials
    return min(slowest * math.exp(min(700.0, who * math.log1p(down / up))), slowest + longest_away)


def _speeds(
    scenario: Scenario, cluster: Cluster, chosen: Integers, seconds: Floats, seed: int
) -> Floats:
    """On average over the run; that of a random walk, which has to be drawn, is taken for 1."""
    speed = scenario.cluster.speed
    if speed is None or speed.law == "random-walk":
        return np.ones(len(chosen))
    finite = seconds[np.isfinite(seconds)]
    end = scenario.stop.seconds or (1000 * float(finite.max()) if finite.size else 1.0)
    pace = cluster.pace(seed)
    assert pace is not None
    return np.array([pace.work(worker, end) / end for worker in chosen.tolist()])


Transfers: TypeAlias = tuple[Floats, Floats, Callable[[float], float], float]


def _transfers(scenario: Scenario, cluster: Cluster, chosen: Integers, seed: int) -> Transfers:
    """Uploads, downloads, what an all-reduce among so many takes, and what an uplink lets by."""
    vector = vector_of(scenario)
    up, down = cluster.uploads(seed, vector), cluster.downloads(seed, vector)
    first = np.zeros(cluster.workers, np.int64)
    upload, download = up.all(first)[chosen], down.all(first)[chosen]
    parts = [up.parts(worker, 0) for worker in chosen.tolist()]
    slowest = Parts(max(p.latency for p in parts), max(p.transit for p in parts))
    uplink, served = cluster.network.uplink, math.inf
    if uplink is not None:
        served = uplink.bandwidth * uplink.channels / vector.bytes
    kind, all_send = cluster.network.collective, float(upload.max())

    def collective(those: float) -> float:
        if kind == "ring":
            return 2 * max(0.0, those - 1) * (slowest.latency + slowest.transit / max(1.0, those))
        if kind == "tree":
            return 2 * math.log2(max(1.0, those)) * slowest.seconds
        return all_send + (those / served if kind == "parameter-server" else 0.0)

    return upload, download, collective, served


# The rounds


Settings: TypeAlias = Mapping[str, Any]


def _rennala(crew: Crew, settings: Settings) -> Round:
    batch = settings["batch"]
    end = crew.until(lambda counts: crew.weight * counts.sum() >= batch)
    return Round(end + crew.collective(min(batch, crew.workers)), batch, batch + crew.workers)


def _malenia(crew: Crew, settings: Settings) -> Round:
    """The rule of the batch, of counts that need not be whole; and everybody has one."""
    batch, n = settings["batch"], crew.workers

    def balanced(counts: Floats) -> bool:
        return bool(n**2 >= batch * crew.weight * float((1 / counts).sum()))

    end = max(crew.slowest, crew.until(balanced))
    used = crew.weight * float(np.maximum(crew.counts(end), 1).sum()) if end < math.inf else 0.0
    return Round(end + crew.collective(n), used, used + n)


def _synchronous(crew: Crew, settings: Settings) -> Round:
    work, n = settings.get("local_steps", 1), crew.workers
    return Round(crew.slowest * work + crew.collective(n), n, n)


def _greedy(crew: Crew, settings: Settings) -> Round:
    """Each sends its gradient and waits for the next point; all may share an uplink."""
    work, buffer = settings.get("local_steps", 1), settings.get("buffer", 1)
    cycles = crew.mean * work + crew.transfers
    rate = min(float((crew.weight / cycles).sum()), crew.served)
    return Round(buffer / rate if rate else math.inf, buffer, buffer)


def _ringleader(crew: Crew, settings: Settings) -> Round:
    """A table is filled, and then n steps are taken: everybody delivers twice.

    Nobody waits, and computing hides the transfers, so a slow uplink has a queue that only grows,
    of gradients that will be too old: then this is a bound.
    """
    seconds = 2 * max(crew.slowest, crew.workers / crew.served)
    seconds += float(crew.transfers.max())
    used = seconds * min(crew.rate, crew.served) if seconds < math.inf else 0.0
    return Round(seconds, max(used, crew.workers), max(used, crew.workers), crew.workers)


def _mindflayer(crew: Crew, settings: Settings) -> Round:
    attempts, limits = (_of_each(settings[name], crew) for name in ("attempts", "limit"))
    lasting = np.minimum(crew.quantiles, limits).mean(axis=0)
    done = (crew.quantiles <= limits).mean(axis=0)
    used, started = (float((crew.weight * attempts * each).sum()) for each in (done, 1.0))
    return Round(float((attempts * lasting).max()) + crew.collective(crew.workers), used, started)


def _of_each(setting: Any, crew: Crew) -> Floats:
    """One number for every worker, where one is given for all or for each."""
    given = np.asarray(setting, np.float64)
    return given[crew.chosen] if given.ndim else np.full(len(crew.chosen), float(given))


FORMS: dict[Callable[..., Any], Callable[[Crew, Settings], Round]] = {
    rennala: _rennala,
    malenia: _malenia,
    synchronous: _synchronous,
    local_rounds: _synchronous,
    greedy: _greedy,
    delay_adaptive: _greedy,
    ringmaster: _greedy,
    buffered: _greedy,
    ringleader: _ringleader,
    mindflayer: _mindflayer,
}
