"""Are the predicted times those of the tables?  In their exponents, their units and their order."""

from itertools import pairwise
from math import inf

import numpy as np
import pytest

from algorithms import methods
from algorithms.theory import Prediction, Problem, lower_bound

PROBLEM = Problem(smoothness=2.0, hessian_smoothness=3.0, deviation=5.0, gap=7.0)
SMALL = 1e-8
KNOWN = {name: method.complexity for name, method in methods.METHODS.items() if method.complexity}
METHODS = list(KNOWN)


def complexity(method, *known):
    return KNOWN[method](*known).total


def problems(many):
    rng = np.random.default_rng(0)
    for _ in range(many):
        n = int(rng.integers(1, 9))
        problem = Problem(*rng.lognormal(0, 2, 4).tolist())
        yield rng.lognormal(0, 1, n), rng.lognormal(0, 1, n), problem, rng.lognormal(-1, 2)


def exponent(of, method, h, kappa):
    """The slope in log eps where eps is small."""
    predict = KNOWN.get(method, lower_bound)
    ends = [getattr(predict(h, kappa, PROBLEM, eps), of) for eps in (SMALL, SMALL / 10)]
    return np.log10(ends[0] / ends[1])


# The tables: what is left where eps is small, for a fixed number of workers


@pytest.mark.parametrize(
    ("method", "compute", "communication"),
    [
        ("synchronous-pg", -4, -4),
        ("synchronous-nigt", -7 / 2, -7 / 2),
        ("rennala-pg", -4, -2),
        ("malenia-pg", -4, -2),
        ("afedpg", -7 / 2, -7 / 2),
        ("rennala-nigt", -7 / 2, -2),
        ("malenia-nigt", -7 / 2, -2),
        ("ringmaster-pg", -4, -4),
        ("ringleader-pg", -4, -4),
        ("asynchronous-pg", -4, -4),
        ("delay-adaptive-pg", -4, -4),
        ("lower bound", -7 / 2, -12 / 7),
    ],
)
def test_the_exponents(method, compute, communication):
    h, kappa = [1.0, 2.0, 5.0], 0.5
    assert exponent("compute", method, h, kappa) == pytest.approx(compute, abs=0.01)
    assert exponent("communication", method, h, kappa) == pytest.approx(communication, abs=0.01)


@pytest.mark.parametrize("eps", [1e-2, 1e-4])
def test_afedpg_communicates_at_least_eps_to_the_minus_3(eps):
    def communication(n):
        return KNOWN["afedpg"](np.ones(n), 1.0, PROBLEM, eps).communication

    assert communication(1) == pytest.approx(eps**-3.5 * (1 + eps ** (7 / 6)))
    best = min(communication(n) for n in range(1, 3 * round(eps**-0.5)))
    assert eps**-3 <= best <= 2.01 * eps**-3


# By hand


def test_theorem_4_4():
    problem = Problem(smoothness=1.0, hessian_smoothness=4.0, deviation=3.0, gap=0.5)
    # For eps = 1/4: 1 0.5/(1/16) = 8, sqrt(4) 0.5/(1/8) = 8, 9/(1/16) = 144, 9 * 2 * 0.5 * 2^7.
    steps, noise = 8 + 8, 144 + 1152
    found = KNOWN["rennala-nigt"]([1.0, 2.0], 10.0, problem, 0.25)
    assert found == Prediction(min(steps + noise, 4 / 3 * (steps + noise / 2)), 10.0 * steps)
    assert found.total == complexity("rennala-nigt", [2.0, 1.0], [3.0, 10.0], problem, 0.25)


def test_theorem_5_1():
    problem = Problem(smoothness=1.0, hessian_smoothness=4.0, deviation=3.0, gap=0.5)
    found = KNOWN["malenia-nigt"]([1.0, 2.0], 10.0, problem, 0.25)
    assert found == Prediction(2.0 * 16 + 1.5 * 1296 / 2, 160.0)


