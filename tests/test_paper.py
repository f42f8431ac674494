"""Is every panel of the paper what its file says, and does it run?"""

import numpy as np
import pytest
from compiled import run_scenario, run_schedules

from simulator.scenario.files import shipped
from simulator.scenario.loading import load
from simulator.training.schedules import vector_of

PANELS = [name for name in shipped() if name.startswith("paper/")]
UNEQUAL = {"paper/humanoid-flag", "paper/hoppers", "paper/reachers"}
QUICK = {"paper/humanoid-flag", "paper/reachers"}
"""One without and one with a fixed length; the steps of all tasks are those of gymnasium."""


def rounds(name: str, method: str) -> np.ndarray:
    """How long each server step took, in the first part of the run, with batches of 20."""
    settings = ["stop.steps=40", "evaluation.every_seconds=1e9"]
    batch = [] if method == "synchronous-nigt" else [f"methods.{method}.batch=20"]
    (run,) = run_schedules(load(name, settings + batch).restrict([method], [0]))
    return np.diff(run.times, prepend=0.0)


def throughput(name: str, method: str) -> float:
    """Used gradients per second, over the whole run."""
    (run,) = run_schedules(load(name).restrict([method], [0]))
    return run.gradients / run.time


@pytest.mark.parametrize("name", PANELS)
def test_the_three_methods_are_compared_under_the_papers_settings(name: str) -> None:
    scenario = load(name)
    first, third = ("malenia-nigt", "rennala-nigt"), ("rennala-nigt", "synchronous-nigt")
    known = {*(first if name in UNEQUAL else third), "afedpg"}
    assert set(scenario.methods) == known
    assert {table.settings()["momentum"] for table in scenario.methods.values()} <= {0.1, 0.01}
    assert scenario.seeds == [1, 2, 3]  # others tune
    assert scenario.objective.policy.hidden == [64, 64]


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.nightly) for name in PANELS],
)
def test_a_panel_makes_a_few_steps(name: str) -> None:
    short = ["stop={steps=2}", "evaluation={every_steps=2, episodes=2}", "objective.horizon=20"]
    scenario = load(name, short).restrict(None, [0])
    runs = list(run_scenario(scenario))
    assert [(run.method, run.end, run.steps) for run in runs] == [
        (method, "stop", 2) for method in scenario.methods
    ], [run.message for run in runs]
    for run in runs:
        assert np.all(np.isfinite(run.parameters()))


SECONDS = [
    ("humanoid-equal", "rennala-nigt", 2.0),
    ("humanoid-equal", "synchronous-nigt", 1.0),
    ("humanoid-sqrt", "rennala-nigt", 5 + np.sqrt(10)),
    ("humanoid-sqrt", "synchronous-nigt", 2 * np.sqrt(10)),
    ("humanoid-costly", "rennala-nigt", 5 + np.sqrt(10) * 30498**0.25),
    ("humanoid-costly", "synchronous-nigt", np.sqrt(10) * (1 + 30498**0.25)),
    ("reacher", "rennala-nigt", 5 + np.sqrt(10) * 5188**0.25),
    ("walker2d", "rennala-nigt", 5 + np.sqrt(10) * 6092**0.25),
    ("hopper", "rennala-nigt", 5 + np.sqrt(10) * 5318**0.25),
    ("humanoid-100", "rennala-nigt", 4 + np.sqrt(15) * 30498**0.25),
    ("humanoid-100", "synchronous-nigt", 10 * (1 + 30498**0.25)),
    ("reacher-100", "rennala-nigt", 4 + np.sqrt(15) * 5188**0.25),
    ("reacher-100", "synchronous-nigt", 10 * (1 + 5188**0.25)),
    ("humanoid-decreasing", "synchronous-nigt", 10.0),
    ("humanoid-decreasing", "rennala-nigt", 10 / np.sqrt(81)),
    ("humanoid-flag", "malenia-nigt", 60.0),
]


@pytest.mark.parametrize(("name", "method", "seconds"), SECONDS)
def test_a_server_step_takes_the_seconds_of_its_comment(
    name: str, method: str, seconds: float
) -> None:
    """In closed form: the time of the computations and the largest upload of the participants."""
    np.testing.assert_allclose(rounds(f"paper/{name}", method), seconds, rtol=1e-12)


def test_costly_uploads_leave_few_gradients_to_single_senders() -> None:
    times = np.sqrt(np.arange(1, 11))
    for name, cycle in (("sqrt", 2 * times), ("costly", times * (1 + 30498**0.25))):
        expected = (1 / cycle).sum()
        found = throughput(f"paper/humanoid-{name}", "afedpg")
        assert abs(found / expected - 1) < 0.01  # whole gradients, at the end of the run


def test_the_sizes_are_those_that_the_paper_names() -> None:
    sizes = {"humanoid-equal": 30498, "reacher": 5188, "walker2d": 6092, "hopper": 5318}
    for name, size in sizes.items():
        assert vector_of(load(f"paper/{name}")).dimension == size


@pytest.mark.parametrize("name", sorted(UNEQUAL))
def test_unequal_agents_all_differ(name: str) -> None:
    scenario = load(name)
    variations = scenario.objective.variations
    assert len(variations) == scenario.cluster.workers
    assert all(one not in variations[:at] for at, one in enumerate(variations))
