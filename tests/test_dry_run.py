"""Are the times of a schedule alone those of the full run?  And is nothing else computed?"""

import json
import subprocess
import sys

import numpy as np
import pytest
from compiled import compiled_once, run_scenario, run_schedules
from test_cli import contents, one_line, straggle, written

from simulator.figures import painter
from simulator.results import results
from simulator.scenario.loading import check, load
from simulator.training.dry_run import EVERY_STEPS, simulate

__all__ = ["compiled_once"]  # the fixture

RANDOM = {"law": "log-normal", "mean": [1.0, 2.0, 4.0, 9.0], "sigma": 0.5}
SECONDS = ("busy", "communicating", "down", "idle", "wasted")
QUADRATIC = {"kind": "quadratic", "dimension": 4}
CARTPOLE = {
    "kind": "policy-gradient",
    "environment": "CartPole-v1",
    "horizon": 6,
    "policy": {"hidden": [4]},
}
FAILURES = {"mean_time_between_failures": 30.0, "mean_time_to_repair": 5.0}
CLUSTERS = {
    "free": ({"compute": [1.0, 2.0, 4.0, 9.0]}, {}),
    "random": ({"compute": RANDOM, "in_flight": "finish"}, {"upload": 0.5, "download": 0.25}),
    "failing": (
        {
            "compute": RANDOM,
            "failures": FAILURES,
            "speed": {"law": "periodic", "period": 9.0, "times": [0.0, 4.0], "speeds": [1.0, 0.5]},
        },
        # What a transfer takes depends on the size of the objective's points.
        {"upload": {"bandwidth": 64.0, "latency": 0.1}, "collective": "ring"},
    ),
}


def scenario(cluster, objective=QUADRATIC, **tables):
    compute, network = CLUSTERS[cluster]
    plain = {
        "seeds": [0, 5],
        "cluster": {"workers": 4, **compute},
        "network": network,
        "objective": objective,
        "evaluation": {"every_steps": 3, "episodes": 2},
        "stop": {"seconds": 60.0, "steps": 12},
        "methods": METHODS,
        **tables,
    }
    return check(plain)


# The same as the full run


# Episodes take long to compile: one method that waits, and one that acts at once.


METHODS = {
    "rennala-pg": {"batch": 5, "initial_batch": 7, "step": 0.1},
    "earliest": {"method": "rennala-pg", "batch": 6, "step": 0.1, "count": "earliest-started"},
    "synchronous-pg": {"step": 0.1},
    "asynchronous-pg": {"step": 0.1},
    "ringmaster-pg": {"threshold": 3, "stops": True, "step": 0.1},
    "ringleader-pg": {"step": 0.1},
    "mindflayer-pg": {"attempts": 2, "limit": 3.0, "probability": 0.5, "step": 0.1},
    "fedbuff": {"buffer": 2, "local_steps": 2, "local_step": 0.1, "step": 0.1},
}
# Episodes take long to compile: one method that waits, and one that acts at once.
FEW = {label: METHODS[label] for label in ("rennala-pg", "ringmaster-pg")}


@pytest.mark.parametrize(
    ("cluster", "objective"),
    [
        *((cluster, QUADRATIC) for cluster in CLUSTERS),
        ("free", CARTPOLE),
        pytest.param("failing", CARTPOLE, marks=pytest.mark.nightly),
    ],
)
def test_the_schedule_is_that_of_the_full_run_to_the_last_bit(cluster, objective):
    methods = METHODS if objective is QUADRATIC else FEW
    described = scenario(cluster, objective, methods=methods)
    dry, full = list(run_schedules(described)), list(run_scenario(described))
    assert len(dry) == len(full) == 2 * len(methods)
    for one, other in zip(dry, full, strict=True):
        assert (one.method, one.seed, one.end) == (other.method, other.seed, other.end)
        assert (one.evaluated, one.evaluations, one.point, one.metrics) == (0, {}, None, ())
        assert one.steps > 1
        columns = one.columns()
        for name in columns:
            np.testing.assert_array_equal(columns[name], other.columns()[name])
        accounts = zip(one.accounts._fields, one.accounts, other.accounts, strict=True)
        for name, mine, theirs in accounts:
            # An evaluation adds up the same seconds in another order.
            tolerance = 1e-13 if name in SECONDS else 0
            np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * one.time)
    if cluster == "failing":
        assert sum(run.accounts.lost.sum() for run in dry) > 0
    if cluster != "free":
        assert dry[0].time != dry[len(methods)].time


def test_an_objective_counts_by_its_size_alone():
    """Twice the bytes on the same wire take twice as long, and nothing else changes."""
    stop = {"steps": 3}
    methods = {"synchronous-pg": {"step": 0.1}}
    network = {"upload": {"bandwidth": 16.0}}
    small, large = (
        scenario("free", QUADRATIC | {"dimension": d}, stop=stop, methods=methods, network=network)
        for d in (4, 8)
    )
    (one,), (two,) = (list(run_schedules(each.restrict(None, [0]))) for each in (small, large))
    assert list(one.times) == [(9 + 2) * k for k in (1, 2, 3)]
    assert list(two.times) == [(9 + 4) * k for k in (1, 2, 3)]