# Units


@pytest.mark.parametrize("method", [m for m in METHODS if KNOWN[m].constants] + ["bound"])
def test_units_of_return_and_of_parameters_do_not_matter(method):
    predict = KNOWN.get(method, lower_bound)
    a, b = 8.0, 0.25  # J in other units, theta in others
    for h, kappa, (smooth, hessian, deviation, gap), eps in problems(50):
        here = Problem(smooth, hessian, deviation, gap)
        there = Problem(a * smooth / b**2, a * hessian / b**3, a * deviation / b, a * gap)
        expected = pytest.approx(predict(h, kappa, here, eps), rel=1e-9)
        assert predict(h, kappa, there, a * eps / b) == expected


@pytest.mark.parametrize("method", [*METHODS, "bound"])
def test_slower_clusters_take_longer_in_proportion(method):
    predict = KNOWN.get(method, lower_bound)
    for h, kappa, problem, eps in problems(50):
        times = predict(h, kappa, problem, eps)
        doubled = predict(2 * h, 2 * kappa, problem, eps)
        assert doubled == pytest.approx((2 * times.compute, 2 * times.communication))


# Order


def test_no_nigt_beats_the_lower_bound():
    for h, kappa, problem, eps in problems(300):
        least = lower_bound(h, kappa, problem, eps)
        for method in ("rennala-nigt", "malenia-nigt", "synchronous-nigt"):
            found = KNOWN[method](h, kappa, problem, eps)
            assert least.compute <= found.compute * (1 + 1e-9)
            assert least.communication <= found.communication * (1 + 1e-9)


def test_waiting_for_fewer_workers_is_faster():
    for h, kappa, problem, eps in problems(300):
        for kind in ("pg", "nigt"):
            compute = [
                KNOWN[f"{method}-{kind}"](h, kappa, problem, eps).compute
                for method in ("rennala", "malenia", "synchronous")
            ]
            assert all(a <= b * (1 + 1e-9) for a, b in pairwise(compute))
        chain = ["ringmaster-pg", "delay-adaptive-pg", "asynchronous-pg", "synchronous-pg"]
        totals = [complexity(method, h, 0.0, problem, eps) for method in chain]
        assert all(a <= b * (1 + 1e-9) for a, b in pairwise(totals))


def test_a_worker_that_never_finishes_stops_only_methods_that_wait_for_it():
    h = [1.0, 2.0, inf]
    for method in METHODS:
        seconds = complexity(method, h, 0.5, PROBLEM, 0.1)
        waits = method.startswith(("synchronous", "malenia", "ringleader"))
        assert (seconds == inf) == waits, method
        assert complexity(method, [inf], 0.5, PROBLEM, 0.1) == inf


@pytest.mark.parametrize("method", METHODS)
def test_no_noise_no_curvature_no_gain(method):
    easy = Problem(smoothness=1.0, hessian_smoothness=0.0, deviation=0.0, gap=0.0)
    for problem in (easy, easy._replace(deviation=1.0), easy._replace(gap=1.0)):
        for eps in (1e-3, 1.0, 1e6):
            found = KNOWN[method]([1.0, 2.0], 0.0, problem, eps)
            assert 0 <= found.compute < inf
            assert found.communication == 0


def test_a_wrong_number_is_named():
    for name in ("smoothness", "hessian_smoothness", "deviation", "gap"):
        with pytest.raises(ValueError, match=f"{name} = -1"):
            complexity("rennala-nigt", [1.0], 0.0, PROBLEM._replace(**{name: -1.0}), 0.1)
    with pytest.raises(ValueError, match=r"eps = 0"):
        lower_bound([1.0], 0.0, PROBLEM, 0.0)
    with pytest.raises(ValueError, match=r"kappa\[1\] = -1"):
        complexity("afedpg", [1.0, 1.0], [0.0, -1.0], PROBLEM, 0.1)
