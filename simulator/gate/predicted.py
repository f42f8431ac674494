"""How long do a number of steps or gradients take by a method's closed form?"""

import numpy as np

from algorithms.methods import METHODS
from algorithms.theory import Goal
from simulator.cluster.law import Floats
from simulator.gate.suite_file import COUNTED, Benchmark, ClaimTable
from simulator.mistakes import Mistake
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.training.schedules import vector_of


def predicted(benchmark: Benchmark) -> float:
    """The predicted ratio of a claim: seconds of ``over`` divided by those of ``of``."""
    table = benchmark.table
    assert isinstance(table, ClaimTable)
    try:
        of, over = (seconds(benchmark.scenario, label, table) for label in (table.of, table.over))
    except Mistake as mistake:
        raise Mistake(f"benchmarks.{benchmark.name}: at_least = 'predicted': {mistake}") from None
    return over / of


def seconds(scenario: Scenario, label: str, table: ClaimTable) -> float:
    assert table.count is not None
    h, kappa = _steady(scenario)
    closed_form = METHODS[scenario.methods[label].method].closed_form
    goal, found = Goal(COUNTED[table.measure], table.count), None
    if closed_form is not None:
        found = closed_form(settings_of(scenario, label), h, kappa, goal)
    if found is None:
        raise Mistake(f"no closed form knows the schedule of {label} here; say a number")
    return found


def _steady(scenario: Scenario) -> tuple[Floats, Floats]:
    """Seconds of a gradient and of its upload, for each worker; other times are refused."""
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
        "server.seconds is not 0": not cluster.updates(0, vector).free,
        "network.collective is not 'max'": cluster.network.collective != "max",
    }
    for excuse, applies in excuses.items():
        if applies:
            raise Mistake(f"{excuse}, which the closed forms do not know; say a number")
    return compute.all(first), up.all(first)
