"""Does a method do the same in real time as in the simulation, at times of its own?

No test looks at times: on a busy machine they may be anything.
"""

import sys
import threading

import numpy as np
import pytest
from tracked import noting, points_of

from simulator import Mistake, calibrate, load_results, real, resume, run, verify
from simulator.figures.opening import replay
from simulator.realtime import refusals
from simulator.realtime.fleet import Fleet
from simulator.remote import connection
from simulator.reports.page import Widget
from simulator.results import recorded
from simulator.results.results import Results as Files
from simulator.training.executor import DebugExecutor, RunContext
from simulator.training.schedules import rule_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Ray in a process of its own")

SCENARIO = {
    "seeds": [0],
    "cluster": {"workers": 3, "compute": {"law": "exponential", "mean": [1, 1.5, 4]}},
    "objective": {"kind": "quadratic", "dimension": 5, "scale": 0.1},
    "stop": {"steps": 6},
    "methods": {
        "rennala-nigt": {"batch": 4, "step": 0.05, "momentum": 0.1},
        "malenia-nigt": {"batch": 4, "step": 0.05, "momentum": 0.1},
        "afedpg": {"step": 0.01, "momentum": 0.3},
        "synchronous-nigt": {"step": 0.05, "momentum": 0.1},
        # Orders to single workers, recalls, time limits, gradients that are used again:
        "ringmaster-pg": {"step": 0.01, "threshold": 2, "stops": True},
        "mindflayer-pg": {"step": 0.01, "attempts": 2, "limit": 1.5, "probability": 0.6},
        "ringleader-pg": {"step": 0.01},
        # A training that ends later:
        "queued-pg": {"step": 0.05, "batch": 4, "group": 2, "depth": 1},
    },
    "server": {"seconds": 0.3},
}
NETWORK = 'network={upload=[0.2, 0.5, 0.1], download=0.1, collective="ring"}'
SCALE = 0.02


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """One Ray for all tests of this file."""
    yield
    if sys.modules.get("ray"):
        connection.ray().shutdown()


@pytest.fixture(scope="module")
def notes():
    """What a tracker gets of the race, beside one that fails."""
    with noting() as notes:
        yield notes


@pytest.fixture(scope="module")
def raced(notes):
    track = ["broken", "noted"]
    return real(SCENARIO, NETWORK, time_scale=SCALE, compare=True, track=track, quiet=True)


@pytest.mark.parametrize("label", SCENARIO["methods"])
def test_a_tracker_gets_a_real_run_when_it_is_replayed(label, raced, notes):
    run = notes[f"{label}-0"]
    assert run["points"] == points_of(raced.results.steps, label, 0)
    assert run["settings"][0]["cluster.workers"] == 3
    assert run["ends"] == ["stop"]


@pytest.mark.parametrize("label", SCENARIO["methods"])
def test_a_real_run_ends_where_plain_code_ends_with_the_same_gradients(label, raced):
    import jax

    steps = recorded.steps(raced.results, label, 0)
    scenario = raced.results.scenario
    objective, rule = scenario.build_objective(), rule_of(scenario, label)
    root = jax.random.key(0)
    state = rule.init(objective.initial_point(root))
    points, kept = {0: rule.query(state)}, {}
    for step in steps:
        for ticket in step.fresh:
            kept[ticket] = objective.sample(root, points[ticket.version], ticket)[0]
        pairs = zip(step.tickets, step.weights, strict=True)
        total = sum(weight * kept[ticket] for ticket, weight in pairs)
        state = rule.update(state, total, step.dispatched)
        points[step.number] = rule.query(state)
    assert len(steps) == 6
    found = raced.results.parameters(label, 0)
    np.testing.assert_allclose(found, rule.iterate(state), rtol=0, atol=1e-10)


def test_the_server_weighs_old_samples_as_plain_code_does():
    import jax

    methods = {"queued-pg": {"batch": 2, "queue": 2, "importance": 1.1, "step": 0.5}}
    tabular = {"kind": "tabular", "states": 3, "actions": 2, "horizon": 4}
    found = real(
        {**SCENARIO, "objective": tabular, "methods": methods, "server": {"seconds": 1.5}},
        time_scale=SCALE,
        quiet=True,
    ).results
    objective, rule = found.scenario.build_objective(), rule_of(found.scenario, "queued-pg")
    root = jax.random.key(0)[None]
    state = rule.init(objective.initial_point(root[0]))
    points, executor = {0: rule.query(state)[None]}, DebugExecutor(objective)
    for step in recorded.steps(found, "queued-pg", 0):
        assert step.importance == 1.1
        runs = RunContext(root, points, np.array([True]), {})
        (value,) = executor.evaluate(runs, [step])
        state = rule.update(state, value.gradient[0], step.dispatched)
        points[step.number] = rule.query(state)[None]
    np.testing.assert_allclose(found.parameters("queued-pg", 0), rule.iterate(state), atol=1e-10)
    assert not verify(found.directory).problems


