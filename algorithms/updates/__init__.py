"""Update rules: what the server does with the weighted sum of gradients."""

from algorithms.updates.local import (
    batched_nigt,
    batched_sgd,
    fedbuff,
    fedhapg_m,
    fedsvrpg_m,
    local_nigt,
    local_sgd,
    local_sgd_nigt,
)
from algorithms.updates.normalised import Momentum, afedpg, nigt, normalised
from algorithms.updates.rule import Decay, Rule, sgd

__all__ = [
    "Decay",
    "Momentum",
    "Rule",
    "afedpg",
    "batched_nigt",
    "batched_sgd",
    "fedbuff",
    "fedhapg_m",
    "fedsvrpg_m",
    "local_nigt",
    "local_sgd",
    "local_sgd_nigt",
    "nigt",
    "normalised",
    "sgd",
]
