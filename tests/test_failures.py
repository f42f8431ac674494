"""What becomes of a run whose numbers go wrong?  It ends, says by which gradient, and alone."""

import json

import jax
import numpy as np
import pytest
import strange_environments  # noqa: F401 (registers them)
from compiled import compiled_once, run_in, run_scenario

from simulator.mistakes import Mistake
from simulator.replays import reproduction
from simulator.results import results
from simulator.scenario.loading import check
from simulator.training.executor import DebugExecutor
from simulator.training.failure import name_of, ticket_of
from simulator.training.jax_setup import prepare

__all__ = ["compiled_once"]  # the fixture

STEPS = {"step": 0.01, "momentum": 0.3}
METHODS = {"rennala-nigt": {**STEPS, "batch": 5}, "afedpg": STEPS, "ringleader-nigt": STEPS}
ABOVE = 1.2
"""A first observation beyond which an episode goes wrong."""


def scenario_of(methods=METHODS, wrong="nan", **tables):
    sometimes = {"wrong": wrong, "above": ABOVE}
    plain = {
        "seeds": [0],
        "cluster": {"workers": 3, "compute": [1.0, 1.7, 2.9]},
        "objective": {
            "kind": "policy-gradient",
            "environment": "strange_environments:Sometimes-v0",
            "environment_options": sometimes,
            "horizon": 12,
            "policy": {"hidden": [3]},
        },
        "evaluation": {"episodes": 1, "every_steps": 1000},
        "stop": {"steps": 40},
        "methods": methods,
        **tables,
    }
    return check(plain)


def only(scenario, method):
    return scenario.restrict([method], scenario.seeds)


def is_bad(scenario, ticket, seed=0):
    """Whether its episode goes wrong by the plain code; no point decides that, only its reset."""
    prepare()
    objective = scenario.build_objective()
    point = objective.initial_point(jax.random.key(seed))
    try:
        gradient, _ = objective.sample(jax.random.key(seed), point, ticket)
    except ArithmeticError:
        return True
    return not np.isfinite(np.asarray(gradient)).all()


@pytest.mark.parametrize(
    ("method", "wrong"),
    [("rennala-nigt", "nan"), ("afedpg", "nan"), ("ringleader-nigt", "inf"), ("afedpg", "raise")],
)
def test_a_run_ends_at_its_first_bad_gradient_and_names_it(method, wrong):
    scenario = only(scenario_of(wrong=wrong), method)
    (run,) = run_scenario(scenario)
    assert run.end == "failed"
    step, ticket, point = run.failure
    assert is_bad(scenario, ticket)
    assert f"ticket {name_of(ticket)}" in run.message
    assert f"worker {ticket.worker} at version {ticket.version}" in run.message
    assert "smaller step" not in run.message
    # An error comes while a group of steps is computed, before any of them is recorded.
    assert step > run.steps if wrong == "raise" else step <= run.steps
    assert np.isfinite(point).all()
    assert (run.message.count("ArithmeticError: the pole snapped") == 1) == (wrong == "raise")


@pytest.mark.parametrize("method", ["rennala-nigt", "afedpg"])
def test_both_executors_name_the_same_gradient(method):
    scenario = only(scenario_of(), method)
    batched, plain = (
        next(iter(run_scenario(scenario, **more))) for more in ({}, {"executor": DebugExecutor})
    )
    assert batched.failure[:2] == plain.failure[:2]
    np.testing.assert_allclose(batched.failure.point, plain.failure.point, rtol=1e-4)


def test_a_failed_method_leaves_the_bits_of_the_others_alone():
    quadratic = {"objective": {"kind": "quadratic"}, "stop": {"steps": 100}}
    methods = {"asynchronous-pg": {"step": 3e3}, "synchronous-pg": {"step": 0.1}}
    scenario = scenario_of(methods, **quadratic, evaluation={})
    wild, tame = run_scenario(scenario)
    (alone,) = run_scenario(only(scenario, "synchronous-pg"))
    assert (wild.end, tame.end) == ("failed", "stop")
    assert wild.message.endswith("a smaller step may help")
    for name, values in tame.columns().items():
        np.testing.assert_array_equal(values, alone.columns()[name])


def test_an_infinite_point_is_blamed_on_the_rule_not_a_gradient():
    quadratic = {"objective": {"kind": "quadratic"}, "stop": {"steps": 30}, "evaluation": {}}
    far = {"every_steps": 1000}
    methods = {"synchronous-pg": {"step": 1e308}}
    (run,) = run_scenario(scenario_of(methods, **quadratic | {"evaluation": far}))
    assert run.end == "failed"
    assert run.failure.ticket is None or abs(run.failure.point).max() > 1e6
    assert run.message.endswith("; a smaller step may help")
    assert run.failure.step <= 3


