"""Do the prescribed settings keep the convergence bounds?"""

from math import sqrt

import numpy as np
import pytest

from algorithms.methods import METHODS, ringleader
from algorithms.theory import Problem
from simulator.cluster import Cluster, Fixed
from simulator.engine import Simulation, Stop

PRESCRIBED = {name: method.prescribe for name, method in METHODS.items() if method.prescribe}
NIGT = ("rennala-nigt", "malenia-nigt", "synchronous-nigt")
ROUNDING = 1 + 1e-9


def problems(many):
    rng = np.random.default_rng(0)
    for k in range(many):
        problem = Problem(*rng.lognormal(0, 1.5, 4).tolist())
        if k % 3 == 0:
            problem = problem._replace(hessian_smoothness=0.0)
        yield problem, float(rng.lognormal(-1, 1)), int(rng.integers(1, 20))


@pytest.mark.parametrize("method", NIGT)
def test_the_bound_of_normalised_steps_is_met(method):
    for problem, eps, workers in problems(400):
        (smooth, hessian, sigma, gap), found = problem, PRESCRIBED[method](problem, eps, workers, 1)
        alpha, eta = found.settings["step"], found.settings["momentum"]
        batch = found.settings.get("batch", workers)
        first = found.settings.get("initial_batch", workers)
        terms = [
            gap / (alpha * found.steps),
            smooth * alpha / 2,
            2 * sigma / (sqrt(first) * eta * found.steps),
            2 * sqrt(eta / batch) * sigma,
            4 * hessian * (alpha / eta) ** 2,
        ]
        assert max(terms) <= eps / 6 * ROUNDING


@pytest.mark.parametrize("method", ["rennala-pg", "malenia-pg", "synchronous-pg"])
def test_the_bound_of_plain_steps_is_met(method):
    for problem, eps, workers in problems(400):
        (smooth, _, sigma, gap), found = problem, PRESCRIBED[method](problem, eps, workers, 1)
        gamma, batch = found.settings["step"], found.settings.get("batch", workers)
        assert gamma <= 1 / (2 * smooth) * ROUNDING
        noise = 2 * smooth * gamma * sigma**2 / (3 * batch)
        assert 4 * gap / (3 * gamma * found.steps) + noise <= eps**2 * ROUNDING


def test_the_bound_of_late_steps_is_met():
    for problem, eps, workers in problems(400):
        smooth, _, sigma, gap = problem
        found = PRESCRIBED["asynchronous-pg"](problem, eps, workers, 1)
        gamma = found.settings["step"]
        assert gamma <= 1 / (2 * smooth * workers) * ROUNDING
        bound = 2 * gap / (gamma * found.steps) + 2 * smooth * gamma * sigma**2
        assert bound <= eps**2 * ROUNDING


def test_ringmasters_published_steps_keep_a_derived_bound():
    """The noise of the steps since the point, weighed by 12/11, leaves 11/12 of what they gain."""
    thresholds = set()
    for problem, eps, workers in problems(400):
        smooth, _, sigma, gap = problem
        found = PRESCRIBED["ringmaster-pg"](problem, eps, workers, 1)
        gamma, threshold = found.settings["step"], found.settings["threshold"]
        late = smooth * gamma * (threshold - 1)
        assert 12 * late**2 + smooth * gamma <= 1 * ROUNDING
        noise = smooth * gamma * sigma**2 * (1 + 12 / 11 * late)
        assert 2 * gap / (gamma * found.steps) + noise <= eps**2 * ROUNDING
        thresholds.add(threshold)
    assert 1 in thresholds
    assert max(thresholds) > 10


def test_ringleaders_bound_is_met_and_its_rounds_are_counted():
    for problem, eps, workers in problems(400):
        smooth, _, sigma, gap = problem
        found = PRESCRIBED["ringleader-pg"](problem, eps, workers, 1)
        gamma = found.settings["step"]
        assert gamma <= 1 / (8 * workers * smooth) * ROUNDING
        bound = 2 * gap / (gamma * found.steps) + 5 * smooth * gamma * sigma**2
        assert bound <= eps**2 * ROUNDING


def test_a_round_of_ringleader_is_what_its_theory_counts_on():
    """n steps in at most 2 max h seconds, and a table of B >= max h/(2 mean h)."""
    times = [1.0, 2.5, 4.0, 9.0]
    steps = [*Simulation(Cluster(4, Fixed(times)), ringleader()).steps(Stop(steps=40))]
    for first, last in zip(steps[4::4], steps[7::4], strict=True):
        assert last.time - steps[first.number - 2].time <= 2 * max(times)
        assert len(first.fresh) >= 4
    for step in steps[4:]:
        counts = np.bincount([ticket.worker for ticket in step.tickets], minlength=4)
        assert 1 / np.mean(1 / counts) >= max(times) / (2 * np.mean(times))
    fewest = sum(len(step.fresh) if step.number % 4 != 1 else 4 for step in steps)
    assert fewest == 40 + 10 * 3


