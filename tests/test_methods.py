"""Does every method step when the reference does, and to the same point?

The product and ``reference_methods.py`` share no code but the cluster's durations; the quadratics
are written out here as matrices, and the noise from the documented random key of each ticket.
"""

from functools import cache
from typing import NamedTuple

import jax
import numpy as np
import pytest
import reference_methods
from compiled import compiled_once, run_scenario
from reference_methods import follow

from algorithms.methods import METHODS
from simulator.scenario.loading import check

__all__ = ["compiled_once"]  # the fixture

WORKERS, DIMENSION, SCALE, SEED, STEPS = 4, 6, 0.1, 3, 24
NIGT = {"step": 0.05, "momentum": 0.3}
LOCAL = {"step": 0.4, "local_step": 0.05, "local_steps": 3}
LIMITED = {
    "attempts": [3, 2, 2, 1],
    "limit": [1.2, 1.2, 1.5, 4.0],
    "probability": [0.9, 0.8, 0.5, 0.4],
}
CASES = {
    "synchronous-pg": {"step": 0.2},
    "rennala-pg": {"batch": 4, "initial_batch": 9, "step": 0.2},
    "malenia-pg": {"batch": 6, "initial_batch": 9, "step": 0.2},
    "asynchronous-pg": {"step": 0.05},
    "delay-adaptive-pg": {"step": 0.05},
    "ringmaster-pg": {"threshold": 4, "step": 0.05},
    "with-stops": {"method": "ringmaster-pg", "threshold": 3, "stops": True, "step": 0.05},
    "ringleader-pg": {"step": 0.1},
    "mindflayer-pg": {**LIMITED, "step": 0.1},
    "fedbuff": {"buffer": 3, **LOCAL},
    "local-sgd": {"batch": 9, "step": 0.8, "local_step": 0.05},
    "async-local-pg": {**LOCAL, "step": 0.2},
    "async-batch-pg": {"worker_batch": 3, "step": 0.1},
    "rescaled-pg": {"step": 0.05},
    "queued-pg": {"batch": 4, "group": 2, "step": 0.2},
    "queued-nigt": {"batch": 3, **NIGT},
    "local-sgd-nigt": {"batch": 9, "local_step": 0.05, **NIGT},
    "async-local-nigt": {**LOCAL, **NIGT},
    "async-batch-nigt": {"worker_batch": 3, **NIGT},
    "rescaled-nigt": NIGT,
    "of-dispatch": {"method": "afedpg", "direction": "dispatch", **NIGT},
    "synchronous-nigt": NIGT,
    "rennala-nigt": {"batch": 9, **NIGT},
    "malenia-nigt": {"batch": 6, **NIGT},
    "ringmaster-nigt": {"threshold": 4, "stops": True, **NIGT},
    "ringleader-nigt": NIGT,
    "mindflayer-nigt": {**LIMITED, **NIGT},
    "afedpg": NIGT,
    "scheduled": {
        "method": "afedpg",
        "step": {"scale": 0.3, "exponent": 0.7, "offset": 3.0},
        "momentum": {"scale": 0.9, "exponent": 0.5, "offset": 2.0},
    },
    "vanilla-asynchronous-pg": NIGT,
    "synchronous-fedpg": NIGT,
    "fedsvrpg-m": {**LOCAL, "momentum": 0.4},
    "fedhapg-m": {**LOCAL, "momentum": 0.4},
}
CASES = {label: {"method": label, **said} for label, said in CASES.items()}
COMPUTE = {
    "unequal": [1.0, 1.1, 2.3, 3.9],
    "with ties": [1, 1, 2, 4],
    "random": {"law": "log-normal", "mean": [1.0, 1.1, 2.0, 3.0], "sigma": 0.6},
}
QUADRATIC = {
    "kind": "quadratic",
    "dimension": DIMENSION,
    "scale": SCALE,
    "variant": "random",
    "heterogeneity": 0.5,
}


class World(NamedTuple):
    """What the workers do, and how long it takes them."""

    compute: str
    in_flight: str

    @property
    def scenario(self):
        return check(
            {
                "seeds": [SEED],
                "cluster": {
                    "workers": WORKERS,
                    "compute": COMPUTE[self.compute],
                    "in_flight": self.in_flight,
                },
                "objective": QUADRATIC,
                "stop": {"steps": STEPS},
                "methods": CASES,
            }
        )

    @property
    def objective(self):
        return self.scenario.objective


WORLDS = [
    World("unequal", "recall"),
    World("with ties", "finish"),
    World("random", "finish"),
]


