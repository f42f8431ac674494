"""Theory: times of rounds, time complexities, and the settings that they presume."""

from algorithms.theory.closed_form import ClosedForm, Goal
from algorithms.theory.complexity import Complexity, Prediction, lower_bound
from algorithms.theory.problem import Problem
from algorithms.theory.settings import Prescribe, Settings, prescription
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
    "ClosedForm",
    "Complexity",
    "Goal",
    "Prediction",
    "Prescribe",
    "Problem",
    "Settings",
    "fixed_power",
    "greedy_arrivals",
    "harmonic",
    "lower_bound",
    "malenia_bound",
    "malenia_time",
    "prescription",
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
