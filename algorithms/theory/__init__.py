"""What does the theory say?  Times of rounds, time complexities, and the settings they presume.

Closed forms and their bounds, to hold measured times against; NumPy is all they need.
"""

from algorithms.theory.complexities import (
    COMPLEXITIES,
    Complexity,
    Prediction,
    complexity,
    lower_bound,
)
from algorithms.theory.parameters import PARAMETERS, Settings
from algorithms.theory.problem import Problem
from algorithms.theory.times import (
    greedy_arrivals,
    harmonic,
    malenia_bound,
    malenia_time,
    rennala_best_m,
    rennala_bound,
    rennala_time,
    synchronous_time,
)
from algorithms.theory.universal import (
    fixed_power,
    round_ends,
    universal_arrivals,
    universal_malenia,
    universal_rennala,
    universal_synchronous,
)

__all__ = [
    "COMPLEXITIES",
    "PARAMETERS",
    "Complexity",
    "Prediction",
    "Problem",
    "Settings",
    "complexity",
    "fixed_power",
    "greedy_arrivals",
    "harmonic",
    "lower_bound",
    "malenia_bound",
    "malenia_time",
    "rennala_best_m",
    "rennala_bound",
    "rennala_time",
    "round_ends",
    "synchronous_time",
    "universal_arrivals",
    "universal_malenia",
    "universal_rennala",
    "universal_synchronous",
]