@cache
def simulated(world):
    """Time and iterate after every step of every method."""
    iterates = {label: [] for label in CASES}
    runs = run_scenario(
        world.scenario, watch=lambda run: iterates[run.method].append(np.array(run.point))
    )
    return {run.method: (run.columns()["time"][1:], iterates[run.method]) for run in runs}


class Quadratics:
    """J_i(x) = b_i'x - x'A_i x/2 with noise of the ticket's own: A_i and b_i in full."""

    def __init__(self, world):
        known = world.objective.quadratics(WORKERS)
        eye = np.eye(DIMENSION)
        chain = (2 * eye - np.eye(DIMENSION, k=1) - np.eye(DIMENSION, k=-1)) / 4
        self.matrices = [slope * chain + known.shift * eye for slope in known.slopes]
        self.offsets = [offset * eye[0] for offset in known.offsets]

    def gradient(self, worker, version, index, x, local=None):
        exact = self.offsets[worker] - self.matrices[worker] @ x
        return exact + SCALE * deviate(worker, version, index, local)

    def hessian_product(self, worker, x, v):
        return -self.matrices[worker] @ v


@cache
def deviate(worker, version, index, local):
    """A ticket's standard normal numbers; those of its k-th local step are from its key and k."""
    names = (worker, version, index)
    return np.array(drawn(names) if local is None else drawn((*names, local)))


@jax.jit
def drawn(names):
    key = jax.random.key(SEED)
    for name in names:
        key = jax.random.fold_in(key, name)
    return jax.random.normal(key, (DIMENSION,), "float64")


def referred(world, label):
    """The same by the reference, from the same start."""
    quadratics = Quadratics(world)
    durations = world.scenario.build_cluster().computations(SEED)
    said = {name: spelt_out(value) for name, value in CASES[label].items()}
    return follow(
        said.pop("method"),
        workers=WORKERS,
        duration=durations.one,
        gradient=quadratics.gradient,
        start=np.sqrt(DIMENSION) * np.eye(DIMENSION)[0],
        settings=said,
        updates=STEPS,
        in_flight=world.in_flight,
        hessian_product=quadratics.hessian_product,
    )


def spelt_out(value):
    """A schedule as a function of the number of updates."""
    if not isinstance(value, dict):
        return value
    return lambda k: value["scale"] / (k + value["offset"]) ** value["exponent"]


def test_every_method_is_compared():
    assert {case["method"] for case in CASES.values()} == METHODS.keys()
    assert reference_methods.METHODS.keys() == METHODS.keys() | {"mixing"}


@pytest.mark.parametrize("label", CASES)
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: "-".join(map(str, world)))
def test_every_step_of_every_method_is_the_references(world, label):
    times, iterates = simulated(world)[label]
    expected = referred(world, label)
    assert times.tolist() == [update.time for update in expected]
    start, *found = iterates
    scale = np.abs(start).max()
    assert len(found) == STEPS
    for point, update in zip(found, expected, strict=True):
        np.testing.assert_allclose(point, update.iterate, rtol=0, atol=1e-12 * scale)
    assert np.abs(found[-1] - start).max() > 0.01 * scale


# The reference by hand: what neither the papers' tables nor the rules' own tests say.


def followed(method, settings, gradient=lambda worker, version, index, x, local: -x):
    """Two updates of two workers, of 1 and 1.5 seconds, that climb -x²/2 from 1."""
    return follow(
        method,
        workers=2,
        duration=lambda worker, k: (1.0, 1.5)[worker],
        gradient=gradient,
        start=[1.0],
        settings=settings,
        updates=2,
    )


@pytest.mark.parametrize(
    ("method", "settings", "iterates"),
    [
        # Two local steps of a half take x to x / 4.  The first client delivers at 2 and, from the
        # same point, at 4: one update late when the buffer fills for the second time.
        (
            "fedbuff",
            {"step": 1.0, "buffer": 2, "local_steps": 2, "local_step": 0.5},
            [0.25, 0.25 - (0.75 / np.sqrt(2) + 0.75 * 0.25) / 2],
        ),
        # Round 0 has no direction to keep.
        (
            "fedsvrpg-m",
            {"step": 0.5, "local_steps": 2, "local_step": 0.1, "momentum": 0.4},
            [0.525, 0.289875],
        ),
    ],
)
def test_the_reference_takes_local_steps_as_reckoned_by_hand(method, settings, iterates):
    history = followed(method, settings)
    assert [update.time for update in history] == [3.0, 6.0]
    assert [update.iterate[0] for update in history] == pytest.approx(iterates)
