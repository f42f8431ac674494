"""Which settings of a scenario have no effect?  A line for each, before any work."""

import numpy as np

from simulator.cluster import Durations
from simulator.cluster.speed import interval_of
from simulator.estimate.rehearsal import rehearse
from simulator.scenario.scenario import Scenario
from simulator.scenario.tables import LawTable, SpeedTable, checked
from simulator.system.messages import LOG

MOMENTS = 64  # samples of a speed
ENOUGH_STEPS = 2  # after which a story has used all its words


def remarks(scenario: Scenario) -> list[str]:
    return [*_of_methods(scenario), *_of_laws(scenario), *_of_the_rest(scenario)]


def warn(scenario: Scenario) -> None:
    for remark in remarks(scenario):
        LOG.warning("warning: %s", remark)


def _of_methods(scenario: Scenario) -> list[str]:
    kind, free = scenario.network.collective, scenario.network.upload is None
    vain = f"network.collective = {kind!r}: has no effect"
    lines = []
    if kind not in ("max", "parameter-server") and _never_reduces(scenario):
        lines.append(f"{vain}, no method of this scenario does an all-reduce")
    elif free and kind in ("gather", "ring", "tree"):
        lines.append(f"{vain} without network.upload")
    if scenario.cluster.in_flight == "finish" and _never_recalls(scenario):
        lines.append(
            "cluster.in_flight = 'finish': has no effect, "
            "no method of this scenario replaces an order that is being followed"
        )
    return lines


def _never_reduces(scenario: Scenario) -> bool:
    begun = [rehearse(scenario, label) for label in scenario.methods]
    return all(each.steps >= ENOUGH_STEPS and not each.story.reduces for each in begun)


def _never_recalls(scenario: Scenario) -> bool:
    """Whether no order is replaced while its computation is under way."""
    cluster = scenario.cluster.model_copy(update={"in_flight": "recall"})
    recalling = scenario.model_copy(update={"cluster": cluster})
    begun = [rehearse(recalling, label) for label in scenario.methods]
    return all(each.steps >= ENOUGH_STEPS and not each.recalled for each in begun)


def _of_laws(scenario: Scenario) -> list[str]:
    tables = {
        "cluster.compute": scenario.cluster.compute,
        "network.upload": scenario.network.upload,
        "network.download": scenario.network.download,
        "server.seconds": scenario.server.seconds if scenario.server else None,
    }
    lines = []
    for name, table in tables.items():
        if not isinstance(table, LawTable) or table.law == "fixed":
            continue
        count = 1 if name == "server.seconds" else scenario.cluster.workers
        if constant := _constant(Durations(table.build(), count, name=name)):
            lines.append(f"{name}.law = {table.law!r}: has no effect, {constant}")
    return lines


def _constant(durations: Durations) -> str | None:
    shortest, longest = durations.extremes()
    if durations.varies:
        return "chance changes nothing with these numbers" if (shortest == longest).all() else None
    if len(shortest) > 1 and (shortest == shortest[0]).all():
        return f"it gives every worker {shortest[0]:g} s"
    return None


def _of_the_rest(scenario: Scenario) -> list[str]:
    cluster, lines = scenario.cluster, []
    if cluster.speed is not None:
        speed = checked(SpeedTable, cluster.speed)
        if _always_one(scenario, speed):
            lines.append(f"cluster.speed.law = {speed.law!r}: has no effect, it is always 1")
    if cluster.in_outage != "lost" and not cluster.outages and cluster.failures is None:
        lines.append(f"cluster.in_outage = {cluster.in_outage!r}: has no effect without outages")
    if scenario.network.message_bytes and not scenario.build_cluster().network.counts_bytes:
        lines.append("network.message_bytes: has no effect, no link has a bandwidth")
    if cluster.seed is not None and not scenario.build_cluster().random:
        lines.append("cluster.seed: has no effect, nothing is random about the times")
    return lines


def _always_one(scenario: Scenario, speed: SpeedTable) -> bool:
    """Whether work takes its own seconds in each of many parts of the run."""
    if interval_of(speed.build()) is not None:
        return False  # a random walk, which sampling would draw up to the end
    pace, workers = scenario.build_cluster().pace(0), scenario.cluster.workers
    assert pace is not None
    starts, part = np.linspace(0, scenario.stop.seconds or 1e6, MOMENTS, retstep=True)
    every = (pace.finish_all(np.full(workers, start), np.full(workers, part)) for start in starts)
    return all(
        np.allclose(end - start, part, 1e-9) for start, end in zip(starts, every, strict=True)
    )


def one_of_equal_seeds(scenario: Scenario) -> Scenario:
    """The scenario of a schedule-only run: with one seed, if all seeds have the same schedule."""
    alike = scenario.cluster.seed is not None or not scenario.build_cluster().random
    if len(scenario.seeds) == 1 or not alike or scenario.cluster.per != "gradient":
        return scenario
    return scenario.restrict(None, scenario.seeds[:1])
