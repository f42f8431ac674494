"""Is a cluster recovered from its own log?  Logs are tickets of the engine, without gradients."""

import json
import tomllib

import numpy as np
import pandas as pd
import pytest

from simulator import Mistake, calibrate, load, run
from simulator.cli.command_line import run_command
from simulator.scenario.loading import check

ERRORS = 3.0
REST = {
    "objective": {"kind": "quadratic"},
    "stop": {"steps": 5},
    "methods": {"asynchronous-pg": {"step": 0.1}},
}


def log_of(scenario, *settings):
    """The finished computations of a scenario whose workers never wait and are never stopped."""
    found = run(scenario, *settings, methods="afedpg", seeds=1, schedule_only=True, tickets=True,
                quiet=True, anyway=True)  # fmt: skip
    tickets = found.tickets
    done = tickets[tickets["outcome"].isin(["used", "dropped"])]
    return done[["worker", "start", "finish"]].rename(columns={"finish": "end"})


def chosen(found, kind="compute"):
    rows = found.candidates.query("kind == @kind and chosen")
    return rows.iloc[0]


def near(found, wanted):
    """Whether every scale is within three standard errors of what is wanted."""
    scale, error = np.array(found["scale"]), np.array(found["scale_error"])
    return (np.abs(scale - wanted) < ERRORS * error).all()


def test_two_speeds_are_recovered_exactly():
    found = calibrate(log_of("two-speed", "stop={seconds=100}"))
    two = {"law": "two-speed", "fast": 1.0, "slow": 10.0, "slow_share": 0.5}
    assert found.tables == {"cluster": {"workers": 20, "compute": two}}
    listed = "cluster.compute=[3,1,2,2]", "cluster.workers=4", "stop={seconds=50}"
    assert calibrate(log_of("two-speed", *listed)).tables["cluster"]["compute"] == [3, 1, 2, 2]


