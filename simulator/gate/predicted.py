"""How long should so many steps or gradients take?  The closed forms of theory, for a schedule.

With fixed times h_i and uploads kappa_i (``algorithms/theory/times.py``): a round of Rennala takes
the least t with sum floor(t/h_i) >= M, one of Malenia until its counts are balanced, a synchronous
one max h_i, and each then the slowest upload of those who take part.  Where every gradient is sent
by itself, worker i has a cycle of h_i + kappa_i, and the N-th gradient comes at the least t with
sum floor(t/(h_i + kappa_i)) >= N.
"""

import math
from typing import NamedTuple

import numpy as np

from algorithms.aggregation import greedy, malenia, rennala, synchronous
from algorithms.methods import METHODS
from algorithms.theory import malenia_time, rennala_time
from simulator.cluster.law import Floats
from simulator.gate.suite_file import COUNTED, Benchmark, ClaimTable
from simulator.mistakes import Mistake
from simulator.runs.simulations import vector_of
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario


class Round(NamedTuple):
    """How long a round takes, and how many gradients its step uses."""

    seconds: float
    gradients: float


def predicted(benchmark: Benchmark) -> float:
    """How many times sooner ``of`` should be there than ``over``."""
    table = benchmark.table
    assert isinstance(table, ClaimTable)
    scenario, labels = benchmark.scenario, (table.of, table.over)
    try:
        mine, theirs = (seconds(scenario, label, table) for label in labels)
    except Mistake as mistake:
        raise Mistake(f"benchmarks.{benchmark.name}: at_least = 'predicted': {mistake}") from None
    return theirs / mine


def seconds(scenario: Scenario, label: str, table: ClaimTable) -> float:
    """Until so many steps have closed, or so many gradients are used."""
    assert table.count is not None
    h, kappa = _steady(scenario)
    aggregation = METHODS[scenario.methods[label].method].aggregation
    if aggregation is greedy:
        return rennala_time(h + kappa, table.count)
    settings = settings_of(scenario, label)
    if aggregation is rennala and _is_plain(settings):
        batch = settings["batch"]
        each = _round(h, kappa, rennala_time(h, batch), batch)
    elif aggregation is malenia and _is_plain(settings) and COUNTED[table.measure] == "steps":
        each = _round(h, kappa, malenia_time(h, settings["batch"]), math.nan)
    elif aggregation is synchronous:
        each = _round(h, kappa, float(h.max()), len(h))
    else:
        raise Mistake(f"no closed form knows the schedule of {label} here; say a number")
    steps = table.count if COUNTED[table.measure] == "steps" else table.count / each.gradients
    return math.ceil(steps) * each.seconds


def _is_plain(settings: dict[str, object]) -> bool:
    """Whether all rounds are alike, of what is done first."""
    first = settings.get("count", "first-finished") == "first-finished"
    return first and settings.get("initial_batch") in (None, settings["batch"])


def _round(h: Floats, kappa: Floats, seconds: float, gradients: float) -> Round:
    return Round(seconds + float(kappa[h <= seconds].max()), gradients)


def _steady(scenario: Scenario) -> tuple[Floats, Floats]:
    """Seconds of a gradient and of its upload, for each worker, where these are all there is."""
    cluster, vector = scenario.build_cluster(), vector_of(scenario)
    seed = scenario.timing_seed(scenario.seeds[0])
    compute = cluster.computations(seed)
    up, down = cluster.uploads(seed, vector), cluster.downloads(seed, vector)
    first = np.zeros(cluster.workers, np.int64)
    excuses = {
        "cluster.compute is random": compute.varies,
        "network.upload is random": up.varies,
        "cluster.speed changes": cluster.speed is not None,
        "there are outages": bool(cluster.outages),
        "downloads take time": down.varies or bool(down.all(first).any()),
        "cluster.in_flight is 'finish'": cluster.in_flight != "recall",
        "network.collective is not 'max'": cluster.network.collective != "max",
    }
    for excuse, applies in excuses.items():
        if applies:
            raise Mistake(f"{excuse}, which the closed forms do not know; say a number")
    return compute.all(first), up.all(first)