def test_by_hand():
    flat = Problem(smooth := 2.0, 0.0, deviation=3.0, gap=4.0)
    found = PRESCRIBED["rennala-nigt"](flat, 0.5, 7, 1)
    eta = 0.25 / (18 * smooth * 4)
    batch, first = 9, 144 * 36  # 144 eta sigma²/eps² = 144 * 36 / 576
    step = pytest.approx(0.5 / 6)
    settings = {"step": step, "momentum": eta, "batch": batch, "initial_batch": first}
    assert found.settings == settings
    assert (found.steps, found.gradients) == (576, first + 575 * batch)
    assert PRESCRIBED["rennala-pg"](flat, 0.5, 7, 1) == ({"step": 0.25, "batch": 36}, 128, 128 * 36)
    late = PRESCRIBED["ringmaster-pg"](flat, 0.5, 7, 1)
    needed = 4 * 36 * 32 + 8 * 36 * 32  # 4 R L D/eps² + 8 sigma² L D/eps⁴, with L D/eps² = 32
    assert late == ({"threshold": 36, "step": 1 / 288}, needed, needed)
    table = PRESCRIBED["ringleader-pg"](flat, 0.5, 7, 1)  # 1/(8 n L) = 1/112 is no bound
    steps = 64 * 720  # 4 D/(gamma eps²)
    assert table == ({"step": 1 / 720}, steps, steps + 6 * 6583)
    curved = flat._replace(hessian_smoothness=2.0)
    assert PRESCRIBED["rennala-nigt"](curved, 0.5, 7, 1).settings["momentum"] == 0.5


@pytest.mark.parametrize("method", PRESCRIBED)
def test_boldness(method):
    for problem, eps, workers in problems(60):
        careful = PRESCRIBED[method](problem, eps, workers, 1)
        bold = PRESCRIBED[method](problem, eps, workers, 4)
        assert bold.settings["step"] == 4 * careful.settings["step"]
        assert 0 <= 4 * bold.steps - careful.steps < 4 or bold.steps == 1
        for name in ("batch", "initial_batch"):
            if name in bold.settings:
                many = bold.settings[name]
                assert 0 <= 4 * many - careful.settings[name] < 4 or many == 1
        assert bold.settings.get("threshold") == careful.settings.get("threshold")


def test_the_careful_settings_are_the_usual_ones():
    problem, eps, workers = next(problems(1))
    choose = PRESCRIBED["rennala-nigt"]
    assert choose(problem, eps, workers) == choose(problem, eps, workers, 1.0)


# Units, and what must not happen


@pytest.mark.parametrize("method", PRESCRIBED)
def test_units_do_not_matter(method):
    a, b = 8.0, 0.25  # powers of two, so that nothing rounds
    for problem, eps, workers in problems(60):
        smooth, hessian, deviation, gap = problem
        there = Problem(a * smooth / b**2, a * hessian / b**3, a * deviation / b, a * gap)
        found = PRESCRIBED[method](problem, eps, workers, 1)
        scaled = PRESCRIBED[method](there, a * eps / b, workers, 1)
        unit = b if "momentum" in found.settings else b**2 / a  # a length, or one per gradient
        expected = {**found.settings, "step": unit * found.settings["step"]}
        assert scaled == (expected, found.steps, found.gradients)


@pytest.mark.parametrize("method", PRESCRIBED)
@pytest.mark.parametrize("eps", [1e-4, 1.0, 1e8])
def test_extreme_settings_divide_by_no_zero(method, eps):
    for hessian, sigma, gap in np.ndindex(2, 2, 2):
        problem = Problem(1.0, float(hessian), float(sigma), float(gap))
        found = PRESCRIBED[method](problem, eps, 3, 1)
        assert found.settings["step"] > 0
        assert 0 < found.settings.get("momentum", 1) <= 1
        assert found.steps >= 1
        assert found.gradients >= found.steps
        if eps == 1e8:
            assert found.steps == 1


@pytest.mark.parametrize("method", [method for method in PRESCRIBED if method in METHODS])
def test_the_settings_are_the_methods_own(method):
    found = PRESCRIBED[method](Problem(1.0, 1.0, 1.0, 1.0), 0.1, 3, 1)
    parameters = METHODS[method].parameters()
    assert found.settings.keys() <= parameters.keys()
    needed = {name for name, p in parameters.items() if p.default is p.empty}
    assert needed <= found.settings.keys()


def test_alone_afedpg_is_nigt():
    for problem, eps, _ in problems(30):
        alone = PRESCRIBED["synchronous-nigt"](problem, eps, 1, 1)
        assert PRESCRIBED["afedpg"](problem, eps, 1, 1) == alone


def test_a_wrong_number_is_named():
    problem = Problem(1.0, 1.0, 1.0, 1.0)
    for rule in PRESCRIBED.values():
        with pytest.raises(ValueError, match=r"factor = 0.5"):
            rule(problem, 0.1, 3, 0.5)
        with pytest.raises(ValueError, match=r"workers = 0"):
            rule(problem, 0.1, 0, 1)
        with pytest.raises(ValueError, match=r"eps = 0"):
            rule(problem, 0.0, 3, 1)
        with pytest.raises(ValueError, match=r"smoothness = 0"):
            rule(problem._replace(smoothness=0.0), 0.1, 3, 1)