def test_with_time_per_step_the_ticket_is_named_at_its_start():
    cluster = {"workers": 3, "compute": [0.1, 0.2, 0.3], "per": "environment-step"}
    scenario = scenario_of({"afedpg": STEPS}, "raise", cluster=cluster)
    (run,) = run_scenario(scenario)
    assert run.end == "failed"
    assert is_bad(scenario, run.failure.ticket)


# Once more


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    out, code = run_in(tmp_path_factory.mktemp("failed") / "o", scenario_of())
    assert code == 3
    return results.load(out)


@pytest.mark.parametrize("method", ["rennala-nigt", "afedpg"])
def test_the_recorded_ticket_shows_the_failure(method, failed):
    row = next(row for row in failed.manifest["runs"] if row["method"] == method)
    chosen = reproduction.choose(failed, row["failed_ticket"], method, None)
    message = []
    found = reproduction.reproduce(failed, chosen, message.append)
    assert not message  # the point was kept
    assert not found.fine
    assert len(found.wrong) == len(found.point)
    assert "numbers are not finite, the first is [0] = nan" in found.lines()[-1]
    assert json.loads(json.dumps(found.as_data()))["gradient"][0] == "nan"


def test_an_error_is_shown_with_its_place(tmp_path):
    out, _ = run_in(tmp_path / "o", only(scenario_of(wrong="raise"), "afedpg"))
    outcome = results.load(out)
    (row,) = outcome.manifest["runs"]
    chosen = reproduction.choose(outcome, row["failed_ticket"], None, None)
    found = reproduction.reproduce(outcome, chosen)
    assert found.lines()[-1] == "  error: ArithmeticError: the pole snapped"
    assert "strange_environments.py" in found.trace


@pytest.mark.parametrize("method", ["rennala-nigt", "afedpg"])
def test_any_other_ticket_is_computed_at_the_run_s_point(method, tmp_path):
    """The gradients of a step, each by itself, weighted, are the gradient that the rule got."""
    methods = {method: {**STEPS, "batch": 4} if method == "rennala-nigt" else STEPS}
    quadratic = {"kind": "quadratic", "dimension": 6, "scale": 0.5}
    scenario = scenario_of(methods, objective=quadratic, stop={"steps": 9}, evaluation={})
    out, _ = run_in(tmp_path / "o", scenario)
    outcome = results.load(out)
    rows = outcome.tickets[outcome.tickets["used_in_step"] == 9]
    objective, root = scenario.build_objective(), jax.random.key(0)
    for row in rows.itertuples():
        name = f"{row.worker}.{row.version}.{row.index}"
        found = reproduction.reproduce(outcome, reproduction.choose(outcome, name, None, None))
        assert found.fine
        # Closed form: with its noise taken away it is the gradient at the point of its version.
        again, _ = objective.sample(root, found.point, ticket_of(name))
        np.testing.assert_array_equal(found.gradient, again)
        exact = objective.exact.measure(found.point[None])["gradient_norm"][0]
        recorded = outcome.steps.set_index("step").loc[row.version, "gradient_norm"]
        if method == "rennala-nigt":  # where it looks is where it asks: there NIGT is ahead of it
            assert exact != recorded
    version = int(rows["version"].iloc[0])
    assert version > 0


@pytest.mark.parametrize(
    ("name", "method", "seed", "message"),
    [
        ("3.7", None, None, "3.7: a ticket is WORKER.VERSION.INDEX, such as 3.7.0"),
        ("a.b.c", None, None, "a.b.c: a ticket is WORKER.VERSION.INDEX, such as 3.7.0"),
        ("0.0.0", None, None, "0.0.0: several runs have such a ticket; add --method and --seed"),
        ("0.0.0", "afedgp", None, "--method afedgp: not in these results; did you mean 'afedpg'?"),
        ("0.0.0", "afedpg", 5, "--seed 5: not in these results"),
        ("0.0.77", "afedpg", 0, "0.0.77: afedpg, seed 0, started no such gradient"),
    ],
)
def test_an_unknown_ticket_is_refused(name, method, seed, message, failed):
    with pytest.raises(Mistake) as refused:
        reproduction.choose(failed, name, method, seed)
    assert str(refused.value) == message


def test_an_evaluation_that_goes_wrong_is_not_the_step_s_fault():
    scenario = only(scenario_of(evaluation={"episodes": 32, "every_steps": 1}), "afedpg")
    (run,) = run_scenario(scenario)
    assert (run.end, run.failure) == ("failed", None)
    message = "though its point is finite: an episode of the evaluation went wrong"
    assert run.message == f"return = nan after server step 0, {message}"
