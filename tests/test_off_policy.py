"""Do runs whose gradients leave their tickets' points keep all promises of other runs?

The same points as by the plain executor and side by side, and replays of the gradients that the
steps used.  Interrupted runs are in ``test_resume.py``.
"""

import numpy as np
import pytest
from compiled import compiled_once, run_in, run_scenario

from simulator.mistakes import Mistake
from simulator.replays import reproduction
from simulator.results.results import load
from simulator.scenario.loading import check
from simulator.training.checkpoint import Member
from simulator.training.executor import DebugExecutor
from simulator.training.laboratory import laboratory_of
from simulator.verification import verify

__all__ = ["compiled_once"]  # the fixture
SETTINGS = {
    "weighed": {"importance": 1.1},
    "both": {"importance": 1.1, "update": "during"},
    "mixed": {"update": "during"},
}


def scenario_of(*labels, seeds=(0,), **tables):
    methods = {
        label: {"method": "queued-pg", "batch": 3, "queue": 2, "step": 0.5, **SETTINGS[label]}
        for label in labels
    }
    plain = {
        "seeds": [*seeds],
        "cluster": {"workers": 3, "compute": [1.0, 2.1, 5.3]},
        "server": {"seconds": 1.3},
        "objective": {"kind": "tabular", "states": 3, "actions": 2, "horizon": 4},
        "stop": {"steps": 6},
        "methods": methods,
    }
    return check({**plain, **tables})


def test_the_plain_executor_gives_the_same_points():
    scenario = scenario_of("both")
    fast, plain = (
        next(run_scenario(scenario, **more)).point for more in ({}, {"executor": DebugExecutor})
    )
    np.testing.assert_allclose(fast, plain, rtol=1e-12, atol=1e-13)


def test_runs_beside_others_have_the_same_bits():
    members = [Member(scenario_of("both", seeds=[seed])) for seed in range(3)]
    together = {}
    laboratory_of(members[0].scenario).train(members, lambda at, run: together.update({at: run}))
    for at, member in enumerate(members):
        (alone,) = run_scenario(member.scenario)
        np.testing.assert_array_equal(together[at].point, alone.point)


def test_the_gradients_of_a_step_are_replayed_as_they_were_used(tmp_path):
    """With plain ascent, the gradients of the last step make up the way of the point."""
    scenario = scenario_of(*SETTINGS)
    out, _ = run_in(tmp_path / "o", scenario)
    outcome = load(out)
    assert not verify(outcome).problems
    for label in SETTINGS:
        points = []
        for _ in run_scenario(
            scenario.restrict([label], None), watch=lambda run, to=points: to.append(run.point)
        ):
            pass
        last = outcome.tickets[outcome.tickets["used_in_step"] == 6]
        own = last[last["method"] == label][["worker", "version", "index"]].to_numpy()
        chosen = [reproduction.choose(outcome, "{}.{}.{}".format(*row), label, 0) for row in own]
        found = [reproduction.reproduce(outcome, each).gradient for each in chosen]
        assert len(found) == 3
        np.testing.assert_allclose(0.5 * np.mean(found, 0), points[-1] - points[-2], atol=1e-13)


def test_a_failure_keeps_the_payload_of_its_gradient(tmp_path):
    seldom = {"objective": {"kind": "linear-quadratic"}, "evaluation": {"every_steps": 100}}
    scenario = scenario_of("both", **seldom)
    methods = {"both": scenario.methods["both"].model_copy(update={"step": 1e200})}
    out, _ = run_in(tmp_path / "o", scenario.replace(methods=methods))
    outcome = load(out)
    (row,) = outcome.manifest["runs"]
    assert row["end"] == "failed"
    chosen = reproduction.choose(outcome, row["failed_ticket"], None, None)
    found = reproduction.reproduce(outcome, chosen)
    assert not found.fine
    assert len(found.point) > len(found.gradient)
    assert not verify(outcome).problems


HOST = {"kind": "policy-gradient", "environment": "Acrobot-v1"}
DURING = "methods.mixed.update = 'during'"


@pytest.mark.parametrize(
    ("label", "tables", "message"),
    [
        ("weighed", {"objective": HOST}, "methods.weighed.importance: a likelihood needs an env"),
        ("mixed", {"objective": HOST}, f"{DURING}: a gradient of several points needs an env"),
        ("mixed", {"objective": {"kind": "quadratic"}}, f"{DURING}: the samples of quadratic are"),
        (
            "mixed",
            {
                "cluster": {"workers": 2, "compute": 1.0, "per": "environment-step"},
                "objective": HOST | {"environment": "CartPole-v1"},
            },
            f"{DURING}: the length of an episode must be known when it starts; use update =",
        ),
    ],
)
def test_refusals(label, tables, message):
    with pytest.raises(Mistake) as refused:
        scenario_of(label, **tables)
    assert str(refused.value).startswith(message)
