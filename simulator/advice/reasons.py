"""Why is a candidate where it is?  A sentence about its schedule, and one about its steps."""

import math

import numpy as np

from simulator.advice.numbers import count, number
from simulator.advice.ranking import Row
from simulator.scenario.scenario import Scenario

WORTH = 0.1
"""The least share of the workers' time that is a reason."""
SLOW = 1.2
"""Times the median seconds of a gradient, from which a worker is slow."""


def reasons(row: Row, noise: float, scenario: Scenario) -> list[str]:
    if row.forecast is None or row.steps is None:
        return ["No step closes in the time that was simulated."]
    return [_of_schedule(row, scenario), _of_steps(row, noise)]


def _of_schedule(row: Row, scenario: Scenario) -> str:
    """Where the workers' seconds go."""
    found = row.forecast
    assert found is not None
    waiting = found.idle
    sending = found.communicating + (waiting if found.communicating >= WORTH else 0.0)
    if found.last_share > 0.5 and _is_slow(found.last, scenario):
        waits = f"It waits for worker {found.last} in {found.last_share:.0%} of the rounds"
        if found.idle < WORTH:
            return f"{waits}, while the others go on computing."
        return f"{waits}; the workers are idle {found.idle:.0%} of the time."
    losses = {"sending": sending, "waiting": waiting, "wasted": found.wasted, "down": found.down}
    name = max(losses, key=lambda each: losses[each])
    share = losses[name]
    if share < WORTH:
        return f"It keeps the workers busy {found.busy:.0%} of the time."
    if name == "sending":
        return f"Sending, and waiting for it, takes {share:.0%} of the workers' time."
    if name == "wasted":
        return f"{share / found.busy:.0%} of the computing is wasted: no step uses its gradients."
    if name == "down":
        return f"Workers are down {share:.0%} of the time."
    return f"It waits for the last worker of a round; the workers are idle {share:.0%} of the time."


def _is_slow(worker: int, scenario: Scenario) -> bool:
    seed = scenario.timing_seed(scenario.seeds[0])
    seconds = scenario.build_cluster().computations(seed).nominal
    return bool(seconds[worker] > SLOW * np.median(seconds))


def _of_steps(row: Row, noise: float) -> str:
    """What makes most of its steps."""
    found, needed = row.forecast, row.steps
    assert found is not None
    assert needed is not None
    parts = {"noise": needed.noise, "delay": needed.delay, "path": needed.path}
    name = max(parts, key=lambda each: parts[each])
    share = parts[name] / needed.whole if math.isfinite(needed.whole) else 1.0
    if name == "delay":
        delay = f"Its gradients are {number(found.delay)} steps old"
        return f"{delay}: this age makes {share:.0%} of its steps."
    if name == "noise":
        averages = f"each averages {count(found.batch)}, and the target requires"
        return f"Noise makes {share:.0%} of its steps: {averages} {number(noise)}."
    batch = f"Its batch of {number(found.batch)} leaves little noise"
    return f"{batch}: {share:.0%} of its steps are needed without any."
