"""Are the times of a schedule alone those of the full run?  And is nothing else computed?"""

import json
import subprocess
import sys
from functools import cache

import numpy as np
import pandas as pd
import pytest
from compiled import compiled_once, run_scenario, run_schedules
from test_cli import contents, one_line, straggle, written

from simulator.figures import painter
from simulator.results import results
from simulator.scenario.loading import check, load
from simulator.training.dry_run import LOOK, simulate

__all__ = ["compiled_once"]  # the fixture

RANDOM = {"law": "log-normal", "mean": [1.0, 2.0, 4.0, 9.0], "sigma": 0.5}
METHODS = {
    "rennala-pg": {"batch": 5, "initial_batch": 7, "step": 0.1},
    "earliest": {
        "method": "rennala-pg", "batch": 6, "step": 0.1, "count": "earliest-started",
    },
    "malenia-pg": {"batch": 6, "step": 0.1},
    "synchronous-pg": {"step": 0.1},
    "asynchronous-pg": {"step": 0.1},
    "delay-adaptive-pg": {"step": 0.1},
    "ringmaster-pg": {"threshold": 3, "stops": True, "step": 0.1},
    "ringleader-pg": {"step": 0.1},
    "mindflayer-pg": {"attempts": 2, "limit": 3.0, "probability": 0.5, "step": 0.1},
}  # fmt: skip
LOCAL = {
    "fedbuff": {"buffer": 2, "local_steps": 2, "local_step": 0.1, "step": 0.1},
    "fedsvrpg-m": {"local_steps": 1, "local_step": 0.1, "momentum": 0.5, "step": 0.1},
}
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
FEW = {label: METHODS[label] for label in ("rennala-pg", "ringmaster-pg")}


@cache
def both(cluster, objective):
    described = {
        "quadratic": scenario(cluster, QUADRATIC, methods={**METHODS, **LOCAL}),
        "cartpole": scenario(cluster, CARTPOLE, methods=FEW),
    }[objective]
    return list(run_schedules(described)), list(run_scenario(described))


@pytest.mark.parametrize(
    ("cluster", "objective"),
    [
        *((cluster, "quadratic") for cluster in CLUSTERS),
        ("free", "cartpole"),
        pytest.param("failing", "cartpole", marks=pytest.mark.nightly),
        pytest.param("random", "cartpole", marks=pytest.mark.nightly),
    ],
)
def test_the_schedule_is_that_of_the_full_run_to_the_last_bit(cluster, objective):
    dry, full = both(cluster, objective)
    many = len(METHODS) + len(LOCAL) if objective == "quadratic" else len(FEW)
    assert len(dry) == len(full) == 2 * many
    for one, other in zip(dry, full, strict=True):
        assert (one.method, one.seed, one.end) == (other.method, other.seed, other.end)
        assert one.steps > 1
        columns = one.columns()
        for name in columns:
            np.testing.assert_array_equal(columns[name], other.columns()[name])
        for name, mine, theirs in zip(
            one.accounts._fields, one.accounts, other.accounts, strict=True
        ):
            # Who looks adds up the same seconds in another order.
            tolerance = 1e-13 if name in SECONDS else 0
            np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance * one.time)
    if cluster == "failing":
        assert sum(run.accounts.lost.sum() for run in dry) > 0
    if cluster != "free":
        assert dry[0].time != dry[many].time


def test_it_computes_no_gradient_and_looks_at_nothing():
    for run in run_schedules(scenario("free")):
        assert (run.evaluated, run.looks, run.point, run.metrics) == (0, {}, None, ())
        assert not run.environment_steps


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


def test_a_target_ends_no_schedule():
    reached = scenario("free", stop={"steps": 12, "target": 1e9})
    assert {(run.end, run.reached, run.steps) for run in run_schedules(reached)} == {
        ("stop", None, 12)
    }


def test_an_interrupted_schedule_ends_at_its_last_step():
    def interrupt(run):
        raise KeyboardInterrupt

    long, runs = scenario("free", stop={"steps": 200}).restrict(["malenia-pg"], [0]), []
    with pytest.raises(KeyboardInterrupt):
        simulate(long, runs.append, interrupt)
    (run,) = runs
    assert (run.end, run.steps) == ("interrupted", LOOK)
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


def test_a_schedule_leaves_times_and_figures_and_says_what_it_is(tiny, tmp_path):
    out = tmp_path / "o"
    answer = straggle("run", tiny, DRY, "--out", out)
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
        (["network.upload=1"], ["sending"]),
        (["cluster.outages=[{worker=0, begin=5, end=9}]"], ["down"]),
        (["network.download=1", "cluster.outages=[{worker=0, begin=5, end=9}]"],
         ["sending", "down"]),
        (["cluster.outages=[{worker=0, begin=1000}]"], []),
    ],
)  # fmt: skip
def test_the_table_has_a_column_for_what_takes_time(settings, more, tiny, tmp_path, undrawn):
    options = [word for setting in settings for word in ("--set", setting)]
    answer = straggle("run", tiny, DRY, "--out", tmp_path / "o", *options)
    headings, rows = headings_and_rows(answer)
    assert headings == [*ALWAYS, *more, "idle"]
    for row in rows.values():
        shares = [float(cell.rstrip("%")) for cell in row[5:]]
        assert sum(shares) == pytest.approx(100, abs=2)


