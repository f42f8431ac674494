"""Does an episode take as long as it lasts?

Where all episodes are equally long, seconds per environment step are seconds per gradient in
another unit: the same schedule and the same learning.  Where they are not, the tickets tell the
lengths, and with them every time can be had once more.
"""

from functools import cache

import jax
import numpy as np
import pytest
from compiled import compiled_once, run_in, run_scenario
from test_cli import agree_with_steps, agree_with_workers

from algorithms.tickets import Ticket
from simulator.results import results
from simulator.scenario.loading import check
from simulator.training.schedules import replay, stop_of

__all__ = ["compiled_once"]  # the fixture

METHODS = {
    "rennala-pg": {"batch": 4, "step": 0.05},
    "earliest": {
        "method": "rennala-pg", "batch": 4, "step": 0.05, "count": "earliest-started",
    },
    "malenia-pg": {"batch": 4, "step": 0.05},
    "synchronous-pg": {"step": 0.05},
    "asynchronous-pg": {"step": 0.02},
    "afedpg": {"step": 0.02, "momentum": 0.2},
}  # fmt: skip
BARRIERS = [name for name in METHODS if name not in ("asynchronous-pg", "afedpg")]
HORIZON = 16
"""A power of two: another unit of time changes no bit."""
PENDULUM = {
    "kind": "policy-gradient",
    "environment": "Pendulum-v1",
    "horizon": HORIZON,
    "policy": {"hidden": [4]},
}
SMALL = 1e-4
"""A pendulum's gradients are large."""
CARTPOLE = PENDULUM | {"environment": "CartPole-v1", "horizon": 40}
UNEQUAL = [0.25, 0.425, 0.725, 1.325]
RANDOM = {"law": "log-normal", "mean": UNEQUAL, "sigma": 0.5}
FAILURES = {"mean_time_between_failures": 60.0, "mean_time_to_repair": 7.0}


def scenario(objective, *, per="environment-step", compute=None, **tables):
    cluster = {"workers": 4, "compute": compute or UNEQUAL, "per": per}
    plain = {
        "seeds": [3],
        "cluster": cluster | tables.pop("cluster", {}),
        "objective": objective,
        "evaluation": {"every_steps": 2, "episodes": 2},
        "stop": {"steps": 8},
        "methods": METHODS,
        **tables,
    }
    return check(plain)


# Where all episodes are equally long

CLUSTERS = {
    "finish": (UNEQUAL, {"in_flight": "finish"}, {"upload": 0.5, "download": 0.25}),
    "failing": (RANDOM, {"failures": FAILURES}, {"upload": 0.5, "collective": "ring"}),
    "pausing": (UNEQUAL, {"failures": FAILURES, "in_outage": "continued"}, {}),
}


def times(compute, factor):
    if isinstance(compute, dict):
        return compute | {"mean": times(compute["mean"], factor)}
    return [factor * seconds for seconds in compute]


@cache
def both(name):
    """Charged by the step, and by the gradient at so many times the seconds."""
    compute, cluster, network = CLUSTERS[name]
    tables = {"cluster": cluster, "network": network}
    tables["methods"] = {label: table | {"step": SMALL} for label, table in METHODS.items()}
    stepwise = scenario(PENDULUM, compute=compute, **tables)
    whole = scenario(PENDULUM, per="gradient", compute=times(compute, HORIZON), **tables)
    return [{run.method: run for run in run_scenario(each)} for each in (stepwise, whole)]


@pytest.mark.parametrize("label", METHODS)
@pytest.mark.parametrize("name", CLUSTERS)
def test_equal_episodes_are_another_unit_of_time(name, label):
    one, other = (runs[label] for runs in both(name))
    assert (one.steps, one.end) == (other.steps, other.end) == (8, "stop")
    if name == "pausing":  # or it would all be about nothing
        assert one.accounts.down.sum() > 0
    mine, theirs = one.columns(), other.columns()
    for column in ("time", "tickets", "gradients", "max_delay", "environment_steps"):
        np.testing.assert_array_equal(mine[column], theirs[column], err_msg=column)
    assert set(one.lengths.values()) == {HORIZON}
    assert other.lengths is None
    for field, ours, its in zip(one.accounts._fields, one.accounts, other.accounts, strict=True):
        np.testing.assert_allclose(ours, its, rtol=1e-13, atol=1e-11, err_msg=field)
    if label in BARRIERS:
        np.testing.assert_array_equal(one.point, other.point)
        np.testing.assert_array_equal(mine["return"], theirs["return"])
    else:
        # One by one, not in groups: the same numbers, added up by another program.
        np.testing.assert_allclose(one.point, other.point, rtol=0, atol=1e-5)


# Where they are not

