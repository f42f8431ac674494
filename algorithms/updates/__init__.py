"""Update rules: what the server does with the weighted sum of gradients."""

from algorithms.updates.local import fedbuff, fedhapg_m, fedsvrpg_m
from algorithms.updates.normalised import Momentum, afedpg, nigt, normalised
from algorithms.updates.rule import Decay, Rule, sgd

__all__ = [
    "Decay",
    "Momentum",
    "Rule",
    "afedpg",
    "fedbuff",
    "fedhapg_m",
    "fedsvrpg_m",
    "nigt",
    "normalised",
    "sgd",
]
