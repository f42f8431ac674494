"""Rennala NIGT without its look-ahead: a plug-in for the ablation of docs/questions.md.

The gradients are taken at theta_t itself; the rest is Rennala NIGT.
"""

from algorithms.method import Method
from algorithms.methods.rennala import rennala
from algorithms.updates import normalised

METHODS = {
    "rennala-no-look-ahead": Method(
        rennala, normalised, "the first gradients of any workers, no look-ahead"
    )
}