def test_an_interrupted_schedule_ends_at_its_last_step():
    def interrupt(run):
        raise KeyboardInterrupt

    long, runs = scenario("free", stop={"steps": 200}).restrict(["rennala-pg"], [0]), []
    with pytest.raises(KeyboardInterrupt):
        simulate(long, runs.append, interrupt)
    (run,) = runs
    assert (run.end, run.steps) == ("interrupted", EVERY_STEPS)
    assert run.accounts.time == run.time


# From the command line

TINY = """
title = "tiny"
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 4 }
stop = { steps = 12 }
[methods.rennala-nigt]
batch = 2
step = 0.1
momentum = 0.5
[methods.synchronous-nigt]
step = 0.1
momentum = 0.5
"""
DRY = "--schedule-only"


@pytest.fixture
def tiny(tmp_path):
    return written(tmp_path / "tiny.toml", TINY)


@pytest.fixture
def undrawn(monkeypatch):
    honest = painter.Painter
    monkeypatch.setattr(painter, "Painter", lambda formats: honest(()))


def test_a_schedule_leaves_times_and_figures_and_is_marked(tiny, tmp_path):
    out = tmp_path / "o"
    target = ["--set", "stop={steps=12, target=1e9}"]  # which ends no schedule
    answer = straggle("run", tiny, DRY, "--out", out, *target)
    assert answer.code == 0
    files = {path.relative_to(out).as_posix() for path in contents(out)}
    figures = {"figures/steps-time.png", "figures/timeline.png"}
    assert files == {"manifest.json", "steps.parquet", "workers.parquet", *figures}
    found = results.load(out)
    assert (found.schedule_only, found.manifest["status"]) == (True, "complete")
    assert found.runs["evaluated"].tolist() == [0, 0]
    assert found.runs["used"].tolist() == [24, 36]
    ours = [line for line in answer.err.splitlines() if line.startswith("straggle: ")]
    assert ours == ["straggle: the times are the same for every seed, so one is simulated"]
    assert "holds schedules alone" in one_line(straggle("evaluate", out))


def headings_and_rows(answer):
    cells = {
        mark: [
            [cell.strip() for cell in line.strip(mark).split(mark)]
            for line in answer.out.splitlines()
            if line.startswith(mark)
        ]
        for mark in "┃│"
    }
    # Where there are many columns a heading takes two lines.
    headings = [" ".join(words).strip() for words in zip(*cells["┃"], strict=True)]
    return headings, {row[0]: row[1:] for row in cells["│"]}


ALWAYS = ["method", "simulated seconds", "server steps", "seconds per step", "gradients used",
          "work wasted", "busy"]  # fmt: skip


def test_the_table_is_of_times(tiny, tmp_path, undrawn):
    answer = straggle("run", tiny, DRY, "--out", tmp_path / "o")
    headings, rows = headings_and_rows(answer)
    assert headings == [*ALWAYS, "idle"]
    # Workers of 1, 2 and 4 seconds.  Rennala closes every 2 s with two gradients of the first;
    # the second's is done at that moment, too late, and the third's never is: 4 s of 6 in vain.
    assert rows == {
        "rennala-nigt": ["24", "12", "2", "24", "67%", "100%", "0%"],
        "synchronous-nigt": ["48", "12", "4", "36", "0%", "58%", "42%"],
    }
    assert answer.out.splitlines()[0].strip() == "tiny: 12 server steps"
    for word in ("speed-up", "target", "gap"):
        assert word not in answer.out


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        (["network.download=1", "cluster.outages=[{worker=0, begin=5, end=9}]"],
         ["sending", "down"]),
        (["cluster.outages=[{worker=0, begin=1000}]"], []),
    ],
)  # fmt: skip
def test_the_table_has_a_column_for_each_use_of_time(settings, more, tiny, tmp_path, undrawn):
    options = [word for setting in settings for word in ("--set", setting)]
    answer = straggle("run", tiny, DRY, "--out", tmp_path / "o", *options)
    headings, rows = headings_and_rows(answer)
    assert headings == [*ALWAYS, *more, "idle"]
    for row in rows.values():
        shares = [float(cell.rstrip("%")) for cell in row[5:]]
        assert sum(shares) == pytest.approx(100, abs=2)


LOG_NORMAL = "cluster.compute={law='log-normal', mean=1, sigma=0.5}"
FAILING = "cluster.failures={mean_time_between_failures=9, mean_time_to_repair=1}"
WALK = "cluster.speed={law='random-walk', every=1, sigma=0.5, low=0.5, high=2}"