def test_the_files_of_a_real_run_verify_and_show_what_happened(raced):
    assert verify(raced.results).clean
    again = load_results(raced.directory)
    assert again.real
    assert again.tickets is not None
    for label in SCENARIO["methods"]:
        opening = replay(again, label, 0, 1e9, [0, 1, 2])
        of = again.steps.query(f"method == '{label}'")
        assert opening.step_times == of["time"].tolist()[1:]
        bars = sum(len(row) for row in opening.bars.values())
        assert bars >= len(again.tickets.query(f"method == '{label}'")) > 0
    assert raced.frame["rounds"].min() > 0
    assert "Prediction and reality" in repr(raced)


def test_the_report_has_the_real_timeline_of_a_run_above_the_simulated_one(raced):
    parts = [part for section in raced.report().sections for part in section.parts]
    (timeline,) = [part for part in parts if isinstance(part, Widget) and part.kind == "timeline"]
    label = next(iter(SCENARIO["methods"]))
    names = [run["name"] for run in timeline.data["runs"]]
    assert names[:2] == [f"{label}, real, seed 0", f"{label}, simulated, seed 0"]


def test_verification_tells_the_story_again(raced, monkeypatch):
    plain = Files.happenings

    def without_one(results, method, seed):
        found = plain(results, method, seed)
        return found._replace(events=found.events[1:])

    monkeypatch.setattr(Files, "happenings", without_one)
    report = verify(raced.results)
    assert len({problem.method for problem in report.problems}) == len(SCENARIO["methods"])
    assert {problem.check for problem in report.problems} <= {"events", "repeated story"}


def test_a_cluster_calibrated_from_a_real_run_predicts_it(tmp_path):
    """The injected seconds are constant, so all else is what this machine added to them.

    No log tells of the time between two computations, which makes rounds longer by its share.  And
    a round has ten gradients of each worker, so a spread of their seconds counts by its tenth.
    """
    steps, size = 90, 30
    settings = "cluster.compute=[1, 1.3, 2]", f"stop={{steps={steps}}}"
    truth = real(SCENARIO, *settings, methods="afedpg", time_scale=0.05, quiet=True).results
    log = truth.tickets.query("outcome == 'used'").rename(columns={"finish": "end"})
    tables = calibrate(log[["worker", "start", "end"]], out=tmp_path / "fitted.toml").tables
    again = run(
        SCENARIO | tables, settings[1], methods="afedpg", schedule_only=True, seeds=0, quiet=True
    )
    rounds = [np.diff(found.steps["time"][::size]) for found in (again, truth)]
    seconds = (log["end"] - log["start"]).groupby(log["worker"])
    assert (seconds.min() >= [1 - 1e-9, 1.3 - 1e-9, 2 - 1e-9]).all()
    between = truth.workers["idle"].sum() / (3 * truth.runs["simulated_seconds"][0])
    spread = (seconds.std() / seconds.mean()).max() / np.sqrt(size / 3)
    error = np.median(np.abs(rounds[0] - rounds[1]) / rounds[1])
    assert error <= 0.05 + between + 3 * spread


def test_a_worker_that_dies_comes_back_and_only_some_methods_wait_for_it(monkeypatch, caplog):
    begin = Fleet.begin

    def begin_and_kill(fleet, seed, scale):
        begin(fleet, seed, scale)
        kill = fleet._ray.kill
        threading.Timer(0.3, kill, [fleet._all[2].actor]).start()

    monkeypatch.setattr(Fleet, "begin", begin_and_kill)
    found = real(
        SCENARIO,
        "stop={steps=30}",
        "cluster.compute=[1, 1.5, 4]",
        methods=["rennala-nigt", "synchronous-nigt"],
        time_scale=0.05,
        quiet=True,
    ).results
    assert found.runs["steps"].tolist() == [30, 30]
    assert found.runs["lost"].min() >= 1
    assert verify(found).clean
    goes_on, waits = [line for line in caplog.messages if "worker 2 died" in line]
    assert goes_on.endswith("the method goes on")
    assert waits.endswith("the method waits for it")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("cluster.outages=[{worker=0, begin=1, end=2}]", "cluster.outages: straggle real"),
        ("cluster={workers=1000, compute=1}", "cluster.workers = 1000: this machine has room for"),
        ("methods.fedbuff={buffer=2, step=0.1, local_step=0.1}", "methods.fedbuff: local work"),
        ("cluster.compute=[1, 1, inf]", "methods.malenia-nigt: would wait without end"),
        (
            'network={collective="parameter-server", uplink={bandwidth=1e6}}',
            "network.uplink: a shared uplink",
        ),
    ],
)
def test_a_scenario_that_cannot_be_real_is_refused_in_a_line(setting, message):
    with pytest.raises(Mistake, match=message):
        real(SCENARIO, setting, quiet=True)


def test_without_ray_a_line_names_the_command(monkeypatch):
    monkeypatch.setattr(refusals, "find_spec", lambda name: None)
    with pytest.raises(Mistake, match=r"straggle real: Ray is not installed; .*ray"):
        real(SCENARIO)


def test_a_real_directory_is_not_resumed(raced):
    with pytest.raises(Mistake, match="happened in real time"):
        resume(raced.directory)
