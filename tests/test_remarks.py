"""Are settings without effect reported, in these words, and no others?"""

import copy

import pytest
from test_cli import straggle, written

from simulator.estimate.remarks import remarks
from simulator.scenario.files import shipped
from simulator.scenario.loading import check, load
from simulator.scenario.paths import override

NIGT = {"step": 0.1, "momentum": 0.5}
RENNALA = {"rennala-nigt": {"batch": 2, **NIGT}}
GREEDY = {"afedpg": NIGT, "asynchronous-pg": {"step": 0.1}}
ANYBODY = RENNALA | GREEDY


def scenario(*settings, methods=ANYBODY):
    plain = {
        "seeds": [0, 1],
        "cluster": {"workers": 3, "compute": [1.0, 2.0, 4.0]},
        "objective": {"kind": "quadratic", "dimension": 4},
        "stop": {"seconds": 100.0},
        "methods": copy.deepcopy(methods),
    }
    for setting in settings:
        override(plain, setting)
    return check(plain)


def speed(law):
    return f"cluster.speed={{law={law}}}"


NO_REDUCE = "no method of this scenario does an all-reduce"
NO_REPLACEMENT = "no method of this scenario replaces an order that is being followed"
UPLOAD, UPLINK = "network.upload=0.5", "network.uplink={bandwidth=9.0}"
RANDOM = "cluster.compute={law='log-normal', mean=1, sigma=0.5}"
NEVER_VARIES = "cluster.compute={law='log-normal', mean=1, sigma=0}"
NO_CHANCE = "chance changes nothing with these numbers"
FAILURES = "cluster.failures={mean_time_between_failures=9, mean_time_to_repair=1}"
OUTAGE = "cluster.outages=[{worker=0, begin=1, end=2}]"
ALWAYS_ONE = "has no effect, it is always 1"
NOTHING_RANDOM = "cluster.seed: has no effect, nothing is random about the times"