CRASHING = {"failures": {"mean_time_between_failures": 40.0, "mean_time_to_repair": 5.0}}
NETWORK = {"upload": 0.5, "download": 0.25}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Runs on CartPole, two episodes a gradient; a pole falls when it falls.

    No option wanted tickets.
    """
    pairs = CARTPOLE | {"episodes": 2, "baseline": "leave-one-out"}
    described = scenario(pairs, cluster=CRASHING, network=NETWORK)
    folder = tmp_path_factory.mktemp("lengths") / "o"
    directory, code = run_in(folder, described)
    assert code == 0
    return results.load(directory)


def test_the_tickets_are_kept_without_an_option(done):
    assert set(done.tickets["method"]) == set(METHODS)
    assert done.tickets["environment_steps"].notna().all()
    assert done.tickets["environment_steps"].nunique() > 5
    assert done.tickets["environment_steps"].between(10, 80).all()
    assert done.tickets["environment_steps"].max() > 40
    agree_with_steps(done.tickets[done.tickets["outcome"] == "used"], done.steps)
    agree_with_workers(done.tickets, done.workers)
    assert done.workers["lost"].sum() > 0


def test_the_lengths_of_the_used_are_the_environment_steps_of_each_step(done):
    """The ruler plays episodes for their length; the gradients are of the same episodes."""
    used = done.tickets[done.tickets["outcome"] == "used"]
    by_step = used.groupby(["method", "used_in_step"])["environment_steps"].sum()
    for label in METHODS:
        taken = done.steps.loc[done.steps["method"] == label, "environment_steps"].diff()[1:]
        assert by_step[label].tolist() == taken.tolist()


def test_a_computation_takes_the_seconds_of_its_steps(done):
    whole = done.tickets[done.tickets["outcome"] == "used"]
    seconds = whole["worker"].map(dict(enumerate(UNEQUAL))) * whole["environment_steps"]
    took = (whole["finish"] - whole["start"]).tolist()
    assert took == pytest.approx(seconds.astype(float).tolist(), rel=1e-9)


@pytest.mark.parametrize("label", METHODS)
def test_a_directory_is_enough_to_have_the_times_once_more(label, done):
    described = done.scenario
    again = replay(described, done.run(label, 3), done.vector)
    steps = list(again.steps(stop_of(described)))
    mine = done.steps[done.steps["method"] == label]
    assert [0.0, *(step.time for step in steps)] == mine["time"].tolist()
    assert [0, *(step.used for step in steps)] == mine["gradients"].tolist()
    workers = done.workers[done.workers["method"] == label]
    for name in ("started", "used", "recalled", "lost", "unfinished"):
        assert getattr(again.accounts(), name).tolist() == workers[name].tolist()


@pytest.mark.parametrize(
    "label", ["rennala-pg", pytest.param("asynchronous-pg", marks=pytest.mark.nightly)]
)
def test_the_lengths_are_those_of_the_objective_at_the_points_of_the_versions(label):
    """Asked anew, one by one, at points that were kept: plain ascent steps where it stands."""
    described = scenario(
        CARTPOLE, methods={label: METHODS[label]}, evaluation={"every_steps": 1, "episodes": 1}
    )
    points = {}

    def watch(run):
        points[run.steps] = np.array(run.point)

    (run,) = run_scenario(described, watch=watch)
    objective, root = described.objective.build(workers=2), jax.random.key(3)
    known = {ticket: length for ticket, length in run.lengths.items() if ticket.version in points}
    assert len(known) >= (30 if label == "rennala-pg" else 11)
    assert len({ticket.version for ticket in known}) > 4
    for ticket, length in known.items():
        point = points[ticket.version][None]
        rows, one = np.array([ticket], np.int32), np.ones(1)
        assert objective.episodes.lengths(root, point, rows, one).tolist() == [length]
    for ticket in list(known)[::12]:
        assert objective.sample(root, points[ticket.version], ticket)[1] == known[ticket]


def test_the_first_finished_favour_short_episodes_and_the_earliest_started_do_not():
    """Equal workers, one batch: of all episodes at the first point, the first to finish are the
    shortest, while the earliest started are just the first of each worker."""
    described = scenario(
        CARTPOLE,
        compute=[1.0] * 4,
        methods={
            "first": {"method": "rennala-pg", "batch": 3, "step": 0.05},
            "earliest": METHODS["earliest"] | {"batch": 3},
        },
        stop={"steps": 1},
        seeds=[0, 1, 2],
    )
    for run in run_scenario(described):
        lengths = [run.lengths[Ticket(worker, 0, 0)] for worker in range(4)]
        if run.method == "earliest":
            assert run.time == max(lengths[:3])
        else:
            assert run.time == sorted(ends_of(run))[2]


def ends_of(run):
    """The end of each started episode, if no worker had been stopped."""
    clock = dict.fromkeys(range(4), 0)
    for worker, _, index in sorted(run.lengths):
        clock[worker] += run.lengths[Ticket(worker, 0, index)]
        yield clock[worker]


# How runs end


def finished(tmp_path, described):
    directory, code = run_in(tmp_path / "o", described)
    return results.load(directory), code


@pytest.mark.parametrize("label", ["rennala-pg", "asynchronous-pg"])
def test_a_target_in_the_middle_leaves_times_that_can_be_had_again(label, tmp_path):
    methods = {label: METHODS[label]}
    tables = {"methods": methods, "evaluation": {"every_steps": 1, "episodes": 2}}
    tables["seeds"] = [5] if label == "asynchronous-pg" else [3]  # where it gets better at all
    (whole,) = run_scenario(scenario(CARTPOLE, stop={"steps": 12}, **tables))
    returns = whole.columns()["return"]
    at = int(np.argmax(returns))
    assert 0 < at < 12
    stop = {"steps": 12, "target": float(returns[at])}
    cut = scenario(CARTPOLE, stop=stop, **tables)
    found, code = finished(tmp_path, cut)
    (run,) = found.runs.to_dict("records")
    assert (code, run["end"], run["steps"]) == (0, "target", at)
    assert run["evaluated"] == run["used"]
    assert found.steps["time"].tolist() == whole.columns()["time"][: at + 1].tolist()
    agree_with_steps(found.tickets[found.tickets["outcome"] == "used"], found.steps)
    agree_with_workers(found.tickets, found.workers)
    again = replay(cut, found.run(label, *tables["seeds"]), found.vector)
    times = [step.time for step in again.steps(stop_of(cut)._replace(steps=at))]
    assert times == found.steps["time"].tolist()[1:]