LAWS = {
    "pareto": ('cluster.compute={law="pareto", minimum=1, shape=1.5}', "all", [1.0], 1.5),
    "exponential": ('cluster.compute={law="exponential", mean=2}', "all", [2.0], None),
    "gamma": (
        'cluster.compute={law="gamma", mean={law="two-speed", fast=1, slow=3}, shape=4}',
        "two", [1.0, 3.0], 4.0,
    ),
    "log-normal": (
        'cluster.compute={law="log-normal", mean={law="linear", first=1, last=4}, sigma=0.5}',
        "each", np.linspace(1, 4, 8), 0.5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_a_law_and_its_parameters_are_recovered(law):
    setting, groups, scale, shape = LAWS[law]
    log = log_of("heavy-tail", "cluster.workers=8", setting, "stop={seconds=400}")
    fit = chosen(calibrate(log))
    assert (fit["law"], fit["groups"]) == (law, groups)
    assert near(fit, scale)
    if shape is not None:
        assert abs(fit["shape"] - shape) < ERRORS * fit["shape_error"]
    alone = log.assign(seconds=log["end"] - log["start"])[["worker", "seconds"]]
    assert chosen(calibrate(alone))["law"] == law


def test_day_and_night_become_a_trace_of_speeds(tmp_path):
    workers, night = 3, 28_800
    log = log_of("day-and-night", f"cluster.workers={workers}", "stop={seconds=200_000}")
    found = calibrate(log, out=tmp_path / "found.toml")
    cluster = load({**REST, **found.tables}).build_cluster()
    true = load("day-and-night", f"cluster.workers={workers}").build_cluster()
    assert found.tables["cluster"]["compute"] == 600
    assert set(pd.read_csv(tmp_path / "found-speed.csv").groupby("worker")["speed"].max()) == {1.0}
    for worker in range(workers):
        for start in (0.0, night - 9000.0, 40_000.0, 86_400.0 + night, 150_000.0):
            wanted = true.pace(0).finish(worker, start, 600.0)
            assert cluster.pace(0).finish(worker, start, 600.0) == pytest.approx(wanted, abs=6000)
    ends = log.groupby("worker")["end"].last()
    done = [cluster.pace(0).work(worker, ends[worker]) for worker in range(workers)]
    assert done == pytest.approx(600 * log.groupby("worker").size().to_numpy(), rel=1e-3)


def test_failures_are_recovered_and_planned_outages_are_listed():
    log = log_of("flaky", "cluster.workers=10", "stop={seconds=10_000}")
    failures = calibrate(log).found.failures
    assert abs(failures.between - 600) < ERRORS * failures.between_error
    assert abs(failures.repair - 60) < ERRORS * failures.repair_error
    outages = [{"worker": 0, "begin": 100.0, "end": 180.0}, {"worker": 1, "begin": 200.0},
               {"worker": 2, "begin": 0.0, "end": 50.0}]  # fmt: skip
    given = "cluster.outages=[" + ", ".join(
        "{" + ", ".join(f"{key}={value}" for key, value in each.items()) + "}" for each in outages
    ) + "]"  # fmt: skip
    plain = "cluster={workers=5, compute=4}", "stop={seconds=400}"
    assert calibrate(log_of("flaky", *plain, given)).tables["cluster"]["outages"] == outages


def test_workers_that_wait_for_others_are_not_absent():
    settings = "cluster={workers=4, compute=[1,1,2,30]}", "stop={seconds=400}"
    found = run("flaky", *settings, methods="synchronous-nigt", seeds=0, schedule_only=True,
                tickets=True, quiet=True)  # fmt: skip
    log = found.tickets.query("outcome == 'used'")[["worker", "start", "finish"]]
    tables = calibrate(log.rename(columns={"finish": "end"})).tables
    assert tables == {"cluster": {"workers": 4, "compute": [1.0, 1.0, 2.0, 30.0]}}


def test_seconds_of_no_law_are_drawn_again_and_transfers_make_a_network(tmp_path):
    rng = np.random.default_rng(3)
    seconds = np.where(rng.random(400) < 0.3, 20, 1) * rng.gamma(50, 0.02, 400)
    rows = {"worker": ["b", "a"] * 200, "seconds": seconds, "kind": "compute"}
    uploads = {"worker": ["b", "a"] * 200, "seconds": rng.gamma(2, 0.5, 400), "kind": "upload"}
    log = tmp_path / "log.csv"
    pd.concat([pd.DataFrame(rows), pd.DataFrame(uploads)]).to_csv(log, index=False)
    assert run_command(["calibrate", str(log), "--out", str(tmp_path / "mine.toml")]) == 0
    tables = tomllib.loads((tmp_path / "mine.toml").read_text())
    assert tables["cluster"]["compute"] == {"law": "empirical", "file": "mine-compute.csv"}
    assert tables["network"]["upload"]["law"] == "gamma"
    assert (tmp_path / "mine.png").stat().st_size > 1000
    drawn = check({**REST, **tables}, tmp_path).build_cluster().computations(0)
    assert [each[0] for each in drawn.extremes()] == pytest.approx([seconds.min(), seconds.max()])


def test_a_timeline_has_a_row_per_complete_event(tmp_path, capsys):
    events = [
        {"ph": "X", "name": "task::step", "cat": "task", "pid": host, "tid": tid,
         "ts": 1e6 * at * (tid + 1) - 5e6, "dur": 1e6 * (tid + 1)}
        for host in ("10.0.0.10", "10.0.0.2") for tid in (0, 1) for at in range(20)
    ]  # fmt: skip
    idle = [{"ph": "X", "name": "idle", "pid": 1, "tid": 1, "ts": 0, "dur": 5}, {"ph": "M"}]
    file = tmp_path / "trace.json"
    for text in (events + idle, {"traceEvents": events + idle}):
        file.write_text(json.dumps(text))
        out = str(tmp_path / "c.toml")
        asked = ["calibrate", str(file), "--name", "::step$", "--out", out, "--figures", "none"]
        assert run_command([*asked, "--json"]) == 0
        data = json.loads(capsys.readouterr().out)
        assert data["workers"] == ["10.0.0.2/0", "10.0.0.2/1", "10.0.0.10/0", "10.0.0.10/1"]
        assert data["tables"]["cluster"] == {"workers": 4, "compute": [1.0, 2.0, 1.0, 2.0]}
    with pytest.raises(Mistake, match=r"no complete event matches --name stop; its events are: "):
        calibrate(file, name="stop")


TIMED = "worker,start,end\n"
COLUMNS = "must have the columns worker, start and end, or worker and seconds"
WRONG = {
    "worker,begin,end\n0,1,2\n": f": {COLUMNS}; start is missing in 'worker,begin,end'",
    "worker,secnds\n0,1\n": f": {COLUMNS}; seconds is missing in 'worker,secnds'",
    "worker,seconds\n": ": has no rows: a log needs at least two of each worker",
    "worker,seconds\n0,1\n0,-2\n": ", row 2: seconds = -2: must be 0 or more",
    "worker,seconds\n0,1\n0,\n": ", row 2: seconds is missing: must be a number of seconds",
    "worker,seconds\n0,1\n,2\n": ", row 2: worker is missing: must be a number or a name",
    "worker,seconds\n0,1\n0,fast\n": ", row 2: seconds = 'fast': must be a number of seconds",
    "worker,seconds\n0,1\n0,0\n": ", row 2: lasts 0 seconds: must be more than 0, at most 1e+18",
    "worker,seconds\n0,1\n0,1\n1,2\n": ": worker 1 has one row of compute: how its times vary "
    "cannot be known; log at least two, or leave the worker out",
    TIMED + "0,1,2\n0,5,4\n": ", row 2: end = 4 is before start = 5: the clock jumped; leave "
    "such rows out",
    TIMED + "0,1,3\n1,0,9\n0,2,4\n": ", row 3: worker 0 starts at 2 before row 1 ends at 3: rows "
    "of one worker must not overlap: did its clock jump?",
    "worker,seconds,kind\n0,1,compute\n0,1,uplod\n": ", row 2: kind = 'uplod': did you mean "
    "'upload'?",
    "worker,seconds,kind\n0,1,upload\n0,1,upload\n": ": has no row of kind compute: a cluster "
    "needs seconds to compute",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_in_a_log_is_one_line(text, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(text)
    with pytest.raises(Mistake) as caught:
        calibrate(log)
    assert str(caught.value) == f"{log}{WRONG[text]}"
