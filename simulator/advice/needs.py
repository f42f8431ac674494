"""How many steps does a candidate need?  Theory's dependence on batch, noise and delay.

With B the batch that the noise requires, b that of a step, and P the fewest steps without noise::

    plain:       P/K + max{3 P delay, 1.6 P B/b}          2.4 P B/b if gradients are old
    normalised:  Q + max{1.5 P delay, 0.75 Q (B/b)^(1/2) + (B/b)^(3/2)}          Q = 1.2 P

The delay is that of its gradients, in steps.  K local steps one after another go K steps of the
path at once.  docs/advise.md has the argument, and the source of the constants.
"""

import math
from typing import NamedTuple

from algorithms.methods import METHODS
from simulator.advice.candidates import Candidate
from simulator.advice.forecast import Forecast
from simulator.advice.noise import Noise
from simulator.scenario.prescription import settings_of


class Steps(NamedTuple):
    """The parts of the number of steps: in units of P, if P is unknown."""

    path: float
    delay: float
    noise: float

    @property
    def whole(self) -> float:
        return self.path + max(self.delay, self.noise)


def steps(candidate: Candidate, forecast: Forecast, noise: Noise) -> Steps:
    """Without a known P all rules count as plain, and P as 1: it does not change a ranking."""
    averaged = noise.batch / forecast.batch if forecast.batch else math.inf
    if noise.path is not None and _is_normalised(candidate):
        return _normalised(noise.path, averaged, forecast.delay)
    return _plain(noise.path or 1, averaged, forecast.delay, forecast.depth)


def _plain(path: float, averaged: float, delay: float, depth: float) -> Steps:
    age = 1 + 0.5 * min(1.0, delay)
    return Steps(path / depth, 3 * path * delay, 1.6 * path * age * averaged)


def _normalised(path: float, averaged: float, delay: float) -> Steps:
    usual = 1.2 * path
    return Steps(usual, 1.5 * path * delay, 0.75 * usual * averaged**0.5 + averaged**1.5)


def _is_normalised(candidate: Candidate) -> bool:
    method = METHODS[candidate.scenario.methods[candidate.method].method]
    return method.update_rule(settings_of(candidate.scenario, candidate.method)).normalised