@pytest.mark.parametrize(
    ("settings", "seeds"),
    [
        ([], [0]),
        (["cluster.outages=[{worker=0, begin=5, end=9}]"], [0]),
        (["cluster.speed={law='drift', end=0.5, seconds=9}"], [0]),
        ([LOG_NORMAL], [0, 1]),
        (["cluster.compute={law='two-speed', fast=1.0, slow=3.0}"], [0]),
        (["cluster.compute={law='permuted', of={law='linear', first=1.0, last=9.0}}"], [0, 1]),
        ([LOG_NORMAL, "cluster.seed=3"], [0]),
        ([FAILING], [0, 1]),
        ([WALK], [0, 1]),
        (["network.upload={bandwidth=9, latency={law='exponential', mean=0.5}}"], [0, 1]),
    ],
)  # fmt: skip
def test_without_randomness_one_seed_stands_for_all(settings, seeds, tiny, tmp_path, undrawn):
    options = [word for setting in settings for word in ("--set", setting)]
    assert straggle("run", tiny, DRY, "--quiet", "--out", tmp_path / "o", *options).code == 0
    steps = results.load(tmp_path / "o").steps
    assert steps["seed"].unique().tolist() == seeds
    # Simulate both seeds to see that the claim is true.
    first, second = (
        [
            (list(run.times), run.accounts.busy.tolist(), run.accounts.communicating.tolist())
            for run in run_schedules(load(tiny, settings).restrict(None, [seed]))
        ]
        for seed in (0, 1)
    )
    assert (first == second) == (len(seeds) == 1)


STALLS = {
    "cluster.compute=[1, 2, inf]": "synchronous-nigt waits for worker 2, which never finishes a "
    "gradient (its compute time is infinite); this step cannot close without it",
    "cluster.outages=[{worker=1, begin=6}]": "synchronous-nigt waits for worker 1, which left "
    "permanently at 6 s; this step cannot close without it",
}


@pytest.mark.parametrize("setting", STALLS)
def test_a_schedule_that_stalls_names_the_worker_it_waits_for(setting, tiny, tmp_path, undrawn):
    words = ["run", tiny, DRY, "--set", setting, "--out"]
    answer = straggle(*words, tmp_path / "o")
    assert answer.code == 3
    message = f"synchronous-nigt, seed 0, stalled: {STALLS[setting]}"
    assert message in answer.out.splitlines()
    found = results.load(tmp_path / "o")
    assert found.manifest["status"] == "failed"
    assert found.runs["end"].tolist() == ["stop", "stalled"]
    answer = straggle(*words, tmp_path / "json", "--json")
    said = json.loads(answer.out, parse_constant=pytest.fail)
    assert (answer.code, said["status"]) == (3, "failed")
    rennala = said["methods"][0]
    assert rennala["seconds_to_target"] is rennala["final_metric"] is rennala["speed_up"] is None


def test_times_that_come_from_episodes_cannot_be_had_without_them(tiny, tmp_path):
    cartpole = "objective={kind='policy-gradient', environment='CartPole-v1'}"
    options = ["--set", cartpole, "--set", "cluster.per=environment-step"]
    line = one_line(straggle("run", tiny, DRY, "--out", tmp_path / "o", *options))
    assert line == (
        "--schedule-only: cluster.per = 'environment-step' takes its times from the episodes, "
        "which have to be played; run it without"
    )
    assert not (tmp_path / "o").exists()


# Without JAX

REPORTING = """
import json, sys
from simulator.cli import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["straggle", *arguments]
    try:
        main()
    except SystemExit as end:
        jax = [name for name in sys.modules if name.split(".")[0] in ("jax", "jaxlib")]
        print("ended:", json.dumps([end.code, jax]))
"""
ACROBOT = "objective={kind='policy-gradient', environment='Acrobot-v1'}"
OWN = "objective={kind='policy-gradient', environment='CartPole-v1'}"


BANDWIDTH = "network.upload={bandwidth=1e6}"
UNDRAWN = ["--figures", "none"]
WITHOUT_JAX = {
    "figures": ([], 0),
    "our environment": (["--set", OWN, "--set", BANDWIDTH, *UNDRAWN], 0),
    "gymnasium": (["--set", ACROBOT, "--set", BANDWIDTH, *UNDRAWN], 0),
    "everything random": (
        ["--set", LOG_NORMAL, "--set", FAILING, "--set", WALK, "--tickets", *UNDRAWN],
        0,
    ),
    "stalled": (["--set", "cluster.compute=[1, 2, inf]", "--json"], 3),
}


def test_a_schedule_never_imports_jax(tiny, tmp_path):
    """All commands in one fresh interpreter, which reports after each."""
    commands = [
        ["run", str(tiny), DRY, "--out", str(tmp_path / name), *settings]
        for name, (settings, _) in WITHOUT_JAX.items()
    ]
    asked = [sys.executable, "-c", REPORTING, json.dumps(commands)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    ended = [line for line in done.stdout.splitlines() if line.startswith("ended:")]
    assert ended == [f"ended: [{code}, []]" for _, code in WITHOUT_JAX.values()], done.stderr
    for name, (settings, _) in WITHOUT_JAX.items():
        drawn = (tmp_path / name / "figures" / "timeline.png").exists()
        assert drawn == (settings[-2:] != UNDRAWN)
