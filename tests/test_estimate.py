"""Are estimates of runs about right, and impossible runs refused?"""

from pathlib import Path

import pytest
from compiled import run_schedules

from simulator.estimate import estimate
from simulator.estimate.rehearsal import rehearse
from simulator.mistakes import Mistake
from simulator.scenario.files import shipped
from simulator.scenario.loading import check, load
from simulator.system import machine

METHOD = {
    "synchronous-pg": {},
    "rennala-pg": {"batch": 7},
    "malenia-pg": {"batch": 9},
    "asynchronous-pg": {},
    "delay-adaptive-pg": {},
    "ringmaster-pg": {"threshold": 100},
    "ringleader-pg": {},
    "mindflayer-pg": {"attempts": 2, "limit": 2.5, "probability": 0.5},
    "fedbuff": {"buffer": 3, "local_steps": 2, "local_step": 0.1},
    "fedsvrpg-m": {"local_steps": 3, "local_step": 0.1, "momentum": 0.5},
}
CLUSTERS = {
    "unequal": {"workers": 4, "compute": [1.0, 1.5, 2.0, 4.0]},
    "chance": {"workers": 12, "compute": {"law": "log-normal", "mean": 2, "sigma": 0.5}},
    "heavy": {"workers": 20, "compute": {"law": "pareto", "minimum": 1, "shape": 2.5}},
    "failing": {
        "workers": 8,
        "compute": 2,
        "failures": {"mean_time_between_failures": 200, "mean_time_to_repair": 20},
    },
    "slower": {
        "workers": 4,
        "compute": 1,
        "speed": {"law": "periodic", "period": 4.0, "times": [0.0, 2.0], "speeds": [1.0, 0.25]},
    },
}
NETWORKS = {
    "free": {},
    "dear": {"upload": 2.0, "download": 0.5},
    "shared": {
        "upload": {"bandwidth": 1e6},
        "collective": "parameter-server",
        "uplink": {"bandwidth": 64.0},
    },
}


def scenario(cluster="unequal", network="free", methods=None, stop=None, **more):
    chosen = METHOD if methods is None else methods
    return check(
        {
            "seeds": [0],
            "cluster": CLUSTERS[cluster] if isinstance(cluster, str) else cluster,
            "network": NETWORKS[network],
            "objective": {"kind": "quadratic", "dimension": 4},
            "stop": stop or {"seconds": 400.0},
            "methods": {name: {"step": 0.1, **table} for name, table in chosen.items()},
            **more,
        }
    )


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_schedules_agree_with_their_estimates(cluster, network):
    """Every method, by simulating it: the aim is a factor of three."""
    asked = scenario(cluster, network)
    printed = estimate.estimate(asked, schedule_only=True).works
    for run in run_schedules(asked):
        found, work = run.accounts, printed[run.method]
        started, used = found.started.sum(), found.used.sum()
        if run.method == "ringleader-pg" and network == "shared":
            assert work.steps >= 0.95 * run.steps  # its queue grows, and it gets slower
            continue
        assert 0.5 <= work.steps / max(1, run.steps) <= 2.5, run.method
        assert 0.5 <= work.used / max(1, used) <= 2.5, run.method
        assert 0.5 <= work.started / max(1, started) <= 2.5, run.method


def test_fixed_times_are_exact():
    """Rennala: 7 gradients of workers that take 1, 1.5, 2 and 4 s are there after 4 s."""
    asked = scenario()
    begun = {name: rehearse(asked, name) for name in METHOD}
    assert begun["rennala-pg"].step_seconds == 4.0  # 4 + 2 + 2 + 1; at 3 s it is 6
    assert begun["synchronous-pg"].step_seconds == 4.0
    assert begun["synchronous-pg"].step_used == 4
    assert begun["fedsvrpg-m"].step_seconds == 12.0
    rate = 1 + 1 / 1.5 + 1 / 2 + 1 / 4
    assert 1 / begun["asynchronous-pg"].step_seconds == pytest.approx(rate, rel=0.02)
    assert begun["mindflayer-pg"].step_used == 2 * 3  # the fourth never is in time


def test_stories_are_listened_to():
    begun = {name: rehearse(scenario(), name).story for name in METHOD}
    alone = {"asynchronous-pg", "delay-adaptive-pg", "ringmaster-pg", "ringleader-pg", "fedbuff"}
    assert {name for name, said in begun.items() if not said.reduces} == alone
    assert {name for name, said in begun.items() if said.keeps} == {"ringleader-pg"}
    assert not any(said.recalls for said in begun.values())


def test_a_run_that_ends_at_once_is_simulated_to_its_end():
    found = rehearse(scenario(stop={"steps": 3}), "rennala-pg")
    assert (found.over, found.steps, found.used, found.seconds) == (True, 3, 21, 12.0)