# What is said in vain, and next to each what is not.
CASES = [
    ([], ANYBODY, []),
    (["network.message_bytes=9", UPLOAD], ANYBODY,
     ["network.message_bytes: has no effect, no link has a bandwidth"]),
    (["network={message_bytes=9, download={bandwidth=9}}"], ANYBODY, []),
    # Collectives
    (["network.collective=gather", UPLOAD], GREEDY,
     [f"network.collective = 'gather': has no effect, {NO_REDUCE}"]),
    (["network.collective=gather", UPLOAD], ANYBODY, []),
    (["network.collective=max", UPLOAD], GREEDY, []),
    (["network.collective=ring", UPLOAD], GREEDY,
     [f"network.collective = 'ring': has no effect, {NO_REDUCE}"]),
    (["network.collective=ring"], ANYBODY,
     ["network.collective = 'ring': has no effect without network.upload"]),
    (["network.collective=tree"], RENNALA,
     ["network.collective = 'tree': has no effect without network.upload"]),
    (["network.collective=tree", UPLOAD], RENNALA, []),
    # A parameter server's uplink is passed by every upload, of an all-reduce or not.
    (["network.collective=parameter-server", UPLINK], RENNALA, []),
    (["network.collective=parameter-server", UPLINK], GREEDY, []),
    # In flight
    (["cluster.in_flight=finish"], GREEDY,
     [f"cluster.in_flight = 'finish': has no effect, {NO_REPLACEMENT}"]),
    (["cluster.in_flight=finish"], ANYBODY, []),
    (["cluster.in_flight=recall"], GREEDY, []),
    (["cluster.in_flight=finish", "network.collective=tree"], GREEDY,
     [f"network.collective = 'tree': has no effect, {NO_REDUCE}",
      f"cluster.in_flight = 'finish': has no effect, {NO_REPLACEMENT}"]),
    # Laws of durations
    ([NEVER_VARIES], ANYBODY,
     [f"cluster.compute.law = 'log-normal': has no effect, {NO_CHANCE}"]),
    ([RANDOM], ANYBODY, []),
    (["cluster.compute={law='power', exponent=0.0, scale=2.0}"], ANYBODY,
     ["cluster.compute.law = 'power': has no effect, it gives every worker 2 s"]),
    (["cluster.compute={law='power', exponent=0.5}"], ANYBODY, []),
    (["cluster.compute={law='power', exponent=0.5}", "cluster.workers=1"], ANYBODY, []),
    (["cluster.compute={law='linear', first=3.0, last=3.0}"], ANYBODY,
     ["cluster.compute.law = 'linear': has no effect, it gives every worker 3 s"]),
    (["cluster.compute={law='fixed', seconds=2.0}"], ANYBODY, []),
    (["cluster.compute=[2, 2, 2]"], ANYBODY, []),
    (["network.upload={law='power', exponent=0.0}"], ANYBODY,
     ["network.upload.law = 'power': has no effect, it gives every worker 1 s"]),
    (["network.download={law='gamma', mean=0.0, shape=2.0}"], ANYBODY,
     [f"network.download.law = 'gamma': has no effect, {NO_CHANCE}"]),
    (["network.upload={bandwidth=[9, 9, 9]}"], ANYBODY, []),
    # Speeds
    ([speed("'table', times=[0], speeds=[1]")], ANYBODY,
     [f"cluster.speed.law = 'table': {ALWAYS_ONE}"]),
    ([speed("'table', times=[0, 50], speeds=[1, 0.5]")], ANYBODY, []),
    ([speed("'table', times=[0], speeds=[[1], [1], [0.5]]")], ANYBODY, []),
    ([speed("'table', times=[0, 200], speeds=[1, 0.5]")], ANYBODY,
     [f"cluster.speed.law = 'table': {ALWAYS_ONE}"]),
    # A hiccup of half a second, between two looks.
    ([speed("'table', times=[0, 2.7, 3.1], speeds=[1, 0, 1]")], ANYBODY, []),
    ([speed("'drift', end=1, seconds=10")], ANYBODY,
     [f"cluster.speed.law = 'drift': {ALWAYS_ONE}"]),
    ([speed("'drift', end=0.5, seconds=10")], ANYBODY, []),
    ([speed("'periodic', period=10, times=[0, 5], speeds=[1, 1]")], ANYBODY,
     [f"cluster.speed.law = 'periodic': {ALWAYS_ONE}"]),
    ([speed("'periodic', period=10, times=[0, 5], speeds=[1, 0.5]")], ANYBODY, []),
    ([speed("'random-walk', every=5, sigma=0, low=0.5, high=2")], ANYBODY,
     [f"cluster.speed.law = 'random-walk': {ALWAYS_ONE}"]),
    ([speed("'random-walk', every=5, sigma=0.5, low=1, high=1")], ANYBODY,
     [f"cluster.speed.law = 'random-walk': {ALWAYS_ONE}"]),
    ([speed("'random-walk', every=5, sigma=0.5, low=0.5, high=2")], ANYBODY, []),
    # Outages
    (["cluster.in_outage=continued"], ANYBODY,
     ["cluster.in_outage = 'continued': has no effect without outages"]),
    (["cluster.in_outage=continued", OUTAGE], ANYBODY, []),
    (["cluster.in_outage=continued", FAILURES], ANYBODY, []),
    (["cluster.in_outage=lost"], ANYBODY, []),
    # Seeds
    (["cluster.seed=3"], ANYBODY, [NOTHING_RANDOM]),
    (["cluster.seed=3", OUTAGE], ANYBODY, [NOTHING_RANDOM]),
    (["cluster.seed=3", RANDOM], ANYBODY, []),
    (["cluster.seed=3", FAILURES], ANYBODY, []),
    (["cluster.seed=3", "network.upload={law='exponential', mean=0.5}"], ANYBODY, []),
    (["cluster.seed=3", "network.upload={bandwidth=9, latency={law='exponential', mean=0.5}}"],
     ANYBODY, []),
    (["cluster.seed=3", "cluster.compute={law='permuted', of=[1, 2, 3]}"], ANYBODY, []),
    (["cluster.seed=3", speed("'random-walk', every=5, sigma=0.5, low=0.5, high=2")],
     ANYBODY, []),
]  # fmt: skip


def name_of(case):
    settings, methods, _ = case
    return f"{' '.join(settings)[:60]}, {'+'.join(methods)}"


@pytest.mark.parametrize(("settings", "methods", "message"), CASES, ids=map(name_of, CASES))
def test_only_settings_without_effect_are_reported(settings, methods, message):
    assert remarks(scenario(*settings, methods=methods)) == message


@pytest.mark.parametrize("name", shipped())
def test_the_shipped_scenarios_have_no_setting_without_effect(name):
    assert remarks(load(name)) == []


# It is a warning: work goes on

TINY = """
seeds = [0]
cluster = { workers = 2, compute = 1, in_outage = "continued", seed = 3 }
objective = { kind = "quadratic", dimension = 4 }
stop = { steps = 2 }
methods.asynchronous-pg = { step = 0.1 }
"""


def test_the_command_line_says_it_on_standard_error_and_goes_on(tmp_path):
    file = written(tmp_path / "tiny.toml", TINY)
    warnings = [
        "straggle: warning: cluster.in_outage = 'continued': has no effect without outages",
        f"straggle: warning: {NOTHING_RANDOM}",
    ]
    checked = straggle("validate", file)
    assert (checked.code, checked.err.splitlines()) == (0, warnings)
    assert checked.out.startswith(f"{file}: valid")
    message = straggle("run", file, "--schedule-only", "--json", "--out", tmp_path / "o")
    assert (message.code, message.err.splitlines()) == (0, warnings)