def test_json_has_null_where_nothing_was_learnt(tiny, tmp_path, undrawn):
    answer = straggle("run", tiny, DRY, "--json", "--out", tmp_path / "o")
    said = json.loads(answer.out, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert (answer.code, answer.err, said["status"]) == (0, "", "complete")
    rennala, synchronous = said["methods"]
    for row in (rennala, synchronous):
        assert row["seconds_to_target"] is row["final_metric"] is row["speed_up"] is None
    assert (synchronous["simulated_seconds"], synchronous["seconds_per_step"]) == (48, 4)
    assert synchronous["idle_share"] == pytest.approx(5 / 12)
    assert rennala["wasted"] == pytest.approx(2 / 3)


LOG_NORMAL = "cluster.compute={law='log-normal', mean=1, sigma=0.5}"
FAILING = "cluster.failures={mean_time_between_failures=9, mean_time_to_repair=1}"
WALK = "cluster.speed={law='random-walk', every=1, sigma=0.5, low=0.5, high=2}"


@pytest.mark.parametrize(
    ("settings", "seeds"),
    [
        ([], [0]),
        (["cluster.compute={law='power', exponent=0.5}"], [0]),
        (["cluster.outages=[{worker=0, begin=5, end=9}]"], [0]),
        (["cluster.speed={law='drift', end=0.5, seconds=9}"], [0]),
        ([LOG_NORMAL], [0, 1]),
        (["cluster.compute={law='two-speed', fast=1.0, slow=3.0}"], [0]),
        (["cluster.compute={law='permuted', of={law='linear', first=1.0, last=9.0}}"], [0, 1]),
        ([LOG_NORMAL, "cluster.seed=3"], [0]),
        ([FAILING], [0, 1]),
        ([WALK], [0, 1]),
        (["network.upload={law='exponential', mean=0.5}"], [0, 1]),
        (["network.upload={bandwidth=9, latency={law='exponential', mean=0.5}}"], [0, 1]),
        (["network.upload={bandwidth=64, latency={law='permuted', of=[1, 2, 9]}}"], [0, 1]),
    ],
)  # fmt: skip
def test_where_nothing_is_random_one_seed_stands_for_all(settings, seeds, tiny, tmp_path, undrawn):
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


def test_a_schedule_that_stalls_ends_with_who_waits_for_whom(tiny, tmp_path, undrawn):
    dead = ["--set", "cluster.compute=[1, 2, inf]"]
    answer = straggle("run", tiny, DRY, "--out", tmp_path / "o", *dead)
    assert answer.code == 3
    told = (
        "synchronous-nigt, seed 0, stalled: synchronous-nigt waits for worker 2, which never "
        "finishes a gradient (its compute time is infinite); this step cannot close without it"
    )
    assert told in answer.out.splitlines()
    found = results.load(tmp_path / "o")
    assert found.manifest["status"] == "failed"
    assert found.runs["end"].tolist() == ["stop", "stalled"]
    _, rows = headings_and_rows(answer)
    assert rows["synchronous-nigt"] == ["0", "0", "–", "0", "–", "–", "–"]  # noqa: RUF001


def test_a_stalled_schedule_is_json_too(tiny, tmp_path, undrawn):
    for name, dead in (("one", "[1, 2, inf]"), ("all", "[inf, inf, inf]")):
        options = ["--json", "--out", tmp_path / name, "--set", f"cluster.compute={dead}"]
        answer = straggle("run", tiny, DRY, *options)
        assert answer.code == 3
        said = json.loads(answer.out, parse_constant=lambda word: pytest.fail(word))
        assert said["status"] == "failed"
        assert said["methods"][1]["seconds_per_step"] is None


def test_who_left_for_ever_is_named(tiny, tmp_path, undrawn):
    left = ["--set", "cluster.outages=[{worker=1, begin=6}]"]
    answer = straggle("run", tiny, DRY, "--out", tmp_path / "o", *left)
    assert answer.code == 3
    (told,) = [line for line in answer.out.splitlines() if "stalled: " in line]
    assert told == (
        "synchronous-nigt, seed 0, stalled: synchronous-nigt waits for worker 1, which left for "
        "ever at 6 s; this step cannot close without it"
    )


def test_evaluating_a_schedule_is_a_mistake(tiny, tmp_path, undrawn):
    straggle("run", tiny, DRY, "--quiet", "--out", tmp_path / "o")
    line = one_line(straggle("evaluate", tmp_path / "o"))
    assert "holds schedules alone" in line


def test_times_that_come_from_episodes_cannot_be_had_without_them(tiny, tmp_path):
    cartpole = "objective={kind='policy-gradient', environment='CartPole-v1'}"
    options = ["--set", cartpole, "--set", "cluster.per=environment-step"]
    line = one_line(straggle("run", tiny, DRY, "--out", tmp_path / "o", *options))
    assert line == (
        "--schedule-only: cluster.per = 'environment-step' takes its times from the episodes, "
        "which have to be played; run it without"
    )
    assert not (tmp_path / "o").exists()


def test_the_steps_are_those_that_a_full_run_writes(tiny, tmp_path, undrawn):
    for name, more in (("dry", [DRY]), ("full", ["--seeds", "0"])):
        straggle("run", tiny, "--quiet", "--tickets", "--out", tmp_path / name, *more)
    dry, full = (results.load(tmp_path / name) for name in ("dry", "full"))
    pd.testing.assert_frame_equal(dry.steps, full.steps[dry.steps.columns], check_exact=True)
    pd.testing.assert_frame_equal(dry.workers, full.workers, check_exact=True)
    pd.testing.assert_frame_equal(dry.tickets, full.tickets, check_exact=True)
    assert dry.scenario.methods == full.scenario.methods


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
