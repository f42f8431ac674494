"""Where do methods settle when every worker has its own function? In closed form, on quadratics.

A method with more gradients of some workers than of others climbs their weighted mean, and
settles where its gradient vanishes: sum_i w_i grad J_i = 0.  Only equal weights w_i are right.
"""

import numpy as np
import pytest
from compiled import compiled_once, run_scenario

from simulator.scenario.loading import check

__all__ = ["compiled_once"]  # the fixture

# Powers of two, so that exactly 8 / SECONDS gradients are done by 8 s, the last with the batch.
SECONDS = np.array([1.0, 1.0, 2.0, 4.0, 8.0, 16.0])
N, DIMENSION, STEP = len(SECONDS), 6, 0.4
COUNTS = 8 // SECONDS
BATCH = int(COUNTS.sum())
PLAIN = {"step": STEP}
FAIR = {
    "synchronous-pg": PLAIN,
    "malenia-pg": {"batch": 12, **PLAIN},
    "ringleader-pg": {"step": 0.1},
    "fedsvrpg-m": {"local_steps": 1, "local_step": 0.1, "momentum": 0.5, **PLAIN},
}
RENNALA = {"rennala-pg": {"batch": BATCH, **PLAIN}}


def scenario(methods, *, scale=0.0, heterogeneity=0.4, steps=250, compute=SECONDS):
    objective = {
        "kind": "quadratic",
        "variant": "random",
        "dimension": DIMENSION,
        "heterogeneity": heterogeneity,
        "curvature": 0.4,
        "scale": scale,
    }
    return check(
        {
            "seeds": [7],
            "cluster": {"workers": N, "compute": list(compute)},
            "objective": objective,
            "stop": {"steps": steps},
            "methods": methods,
        }
    )


def paths(checked):
    """Every method's points after each step, the start among them."""
    points = {label: [] for label in checked.methods}
    for _ in run_scenario(
        checked, watch=lambda run: points[run.method].append(np.array(run.point))
    ):
        pass
    return {label: np.array(path) for label, path in points.items()}


def settling(checked, weights):
    """Where these weights of the workers lead to, and the matrix of the mean that they make."""
    quadratics = checked.objective.quadratics(N)
    weights = np.asarray(weights) / np.sum(weights)
    chain = 2 * np.eye(DIMENSION) - np.eye(DIMENSION, k=1) - np.eye(DIMENSION, k=-1)
    matrix = weights @ quadratics.slopes / 4 * chain + quadratics.shift * np.eye(DIMENSION)
    right = weights @ quadratics.offsets * np.eye(DIMENSION)[0]
    point = np.linalg.solve(matrix, right)
    np.testing.assert_allclose(quadratics.stationary(weights), point, atol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > 0.2  # there is something to climb
    return point, matrix


def distance(one, other):
    return np.linalg.norm(one - other)


def test_without_noise_fair_methods_settle_at_the_right_point_and_rennala_at_its_own():
    checked = scenario({**FAIR, **RENNALA})
    right, biased = (settling(checked, weights)[0] for weights in (np.ones(N), COUNTS))
    assert distance(right, biased) > 0.1
    for label, path in paths(checked).items():
        settled = biased if label in RENNALA else right
        assert distance(path[-1], settled) < 1e-6, label


def test_with_noise_the_mean_of_the_path_is_there_within_its_standard_error():
    """x_{k+1} - x_k = s (xi_k - A (x_k - x*)), added up over N steps, says exactly

        mean(x_k) - x* = A^-1 (mean(xi_k) - (x_N - x_0) / (s N)).

    A step's noise has variance scale^2 sum_j w_j^2 in each coordinate, w_j its tickets' weights.
    """
    scale, steps, burn_in = 0.2, 400, 40
    checked = scenario(
        {label: FAIR[label] for label in ("synchronous-pg", "malenia-pg")} | RENNALA,
        scale=scale,
        steps=steps,
    )
    # Malenia's round ends with the first gradient of the slowest, at 16 s.
    of_weights = {"synchronous-pg": N / N**2, "malenia-pg": sum(SECONDS / 16) / N**2}
    of_weights["rennala-pg"] = 1 / BATCH
    right = settling(checked, np.ones(N))[0]
    for label, path in paths(checked).items():
        settled, matrix = settling(checked, COUNTS if label in RENNALA else np.ones(N))
        path = path[burn_in:]
        many = len(path) - 1
        inverse = np.linalg.inv(matrix)
        drift = inverse @ (path[-1] - path[0]) / (STEP * many)
        error = path[:-1].mean(0) + drift - settled
        deviation = scale * np.sqrt(of_weights[label] / many * (inverse**2).sum(1))
        assert (np.abs(error) < 5 * deviation).all(), label
        # So small that the wrong point could not pass.
        if label in RENNALA:
            assert np.abs((settled - right) / deviation).max() > 20


RATES = 1 / SECONDS
# Others deliver so often, on average, while a worker computes once.
DELAYS = SECONDS * RATES.sum() - 1


@pytest.mark.parametrize(
    ("method", "weights"),
    [
        ("asynchronous-pg", RATES),
        ("afedpg", RATES),
        ("delay-adaptive-pg", RATES * N / np.maximum(N, DELAYS)),
    ],
)
def test_acting_on_every_arrival_settles_at_a_point_of_the_speeds(method, weights):
    """Gradients come as often as their worker is fast; what else remains is small as the step."""
    settings = {"step": 0.004, **({"momentum": 0.2} if method == "afedpg" else {})}
    checked = scenario({method: settings}, steps=3000)
    right, biased = (settling(checked, each)[0] for each in (np.ones(N), weights))
    end = paths(checked)[method][-1]
    assert distance(end, biased) < 0.1 * distance(right, biased)
