"""How far is the target, and which batch does the noise require on the way?

The batch is sigma²/eps², with eps the gradient's norm at the target.  It is stated, measured from a
few real gradients, or follows from an objective's constants.
"""

import math
from typing import NamedTuple

from simulator.advice import probe
from simulator.advice.paths import path
from simulator.advice.probe import Start
from simulator.mistakes import Mistake
from simulator.scenario.prescription import constants_of
from simulator.scenario.scenario import Scenario

ASSUMED = 100.0
"""The batch where nothing is known."""


class Noise(NamedTuple):
    """The batch that the noise requires, and the source of this number."""

    batch: float
    source: str
    eps: float | None = None
    """The gradient's norm at the target, where it is known."""
    path: int | None = None
    """The fewest steps to the target without noise, where they are known."""

    def times(self, factor: float) -> "Noise":
        return self._replace(batch=self.batch * factor)


def noise_of(
    scenario: Scenario, *, stated: float | None = None, probed: bool = False, alone: bool = False
) -> Noise:
    """The noise of a scenario; one of a cluster ``alone`` has an objective that means nothing."""
    known = None
    if scenario.objective.exact and scenario.stop.target is not None and not alone:
        known = _known(scenario)
    if stated is not None:
        return _as(known, stated, "stated by --noise")
    if probed:
        words = f"measured by --probe: {probe.GRADIENTS} gradients at the initial point"
        source = f"{words}; it grows as a run comes closer to its target"
        return _as(known, probe.noise_scale(scenario), source)
    if known is not None:
        return known
    if alone or not scenario.objective.exact:
        remedy = "state --noise" if alone else "state --noise, or measure it by --probe"
        return Noise(ASSUMED, f"nothing is known of the gradients; {remedy}")
    return Noise(ASSUMED, "there is no target; give stop.target, or state --noise")


def _as(known: Noise | None, batch: float, source: str) -> Noise:
    return (known or Noise(0.0, ""))._replace(batch=batch, source=source)


def _known(scenario: Scenario) -> Noise:
    """From the constants of an exact objective.

    If its deviation is only a bound, it is measured at the start and where an ascent without
    noise meets the target, and the larger one counts.
    """
    constants, start = constants_of(scenario), probe.start_of(scenario)
    deviation, smoothness = constants.deviation, constants.smoothness.value
    squared = _squared_norm(scenario, start, smoothness, constants.gap.value)
    climbed = path(scenario, start, smoothness)
    variance, source = deviation.value**2, f"the objective's constants, {deviation.status}"
    if climbed is not None and deviation.status != "exact":
        points = start.point, climbed.end
        variance = max(probe.variance_at(scenario, start, point) for point in points)
        source = f"sigma² from {probe.GRADIENTS} gradients at the start and near the target"
    words = f"sigma²/eps² = {variance:.3g}/{squared:.3g}"
    norm = scenario.stop.target if scenario.metric == "gradient_norm" else math.sqrt(squared)
    steps = climbed.steps if climbed else None
    return Noise(variance / squared, f"{words}; {source}", norm, steps)


def _squared_norm(scenario: Scenario, start: Start, smoothness: float, gap: float) -> float:
    """eps², which the noise of a step must not exceed: 2 L_g d, where J is d below its maximum.

    A norm falls and rises with the noise.  So it reaches a target while its square is usually more:
    5 times as much counts.
    """
    target = scenario.stop.target
    assert target is not None
    if not scenario.higher_is_better and target <= 0:
        raise Mistake(f"stop.target = {target:g}: must be more than 0, to be reached with noise")
    if scenario.metric == "gradient_norm":
        return 5 * target**2
    if scenario.metric == "gap":
        return 2 * smoothness * target
    best = probe.value(start, scenario.metric, start.point) + gap
    if not best > target:
        raise Mistake(f"stop.target = {target:g}: the maximum is {best:.4g}; lower it")
    return 2 * smoothness * (best - target)