def test_a_step_that_does_not_close_has_a_bound():
    """Synchronous waits for the last worker, Rennala for its batch."""
    slow = {"workers": 2, "compute": [1.0, 1e9]}
    assert rehearse(scenario(slow), "synchronous-pg").step_seconds == 1e9
    large = scenario(methods={"rennala-pg": {"batch": 1_000_000}})
    rate = 1 + 1 / 1.5 + 1 / 2 + 1 / 4
    assert rehearse(large, "rennala-pg").step_seconds == pytest.approx(1e6 / rate, rel=0.02)


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios_fit(name):
    asked = load(name)
    estimate.check(asked)
    assert all(estimate.lines(asked))


ENDLESS = [
    (["cluster.compute=1e-300"], "stop.seconds = 30000: methods.rennala-nigt would come to 4e+305"),
    (["cluster.compute[0]=1e-300"], "stop.seconds = 30000: methods.rennala-nigt would come to"),
    (
        ["cluster.failures={mean_time_between_failures=1e-9, mean_time_to_repair=1e-9}"],
        "cluster.failures.mean_time_between_failures = 1e-09: methods.rennala-nigt would come to",
    ),
    (
        ['cluster.speed={law="random-walk", every=1e-9, sigma=1, low=0.5, high=2}'],
        "cluster.speed.every = 1e-09: a round of methods.rennala-nigt would come to 20,000,000,000",
    ),
]


@pytest.mark.parametrize(("settings", "message"), ENDLESS)
def test_endless_runs_are_refused(settings, message):
    with pytest.raises(Mistake) as refusal:
        estimate.check(load("one-straggler", settings))
    assert str(refusal.value).startswith(message)
    assert "; straggle run --anyway" in str(refusal.value) or "speed" in settings[0]


def test_an_endless_round_of_one_fast_worker_is_refused():
    """Malenia waits for the slow one, however many steps are asked for."""
    asked = scenario(
        {"workers": 2, "compute": [1e-300, 1.0]},
        methods={"malenia-pg": {"batch": 4}},
        stop={"steps": 1},
    )
    with pytest.raises(Mistake, match=r"^methods.malenia-pg: .* 1e\+300 gradients in one step"):
        estimate.check(asked)


def test_short_times_alone_are_no_mistake():
    estimate.check(
        scenario(
            {"workers": 2, "compute": 1e-300}, methods={"asynchronous-pg": {}}, stop={"steps": 9}
        )
    )


TOO_MUCH = [
    (
        "straggler",
        "evaluation.episodes=2000000000",
        "evaluation.episodes = 2000000000: needs about",
    ),
    (
        "straggler",
        "objective.policy.hidden=[100000, 100000]",
        "objective: 10,000,800,002 parameters",
    ),
    ("one-straggler", "objective.dimension=10000000", "objective: 10,000,000 parameters: needs"),
    ("one-straggler", "stop={gradients=2000000000}", "stop: 6,900,000,000 server steps: needs"),
    ("straggler", "objective.horizon=1000000", "objective.horizon = 1000000: needs about"),
    ("straggler", "objective.episodes=500000", "objective.episodes = 500000: needs about"),
]


@pytest.mark.parametrize(("name", "setting", "message"), TOO_MUCH)
def test_a_run_without_room_is_refused_with_its_largest_part(name, setting, message, monkeypatch):
    monkeypatch.setattr(estimate, "available_bytes", lambda: 8e9)
    estimate.check(load(name))
    with pytest.raises(Mistake) as refusal:
        estimate.check(load(name, [setting]))
    assert str(refusal.value).startswith(message)
    assert "the machine has 8.0 GB to spare" in str(refusal.value)


def test_a_schedule_alone_needs_less(monkeypatch):
    monkeypatch.setattr(estimate, "available_bytes", lambda: 0.6e9)
    asked = load("straggler")
    estimate.check(asked, schedule_only=True)
    with pytest.raises(Mistake, match="to spare"):
        estimate.check(asked)


def test_memory_is_the_least_that_anybody_grants(tmp_path: Path, monkeypatch):
    meminfo, limit, used = (tmp_path / name for name in ("meminfo", "limit", "used"))
    meminfo.write_text("MemTotal: 99 kB\nMemAvailable:    2000 kB\n")
    monkeypatch.setattr(machine, "MEMINFO", meminfo)
    monkeypatch.setattr(machine, "CGROUPS", ((limit, used),))
    assert machine.available_bytes() == 2000 * 1024
    used.write_text("1000000\n")
    limit.write_text("max\n")
    assert machine.available_bytes() == 2000 * 1024
    limit.write_text("1500000\n")
    assert machine.available_bytes() == 500000
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "none")
    limit.unlink()
    assert machine.available_bytes() > 2**20  # of the system
