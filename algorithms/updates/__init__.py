"""What does the server do with a gradient?  One small file per idea."""

from algorithms.updates.local import fedbuff, fedhapg_m, fedsvrpg_m
from algorithms.updates.normalised import Momentum, afedpg, nigt, normalised
from algorithms.updates.plain import sgd
from algorithms.updates.rule import Decay, Rule

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
