"""Which settings of a scenario have no effect?  A line for each, before any work."""

import numpy as np

from simulator.cluster import Durations
from simulator.cluster.speed import interval_of
from simulator.estimate.rehearsal import rehearse
from simulator.scenario.scenario import Scenario
from simulator.scenario.tables import LawTable, SpeedTable, speed_table

MOMENTS = 64  # how often a speed is looked at
SEEN = 2  # after so many steps a story has said what it says


def remarks(scenario: Scenario) -> list[str]:
    """What was said in vain."""
    return [*_of_methods(scenario), *_of_laws(scenario), *_of_the_rest(scenario)]


def _of_methods(scenario: Scenario) -> list[str]:
    """Settings that none of the methods is seen to use."""
    kind, free = scenario.network.collective, scenario.network.upload is None
    vain = f"network.collective = {kind!r}: has no effect"
    found = []
    if kind not in ("max", "parameter-server") and _never_reduces(scenario):
        found.append(f"{vain}, no method of this scenario does an all-reduce")
    elif free and kind in ("gather", "ring", "tree"):
        found.append(f"{vain} without network.upload")
    if scenario.cluster.in_flight == "finish" and _never_recalls(scenario):
        found.append(
            "cluster.in_flight = 'finish': has no effect, "
            "no method of this scenario replaces an order that is being followed"
        )
    return found


def _never_reduces(scenario: Scenario) -> bool:
    begun = [rehearse(scenario, label) for label in scenario.methods]
    return all(each.steps >= SEEN and not each.said.reduces for each in begun)


def _never_recalls(scenario: Scenario) -> bool:
    """Whether nothing was in flight when an order was replaced, had it been recalled."""
    cluster = scenario.cluster.model_copy(update={"in_flight": "recall"})
    recalling = scenario.model_copy(update={"cluster": cluster})
    begun = [rehearse(recalling, label) for label in scenario.methods]
    return all(each.steps >= SEEN and not each.recalled for each in begun)


def _of_laws(scenario: Scenario) -> list[str]:
    """Laws that come to the same as a number."""
    tables = {
        "cluster.compute": scenario.cluster.compute,
        "network.upload": scenario.network.upload,
        "network.download": scenario.network.download,
    }
    found = []
    for name, table in tables.items():
        if not isinstance(table, LawTable) or table.law == "fixed":
            continue
        if constant := _constant(Durations(table.build(), scenario.cluster.workers, name=name)):
            found.append(f"{name}.law = {table.law!r}: has no effect, {constant}")
    return found


def _constant(durations: Durations) -> str | None:
    shortest, longest = durations.extremes()
    if durations.varies:
        return "chance changes nothing with these numbers" if (shortest == longest).all() else None
    if len(shortest) > 1 and (shortest == shortest[0]).all():
        return f"it gives every worker {shortest[0]:g} s"
    return None


def _of_the_rest(scenario: Scenario) -> list[str]:
    cluster, found = scenario.cluster, []
    if cluster.speed is not None:
        speed = speed_table(cluster.speed)
        if _always_one(scenario, speed):
            found.append(f"cluster.speed.law = {speed.law!r}: has no effect, it is always 1")
    if cluster.in_outage != "lost" and not cluster.outages and cluster.failures is None:
        found.append(f"cluster.in_outage = {cluster.in_outage!r}: has no effect without outages")
    if cluster.seed is not None and not scenario.build_cluster().random:
        found.append("cluster.seed: has no effect, nothing is random about the times")
    return found


def _always_one(scenario: Scenario, speed: SpeedTable) -> bool:
    """Whether work takes its own seconds, in every one of many parts of the run."""
    if interval_of(speed.build()) is not None:
        return False  # and to look would lay it out that far
    pace, workers = scenario.build_cluster().pace(0), scenario.cluster.workers
    assert pace is not None
    starts, part = np.linspace(0, scenario.stop.seconds or 1e6, MOMENTS, retstep=True)
    every = (pace.finish_all(np.full(workers, start), np.full(workers, part)) for start in starts)
    return all(
        np.allclose(end - start, part, 1e-9) for start, end in zip(starts, every, strict=True)
    )


def one_of_equal_seeds(scenario: Scenario) -> Scenario:
    """With one seed, where every seed has the same schedule, if only schedules are wanted."""
    alike = scenario.cluster.seed is not None or not scenario.build_cluster().random
    if len(scenario.seeds) == 1 or not alike or scenario.cluster.per != "gradient":
        return scenario
    return scenario.restrict(None, scenario.seeds[:1])
