"""How many steps does a candidate need?  Theory's dependence on batch, noise and delay.

With B the batch that the noise requires, and P the steps of a plain ascent without noise::

    plain:       P/(2 K) + max{2 P delay, P B/b}            STALE P B/b if gradients are old
    normalised:  NORMALISED P + max{2 P delay, (B/b)^(3/2)}

b is the batch of a step, and delay that of its gradients in steps.  K local steps one after another
go K steps of the path at once.  docs/advise.md has the argument, and the source of the constants.
"""

import math
from typing import NamedTuple

from algorithms.methods import METHODS
from simulator.advice.candidates import Candidate
from simulator.advice.forecast import Forecast
from simulator.advice.noise import Noise
from simulator.scenario.prescription import settings_of

STALE, NORMALISED = 1.5, 1.4


class Steps(NamedTuple):
    """The parts of the number of steps: in units of P, if P is unknown."""

    path: float
    delay: float
    noise: float

    @property
    def whole(self) -> float:
        return self.path + max(self.delay, self.noise)


def steps(candidate: Candidate, forecast: Forecast, noise: Noise) -> Steps:
    """Whether a rule is normalised only counts where P is known."""
    averaged = noise.batch / forecast.batch if forecast.batch else math.inf
    delay = forecast.delay
    if noise.path is not None and _is_normalised(candidate):
        return Steps(noise.path * NORMALISED, 2 * noise.path * delay, averaged**1.5)
    path, late = noise.path or 1.0, 1 + (STALE - 1) * min(1.0, delay)
    return Steps(path / forecast.depth / 2, 2 * path * delay, path * late * averaged)


def _is_normalised(candidate: Candidate) -> bool:
    method = METHODS[candidate.scenario.methods[candidate.method].method]
    return method.update_rule(settings_of(candidate.scenario, candidate.method)).normalised
