"""What does a scenario accept, what does it refuse, and in which words?"""

import json
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from compiled import run_in
from jsonschema import Draft202012Validator

from algorithms.methods import METHODS
from simulator.cluster import Failures, Fixed, LogNormal, Outage, Power, Uplink, Vector, Wire
from simulator.commands.json_schema import json_schema
from simulator.mistakes import Mistake
from simulator.results.directory import claim_directory
from simulator.results.results import load as load_results
from simulator.results.writer import Writer
from simulator.scenario.files import shipped
from simulator.scenario.loading import check, load
from simulator.scenario.paths import override
from simulator.training.schedules import vector_of

ROOT = Path(__file__).resolve().parents[1]
METHOD_NAMES = ", ".join(sorted(METHODS))
TINY = """
seeds = [0]
[cluster]
workers = 3
compute = [1.0, 2.0, 4.0]
[objective]
kind = "quadratic"
dimension = 4
[evaluation]
every_steps = 5
[stop]
steps = 10
[methods.rennala-nigt]
batch = 2
step = 0.1
momentum = 0.5
"""


def tables(*settings, text=TINY):
    plain = tomllib.loads(text)
    for setting in settings:
        override(plain, setting)
    return plain


def scenario(*settings, text=TINY):
    return check(tables(*settings, text=text))


def mistake_in(*settings):
    with pytest.raises(Mistake) as caught:
        scenario(*settings)
    return str(caught.value)


# What is accepted


def test_the_shipped_scenarios_load_by_name_and_by_path():
    assert "straggler" in shipped()
    for name, path in shipped().items():
        assert load(name) == load(str(path))


def test_a_key_that_is_left_out_has_its_default():
    found = scenario()
    cluster, method = found.cluster, found.methods["rennala-nigt"]
    assert (cluster.in_flight, cluster.in_outage, cluster.per) == ("recall", "lost", "gradient")
    assert (cluster.seed, cluster.speed, cluster.outages, cluster.failures) == (
        None,
        None,
        [],
        None,
    )
    assert found.network.collective == "max"
    assert (method.count, method.initial_batch) == ("first-finished", None)
    assert found.evaluation.episodes == 32
    assert (found.metric, found.higher_is_better) == ("gap", False)
    without_seeds = tables()
    del without_seeds["seeds"]
    assert check(without_seeds).seeds == [0, 1, 2]


def test_a_label_of_ones_own_names_its_method():
    found = scenario("methods.big={method='rennala-nigt', batch=7, step=0.1, momentum=1}")
    assert found.methods["big"].method == "rennala-nigt"
    assert found.methods["big"].settings()["batch"] == 7


@pytest.mark.parametrize(
    ("written", "law"),
    [
        ("2", Fixed(2)),
        ("[1, 2.5, inf]", Fixed([1.0, 2.5, math.inf])),
        ("{law='fixed', seconds=2.0}", Fixed(2.0)),
        ("{law='power', exponent=-0.5, scale=3.0}", Power(-0.5, 3.0)),
        ("{law='log-normal', mean=2.0, sigma=0.5}", LogNormal(Fixed(2.0), 0.5)),
        ("{law='log-normal', mean=[1.0, 2.0, 3.0], sigma=0}", LogNormal(Fixed([1.0, 2.0, 3.0]), 0)),
        ("{law='log-normal', mean={law='power', exponent=1.0}, sigma=1}", LogNormal(Power(1.0), 1)),
    ],
)
def test_a_law_may_be_a_number_a_list_or_a_table(written, law):
    assert scenario(f"cluster.compute={written}").cluster.compute.build() == law


@pytest.mark.parametrize("key", ["step", "momentum"])
def test_afedpg_takes_a_number_or_a_schedule(key):
    numbers = {"step": "0.1", "momentum": "0.5"}
    schedule = {key: "{scale=0.9, exponent=0.5, offset=1}"}
    written = ", ".join(f"{name}={value}" for name, value in (numbers | schedule).items())
    method = scenario(f"methods.afedpg={{{written}}}").methods["afedpg"]
    # With an offset of 1, the fourth value has fallen by the square root of four.
    assert getattr(method, key)(3) == pytest.approx(0.45)


def test_outages_of_several_workers_are_one_each():
    failures = "cluster.failures={mean_time_between_failures=9, mean_time_to_repair=inf}"
    named = "cluster.outages=[{workers=[2, 0], begin=1, end=3}, {worker=1}]"
    outages = scenario(named, failures).build_cluster().outages
    assert outages.foreseen == (Outage(2, 1.0, 3.0), Outage(0, 1.0, 3.0), Outage(1, 0.0, math.inf))
    assert (outages.failures, outages.work) == (Failures(9.0, math.inf, None), "lost")


@pytest.mark.parametrize(("named", "failing"), [("", 3), (", workers=[0, 2]", 2)])
def test_a_cluster_of_n_fails_n_times_as_often_as_each_worker(named, failing):
    given = f"cluster_mean_time_between_failures=9, mean_time_to_repair=1{named}"
    outages = scenario(f"cluster.failures={{{given}}}").build_cluster().outages
    assert outages.failures == Failures(9.0 * failing, 1.0, (0, 2) if named else None)


def test_the_first_failure_of_a_cluster_comes_at_its_rate():
    given = "cluster_mean_time_between_failures=7, mean_time_to_repair=inf"
    more = "cluster.workers=20", "cluster.compute=1", f"cluster.failures={{{given}}}"
    cluster = scenario(*more).build_cluster()
    first = [cluster.absences(seed).begin.min() for seed in range(400)]
    assert abs(np.mean(first) - 7) < 5 * 7 / 400**0.5


def test_a_message_of_a_given_size_takes_its_bytes_over_the_bandwidth():
    wired = ["network.upload={bandwidth=4, latency=0.5}", "network.download=2"]
    cluster = scenario("network.message_bytes=600", *wired).build_cluster()
    assert cluster.uploads(0, Vector(dimension=4, itemsize=8)).one(0, 0) == 0.5 + 600 / 4
    assert cluster.downloads(0, Vector(dimension=4, itemsize=8)).one(0, 0) == 2


def test_a_bandwidth_makes_a_wire_and_an_uplink_a_queue():
    settings = ["network.upload={bandwidth=[1, 2, 4], latency=0.5}", "network.download=2"]
    cluster = scenario(*settings).build_cluster()
    assert cluster.network.upload == Wire(Fixed([1, 2, 4]), Fixed(0.5))
    assert cluster.network.download.law == Fixed(2)
    transfers = cluster.uploads(0, Vector(dimension=4, itemsize=8))
    assert [transfers.one(worker, 0) for worker in range(3)] == [32.5, 16.5, 8.5]
    served = ["network.collective=parameter-server", "network.uplink={bandwidth=9}"]
    assert scenario(*served).build_cluster().network.uplink == Uplink(9.0, "queue", 1)


# --set


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("key=3", 3),
        ("key = 7.5 ", 7.5),
        ("key=1e-3", 1e-3),
        ("key=inf", math.inf),
        ("key=true", True),
        ("key='finish'", "finish"),
        ("key=finish", "finish"),
        ("key=a=b", "a=b"),
        ("key=straße 日本", "straße 日本"),
        ("key=", ""),
        ("key=[1, [2, 'x']]", [1, [2, "x"]]),
        ("key={a = 1, b = {c = [2]}}", {"a": 1, "b": {"c": [2]}}),
    ],
)
def test_set_reads_a_value_as_toml_or_else_as_a_string(setting, value):
    plain = {}
    override(plain, setting)
    assert plain == {"key": value}
    assert type(plain["key"]) is type(value)


def test_set_cannot_smuggle_a_second_key_behind_a_line_break():
    plain = {}
    override(plain, "title=1\nevil=2")
    assert "evil" not in plain
    assert plain["title"] != 1


@pytest.mark.parametrize("setting", ["", "=3", "steps", "stop..steps=3", ".steps=3", "stop.=3"])
def test_set_without_a_path_or_a_value_is_a_mistake(setting):
    with pytest.raises(Mistake) as caught:
        override({}, setting)
    wanted = f"--set {setting}: write it as path=value, such as stop.seconds=500"
    assert str(caught.value) == wanted


def test_set_through_a_value_that_is_no_table_is_a_mistake():
    setting = "cluster.workers.many.more=3"
    assert mistake_in(setting) == f"--set {setting}: cluster.workers is not a table"


def test_settings_apply_in_order_before_anything_is_checked():
    found = load("straggler", ["cluster.workers=0", "cluster.compute=1", "cluster.workers=4"])
    assert found.cluster.workers == 4


# restrict, fingerprint, timing


def test_restrict_keeps_the_named_methods_in_their_order():
    whole = load("straggler")
    part = whole.restrict(["afedpg", "rennala-nigt"], [5, 3])
    assert list(part.methods) == ["afedpg", "rennala-nigt"]
    assert part.methods["afedpg"] == whole.methods["afedpg"]
    assert part.seeds == [5, 3]
    assert whole.restrict(None, None) == whole


def test_restrict_to_an_unknown_method_names_the_nearest():
    with pytest.raises(Mistake) as caught:
        load("straggler").restrict(["renala-nigt"], None)
    wanted = "--methods renala-nigt: not in this scenario; did you mean 'rennala-nigt'?"
    assert str(caught.value) == wanted


def test_layout_and_explicit_defaults_leave_the_fingerprint_alone():
    text = """
    methods.rennala-nigt = { momentum = 5e-1, step = 0.10, batch = 2 }
    stop.steps = 1_0
    cluster = { compute = { law = "fixed", seconds = [1.0, 2.0, 4] }, workers = 3 }
    objective = { dimension = 4, kind = "quadratic" }
    evaluation = { every_steps = 5, episodes = 32 }
    seeds = [0]
    """
    assert scenario(text=text).fingerprint() == scenario().fingerprint()


@pytest.mark.parametrize(
    "setting",
    [
        "title=other",
        "seeds=[1]",
        "cluster.compute=[1.0, 2.0, 5.0]",
        "cluster.compute=[1.0, 2.0, inf]",
        "cluster.seed=0",
        "network.upload={bandwidth=1}",
        "methods.rennala-nigt.count=earliest-started",
        "methods.rennala-pg={batch=2, step=0.1}",
    ],
)
def test_content_changes_the_fingerprint(setting):
    assert scenario(setting).fingerprint() != scenario().fingerprint()


def test_timing_follows_the_runs_seed_unless_the_cluster_has_its_own():
    assert [scenario().timing_seed(seed) for seed in (0, 7)] == [0, 7]
    for own in (0, 11):
        fixed = scenario(f"cluster.seed={own}")
        assert [fixed.timing_seed(seed) for seed in (0, 7)] == [own, own]


@pytest.mark.parametrize(
    "setting",
    [
        "cluster.compute=[1.0, 2.0, inf]",
        "cluster.compute={law='log-normal', mean=[1.0, inf, 2.0], sigma=0.5}",
        "network={upload={bandwidth=[1e6, 2e6, inf], latency=0.1}, collective='ring'}",
        "network={uplink={bandwidth=9.0, channels=2}, collective='parameter-server'}",
        "cluster.outages=[{worker=0, begin=1}, {workers=[1, 2], end=3.5}]",
        "cluster.failures={mean_time_between_failures=9, mean_time_to_repair=inf, workers=[0]}",
        "cluster.speed={law='periodic', period=9, times=[0, 4], speeds=[1, 0], shift=[0, 1, 2]}",
        "methods.mine={method='malenia-nigt', batch=3, step=0.1, momentum=0.5, initial_batch=9}",
        "methods.afedpg={step={scale=0.5, exponent=0.5}, momentum=0.5}",
        "title='Infinity'",
    ],
)
def test_a_scenario_survives_its_manifest(setting, tmp_path):
    written = scenario(setting)
    directory = claim_directory(tmp_path / "run")
    Writer(directory, written, "straggle run", vector_of(written)).write("complete")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(), parse_constant=refuse)
    assert manifest["scenario_hash"] == written.fingerprint()
    read = load_results(tmp_path / "run").scenario
    assert read == written
    assert read.fingerprint() == written.fingerprint()


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


# What is refused: exactly these words

POLICY = 'objective={kind="policy-gradient", environment="CartPole-v1", '
POSITIVE = "must be a positive number of seconds"
FREE_OR_FINITE = "must be a finite number of seconds, 0 or more"
WHO = "name one worker, or a list of workers"
SPEED = "must be a number from 0 to 1e+09; 1 is the law's own speed"
BANDWIDTH = "must be a positive number of bytes per second"
OTHERS = "; name a plug-in with others by --plugin"
SERVED = "network={collective='parameter-server', "
MISTAKES = [
    # Unknown keys, at every level
    ("sedes=[1]", "sedes: unknown key; did you mean 'seeds'?"),
    ("cluster.worker=3", "cluster.worker: unknown key; did you mean 'workers'?"),
    ("a.b.c=1", "a: unknown key; known: cluster, evaluation, methods, network, objective, seeds, "
     "server, stop, title, tracking"),
    (POLICY + "policy={hiden=[3]}}", "objective.policy.hiden: unknown key; did you mean 'hidden'?"),
    ("cluster.compute={law='log-normal', mean={law='power', exponnt=1}, sigma=1}",
     "cluster.compute.mean.exponnt: unknown key; did you mean 'exponent'?"),
    ("methods.rennala-nigt.bach=3",
     "methods.rennala-nigt.bach: unknown key; did you mean 'batch'?"),
    ("methods.mine={method='afedpg', step=0.1, momentum=0.1, batch=3}",
     "methods.mine.batch: unknown key; known: age, depth, direction, importance, method, momentum, "
     "step, theory"),
    # Wrong types
    ("title=3", "title = 3: must be a string"),
    ("cluster.workers=ten", "cluster.workers = 'ten': must be a whole number"),
    ("cluster.compute=[1, 'a', 3]", "cluster.compute[1] = 'a': must be a number"),
    # A truth value is not a number
    ("cluster.workers=true", "cluster.workers = True: must be a whole number"),
    ("cluster.compute=[1, true, 3]", "cluster.compute[1] = True: must be a number"),
    # Seconds
    ("cluster.compute=0", f"cluster.compute = 0: {POSITIVE}"),
    ("cluster.compute=[1, nan, 3]", f"cluster.compute[1] = nan: {POSITIVE}"),
    ("cluster.compute={law='power', exponent=1, scale=-1}",
     f"cluster.compute of worker 0 = -1: {POSITIVE}"),
    ("network.upload=-1", f"network.upload = -1: {FREE_OR_FINITE}"),
    ("network.upload=inf", f"network.upload = inf: {FREE_OR_FINITE}"),
    ("stop.seconds=0", "stop.seconds = 0: must be greater than 0"),
    ("stop.seconds=nan", "stop.seconds = nan: must be a finite number"),
    ("stop.target=nan", "stop.target = nan: must be a finite number"),
    ("evaluation={every_seconds=0}", "evaluation.every_seconds = 0: must be greater than 0"),
    # Counts and shares
    ("cluster.workers=0", "cluster.workers = 0: must be greater than or equal to 1"),
    ("stop.steps=0", "stop.steps = 0: must be greater than or equal to 1"),
    ("stop.gradients=0", "stop.gradients = 0: must be greater than or equal to 1"),
    ("evaluation.every_steps=0", "evaluation.every_steps = 0: must be greater than or equal to 1"),
    ("evaluation.episodes=0", "evaluation.episodes = 0: must be greater than or equal to 1"),
    ("methods.rennala-nigt.batch=0",
     "methods.rennala-nigt.batch = 0: must be greater than or equal to 1"),
    ("methods.rennala-nigt.initial_batch=0",
     "methods.rennala-nigt.initial_batch = 0: must be greater than or equal to 1"),
    ("methods.rennala-nigt.momentum=0",
     "methods.rennala-nigt.momentum = 0: must be greater than 0"),
    ("methods.rennala-nigt.momentum=1.1",
     "methods.rennala-nigt.momentum = 1.1: must be less than or equal to 1"),
    ("methods.rennala-nigt.step=0", "methods.rennala-nigt.step = 0: must be greater than 0"),
    (POLICY + "discount=1.5}", "objective.discount = 1.5: must be less than or equal to 1"),
    (POLICY + "horizon=0}", "objective.horizon = 0: must be greater than or equal to 1"),
    # Names of things
    ("cluster.compute={law='fxed', seconds=1}",
     "cluster.compute.law = 'fxed': did you mean 'fixed'?"),
    ("cluster.compute={law='zzz', seconds=1}",
     "cluster.compute.law = 'zzz': known: empirical, exponential, fixed, gamma, geometric, "
     "half-cauchy, half-normal, linear, log-normal, never-finishes, pareto, permuted, power, "
     "slow-down, two-speed" + OTHERS),
    ("cluster.in_flight=drop", "cluster.in_flight = 'drop': must be 'recall' or 'finish'"),
    ("network.collective=rings", "network.collective = 'rings': "
     "must be 'max', 'gather', 'ring', 'tree' or 'parameter-server'"),
    ("objective.kind=quadratik", "objective.kind = 'quadratik': did you mean 'quadratic'?"),
    ("objective.noise=gaussian",
     "objective.noise = 'gaussian': must be 'isotropic', 'shared' or 'progress'"),
    ("evaluation.metric=gradient_norms", "evaluation.metric: this objective does not measure "
     "'gradient_norms'; did you mean 'gradient_norm'?"),
    ("evaluation.metric=return", "evaluation.metric: this objective does not measure 'return'; "
     "known: gap, gradient_norm"),
    ("methods.xx={}", f"methods.xx: no method 'xx'; known: {METHOD_NAMES}{OTHERS}"),
    ("methods.mine={method='renala-nigt'}",
     "methods.mine: no method 'renala-nigt'; did you mean 'rennala-nigt'?"),
    (POLICY + "baseline='leave-one-out'}",
     "objective.baseline = 'leave-one-out': compares a gradient's episodes with each other: set "
     "episodes = 2 or more"),
    ("objective={kind='policy-gradient', environment='CartPol-v1'}",
     "objective.environment = 'CartPol-v1': gymnasium has no environment of this name; "
     "near it are CartPole-v1, phys2d/CartPole-v1"),
    # Outages and failures
    ("cluster.outages=[3]", "cluster.outages[0] = 3: must be a table"),
    ("cluster.outages=[{}]", f"cluster.outages[0]: {WHO}"),
    ("cluster.outages=[{worker=0, workers=[1]}]", f"cluster.outages[0]: {WHO}"),
    ("cluster.outages=[{worker=3}]",
     "cluster.outages[0].worker = 3: must be from 0 to 2"),
    ("cluster.outages=[{worker=-1}]",
     "cluster.outages[0].worker = -1: must be greater than or equal to 0"),
    ("cluster.outages=[{workers=[]}]",
     "cluster.outages[0].workers = []: must have at least 1 item"),
    ("cluster.outages=[{worker=0, begin=-1}]",
     "cluster.outages[0].begin = -1: must be greater than or equal to 0"),
    ("cluster.outages=[{worker=0, begin=5, end=5}]",
     "cluster.outages[0].end = 5: must be later than begin = 5"),
    ("cluster.outages=[{worker=0, end=0}]", "cluster.outages[0].end = 0: must be greater than 0"),
    ("cluster.failures={mean_time_between_failures=3}",
     "cluster.failures.mean_time_to_repair: is missing"),
    ("cluster.failures={mean_time_to_repair=3}",
     "cluster.failures: give mean_time_between_failures, of each worker, or "
     "cluster_mean_time_between_failures, of all together"),
    ("cluster.failures={mean_time_between_failures=0, mean_time_to_repair=1}",
     "cluster.failures.mean_time_between_failures = 0: must be greater than 0"),
    ("cluster.failures={mean_time_between_failures=inf, mean_time_to_repair=1}",
     "cluster.failures.mean_time_between_failures = inf: must be a finite number"),
    ("cluster.failures={mean_time_between_failures=3, mean_time_to_repair=0}",
     "cluster.failures.mean_time_to_repair = 0: must be greater than 0"),
    ("cluster.failures={mean_time_between_failures=3, mean_time_to_repair=1, workers=[3]}",
     "cluster.failures.workers = 3: must be from 0 to 2"),
    ("cluster.in_outage=recall", "cluster.in_outage = 'recall': must be 'lost' or 'continued'"),
    ("network={message_bytes=9, upload={law='fixed', seconds=1, dimension_power=0.5}}",
     "network.upload.dimension_power = 0.5: its seconds follow the objective's dimension, not "
     "network.message_bytes; give a bandwidth, or leave one of them out"),
    ("network.message_bytes=0",
     "network.message_bytes = 0: must be greater than or equal to 1"),
    # What takes time
    ("cluster.per=step", "cluster.per = 'step': must be 'gradient' or 'environment-step'"),
    ("cluster.per=environment-step",
     "cluster.per = 'environment-step': the quadratic plays no environment; use 'gradient'"),
    # Speeds
    ("cluster.speed={}", "cluster.speed.law: is missing"),
    ("cluster.speed={law='fixed', seconds=1}",
     "cluster.speed.law = 'fixed': known: drift, periodic, random-walk, table, trace" + OTHERS),
    ("cluster.speed={law='table', times=[], speeds=[]}",
     "cluster.speed.times = []: must have at least 1 item"),
    ("cluster.speed={law='table', times=[0, 1], speeds=[1, 2, 3]}",
     "cluster.speed.speeds has 3 entries for 2 times: give one per time"),
    ("cluster.speed={law='table', times=[0, 1], speeds=[[1, 1], [1, 1]]}",
     "cluster.speed.speeds has 2 rows for 3 workers: "
     "give one per worker, or a single list of numbers"),
    ("cluster.speed={law='table', times=[0, 1], speeds=[1, -1]}",
     f"cluster.speed.speeds[1] = -1: {SPEED}"),
    ("cluster.speed={law='table', times=[0], speeds=[[1], [nan], [1]]}",
     f"cluster.speed.speeds[1][0] = nan: {SPEED}"),
    ("cluster.speed={law='table', times=[1, 2], speeds=[1, 1]}",
     "cluster.speed.times[0] = 1: must be 0, the beginning"),
    ("cluster.speed={law='table', times=[0, 2, 2], speeds=[1, 1, 1]}",
     "cluster.speed.times[2] = 2: must be more than times[1] = 2"),
    ("cluster.speed={law='periodic', period=0, times=[0], speeds=[1]}",
     "cluster.speed.period = 0: must be greater than 0"),
    ("cluster.speed={law='periodic', period=10, times=[0, 10], speeds=[1, 2]}",
     "cluster.speed.times[1] = 10: must be less than period = 10"),
    ("cluster.speed={law='periodic', period=10, times=[0], speeds=[0]}",
     "cluster.speed.speeds: one of them must be more than 0, or no computation finishes"),
    ("cluster.speed={law='periodic', period=10, times=[0], speeds=[1], shift=[1, 2]}",
     "cluster.speed.shift has 2 entries for 3 workers: give one per worker, or a single number"),
    ("cluster.speed={law='drift', end=-0.5, seconds=10}", f"cluster.speed.end = -0.5: {SPEED}"),
    ("cluster.speed={law='random-walk', every=1, sigma=11, low=0.5, high=3}",
     "cluster.speed.sigma = 11: must be less than or equal to 10"),
    ("cluster.speed={law='random-walk', every=1, sigma=1, low=2, high=3}",
     "cluster.speed.low = 2: must be less than or equal to 1"),
    # Links and uplinks
    ("network.upload={bandwidth=0}", f"network.upload.bandwidth = 0: {BANDWIDTH}"),
    ("network.upload={bandwidth='fast'}",
     "network.upload.bandwidth = 'fast': must be a number, a list of one per worker, "
     "or the table of a law"),
    ("network.upload={bandwidth={law='log-normal', mean=1, sigma=1}}",
     "network.upload.bandwidth.law = 'log-normal': "
     "known: fixed, geometric, linear, permuted, power, two-speed" + OTHERS),
    ("network.upload={latency=1}", "network.upload: a latency alone; add a bandwidth, "
     "or give the seconds as a number: upload = 0.5"),
    ("network.upload={law='linear', first=-1, last=2}",
     "network.upload.first = -1: must be greater than or equal to 0"),
    ("network.upload={bandwidth=1, latency=-1}",
     f"network.upload.latency = -1: {FREE_OR_FINITE}"),
    ("network.upload={bandwidth=1, latency=[1]}", "network.upload.latency has 1 entries "
     "for 3 workers: give one per worker, or a single number"),
    ("network.upload={bandwidth=1, seconds=1}",
     "network.upload.seconds: unknown key; known: bandwidth, latency, law"),
    ("network.upload={law='fixed', seconds=1, bandwidth=1}",
     "network.upload.bandwidth: unknown key; known: dimension_power, law, seconds"),
    ("network.collective=parameter-server",
     "network.uplink: is missing; a parameter-server needs its bandwidth"),
    ("network.uplink={bandwidth=1}",
     "network.uplink: is for collective = 'parameter-server', not 'max'"),
    (SERVED + "uplink={}}", "network.uplink.bandwidth: is missing"),
    (SERVED + "uplink={bandwidth=0}}", "network.uplink.bandwidth = 0: must be greater than 0"),
    (SERVED + "uplink={bandwidth=1, channels=0}}",
     "network.uplink.channels = 0: must be greater than or equal to 1"),
    (SERVED + "uplink={bandwidth=1, contention='fair'}}",
     "network.uplink.contention = 'fair': must be 'queue' or 'share'"),
    (SERVED + "uplink={bandwidth=1, contention='share', channels=2}}",
     "network.uplink.channels = 2: only a queue has several"),
    # Rennala's batch
    ("methods.rennala-nigt.count=last",
     "methods.rennala-nigt.count = 'last': must be 'first-finished' or 'earliest-started'"),
    ("methods.synchronous-pg={step=0.1, count='first-finished'}",
     "methods.synchronous-pg.count: unknown key; known: method, step, theory"),
    ("methods.malenia-pg={step=0.1, batch=2, count='first-finished'}",
     "methods.malenia-pg.count: unknown key; known: batch, initial_batch, method, step, theory"),
    # Lists of the wrong length, seeds, what is missing, what contradicts
    ("cluster.compute=[1, 2]", "cluster.compute has 2 entries for 3 workers: "
     "give one per worker, or a single number"),
    ("seeds=[]", "seeds = []: must have at least 1 item"),
    ("seeds=[1, 1]", "seeds: 1 occurs twice; name each seed once"),
    ("seeds=[-1]", "seeds[0] = -1: must be greater than or equal to 0"),
    ("cluster.seed=-1", "cluster.seed = -1: must be greater than or equal to 0"),
    ("stop={target=1.0}",
     "stop: say seconds, steps or gradients; a target alone may never be reached"),
    ("methods={}", "methods: must have at least 1 item"),
    ("evaluation.every_seconds=3", "evaluation: say every_seconds or every_steps, not both"),
    ("cluster={workers=3}", "cluster.compute: is missing"),
    ("cluster.compute={seconds=1}", "cluster.compute.law: is missing"),
    ("objective={dimension=3}", "objective.kind: is missing"),
    ("methods.rennala-nigt={batch=1, step=1}", "methods.rennala-nigt.momentum: is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "message"), MISTAKES, ids=[each[0][:70] for each in MISTAKES])
def test_bad_input_is_refused_in_exactly_one_line(setting, message):
    assert mistake_in(setting) == message


# The file of a trace: its mistakes name the file and the place in it

HEADER = "worker,time,speed\n"
TRACES = {
    "empty": ("", "is empty: must have the columns worker, time and speed"),
    "header only": (HEADER, "has no rows: must have one at least"),
    "no header": ("0,0,1\n", "line 1: must have the columns worker, time and speed, "
                  "separated by commas, and worker is missing in '0,0,1'"),
    "column missing": ("worker,time\n0,0\n", "line 1: must have the columns worker, time and "
                       "speed, separated by commas, and speed is missing in 'worker,time'"),
    "unsorted": (HEADER + "0,0,1\n1,0,1\n0,9,1\n0,5,1\n",
                 "line 5: time = 5 of worker 0: must be more than 9, as in line 4"),
    "twice": (HEADER + "0,5,1\n0,5,2\n",
              "line 3: time = 5 of worker 0: must be more than 5, as in line 2"),
    "negative speed": (HEADER + "0,0,1\n\n1,0,-0.5\n", f"line 4: speed = -0.5: {SPEED}"),
    "negative time": (HEADER + "0,-1,1\n",
                      "line 2: time = -1: must be a number of seconds from 0 to 1e+18"),
    "unknown worker": (HEADER + "3,0,1\n",
                       "line 2: worker = 3: must be a worker's number, from 0 to 2"),
    "no number": (HEADER + "0,0,fast\n", "line 2: speed = 'fast': must be a number"),
    "no whole number": (HEADER + "0.5,0,1\n",
                        "line 2: worker = '0.5': must be a whole number"),
    "short row": (HEADER + "0,0,1\n0,1\n",
                  "line 3: has 2 fields: must have 3, as the header has"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRACES)
def test_a_mistake_in_a_trace_names_the_file_and_the_line(name, tmp_path):
    text, printed = TRACES[name]
    file = tmp_path / "speeds.csv"
    file.write_text(text, encoding="utf-8")
    comma = ", " if printed.startswith("line") else ": "
    message = mistake_in(f"cluster.speed={{law='trace', file='{file}'}}")
    assert message == f"cluster.speed.file = '{file}'{comma}{printed}"


def test_a_missing_trace_or_one_that_is_no_table(tmp_path):
    for file, printed in (
        (tmp_path / "none.csv", "cannot be read: No such file or directory: "
         "must be the path of a CSV or Parquet file"),
        (tmp_path / "speeds.txt", "must end in .csv or .parquet"),
    ):  # fmt: skip
        message = mistake_in(f"cluster.speed={{law='trace', file='{file}'}}")
        assert message == f"cluster.speed.file = '{file}': {printed}"
    prose = tmp_path / "prose.parquet"
    prose.write_text("Dear reader")
    message = mistake_in(f"cluster.speed={{law='trace', file='{prose}'}}")
    assert message.startswith(f"cluster.speed.file = '{prose}': must be a Parquet file: ")
    assert "\n" not in message


# Where the file of a trace is looked for, and where it goes

SLOW, FAST = HEADER + "0,0,0.5\n", HEADER + "0,0,2\n"


@pytest.fixture
def traced(tmp_path, monkeypatch):
    """A scenario in one folder, run from another."""
    for folder in ("home", "here"):
        (tmp_path / folder).mkdir()
    (tmp_path / "home" / "tiny.toml").write_text(TINY)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def first_second(found):
    """When worker 0 ends its first second of work."""
    return found.build_cluster().pace(0).finish(0, 0.0, 1.0)


def by_trace(file):
    return f"cluster.speed={{law='trace', file='{file}'}}"


def test_a_trace_lies_beside_its_scenario(traced):
    (traced / "home" / "speeds.csv").write_text(SLOW)
    text = TINY.replace(
        "[objective]", "speed = { law = 'trace', file = 'speeds.csv' }\n[objective]"
    )
    (traced / "home" / "mine.toml").write_text(text)
    for source in ("../home/mine.toml", traced / "home" / "mine.toml"):
        found = load(str(source))
        assert first_second(found) == 2.0
        assert found.files["cluster.speed.file"].samefile(traced / "home" / "speeds.csv")


def test_a_trace_named_on_the_command_line_may_lie_in_either_place(traced):
    source = "../home/tiny.toml"
    (traced / "here" / "mine.csv").write_text(FAST)
    assert first_second(load(source, [by_trace("mine.csv")])) == 0.5
    (traced / "home" / "other.csv").write_text(SLOW)
    assert first_second(load(source, [by_trace("other.csv")])) == 2.0
    # In both: beside the scenario, as if it were written there.
    (traced / "home" / "mine.csv").write_text(SLOW)
    assert first_second(load(source, [by_trace("mine.csv")])) == 2.0
    assert first_second(load(source, [by_trace(traced / "here" / "mine.csv")])) == 0.5


def ran(found, directory):
    folder, code = run_in(directory, found, schedule_only=True)
    assert code == 0
    return load_results(folder)


@pytest.mark.parametrize("suffix", [".csv", ".CSV", ".parquet"])
def test_a_result_directory_needs_no_trace_but_its_own(suffix, traced):
    file = traced / "here" / f"mine{suffix}"
    if suffix == ".parquet":
        import pandas as pd

        pd.DataFrame({"worker": [0], "time": [0.0], "speed": [0.5]}).to_parquet(file)
    else:
        file.write_text(SLOW)
    before = ran(load("../home/tiny.toml", [by_trace(file.name)]), Path("o"))
    file.unlink()
    (traced / "here" / "o").rename(traced / "moved")
    after = load_results(traced / "moved")
    assert first_second(after.scenario) == 2.0
    assert after.scenario.files["cluster.speed.file"] == traced / "moved" / f"speed{suffix.lower()}"
    assert after.manifest["scenario"]["cluster"]["speed"]["file"] == f"speed{suffix.lower()}"
    assert after.scenario.fingerprint() == before.manifest["scenario_hash"]


def test_the_hash_is_of_a_trace_s_content_not_of_its_name(traced):
    for name, text in (("one.csv", SLOW), ("two.csv", SLOW), ("three.csv", FAST)):
        (traced / "here" / name).write_text(text)
    one, two, three = (
        load("../home/tiny.toml", [by_trace(f"{name}.csv")]).fingerprint()
        for name in ("one", "two", "three")
    )
    assert one == two != three
    assert ran(load("../home/tiny.toml", [by_trace("one.csv")]), Path("o")).manifest[
        "scenario_hash"
    ] == one  # fmt: skip


# Where the wording is free: one line that begins with the key, or some key inside it.
REFUSED = [
    ("methods.afedpg={step=0.1, momentum={scale=0.5, exponent=0.5, ofset=3}}",
     "methods.afedpg.momentum.ofset: unknown key"),
    ("methods.afedpg={step=0.1, momentum={scale=5, exponent=0.5}}", "methods.afedpg.momentum"),
    ("methods.afedpg={step=0.1, momentum={scale=-1, exponent=0.5}}",
     "methods.afedpg.momentum.scale = -1"),
    ("methods.afedpg={step={scale=1, exponent=1, offset=0}, momentum=0.1}",
     "methods.afedpg.step.offset = 0"),
    ("cluster.compute={law='log-normal', mean=1, sigma=-1}", "cluster.compute.sigma = -1"),
    ("cluster.compute={law='power', exponent=1e6}", "cluster.compute"),
    ("network.upload={law='fixed', seconds=1, dimension_power=nan}",
     "network.upload.dimension_power = nan"),
    # A power that is harmless in one dimension and infinite in the four of this objective.
    ("network.upload={law='fixed', seconds=1, dimension_power=1000}", "network.upload"),
    ("methods.mine={method=[]}", "methods.mine"),
    ('methods."a/b"={method="rennala-pg", batch=2, step=0.1}', "methods"),
    ("methods={'../up'={method='rennala-pg', batch=2, step=0.1}}", "methods.../up"),
    ("methods={'a,b'={method='rennala-pg', batch=2, step=0.1}}", "methods.a,b"),
    (f"methods={{{'x' * 300}={{method='rennala-pg', batch=2, step=0.1}}}}", "methods.xxx"),
    (POLICY + "environment_options={foo=1}}", "objective.environment_options.foo"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "start"), REFUSED, ids=[each[0][:70] for each in REFUSED])
def test_bad_input_is_refused_in_one_line_with_its_key(setting, start):
    message = mistake_in(setting)
    assert message.startswith(start)
    assert "\n" not in message


def test_seeds_from_the_command_line_are_held_to_the_same_limits():
    with pytest.raises(Mistake, match="seed"):
        scenario().restrict(None, [2**40])


# JSON Schema


def schema_errors(plain):
    return [*Draft202012Validator(json_schema()).iter_errors(plain)]


def test_the_schema_that_the_scenarios_refer_to_is_the_one_that_is_printed():
    written = (ROOT / "scenarios" / "schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json_schema(), "straggle schema > scenarios/schema.json"
    for path in shipped().values():
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("#:schema ")
        assert (path.parent / first.removeprefix("#:schema ")).resolve().name == "schema.json"


def test_shipped_scenarios_satisfy_the_schema():
    for path in shipped().values():
        assert schema_errors(tomllib.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "setting",
    [
        *(
            f"cluster.compute={law}"
            for law in ("2", "2.5", "[1, 2, 3]", "{law='power', exponent=1}")
        ),
        "methods.mine={method='rennala-nigt', batch=2, step=0.1, momentum=0.5}",
    ],
)
def test_the_schema_allows_the_files_that_the_loader_allows(setting):
    assert schema_errors(tables(setting)) == []
    assert scenario(setting)


@pytest.mark.parametrize(
    "setting",
    [
        "sedes=[1]",
        "seeds=[]",
        "cluster.workers=0",
        "cluster.compute=fast",
        "cluster.compute={law='zzz'}",
        "evaluation.every_steps=true",
        "methods={}",
        "methods.mine={batch=2, step=0.1, momentum=0.5}",
        "methods.rennala-nigt.momentum=1.5",
        "methods.afedpg={step=0.1}",
        "cluster.speed={law='fixed', seconds=1}",
        "network.upload={latency=1}",
        "network.collective=rings",
    ],
)
def test_the_schema_refuses_the_files_that_the_loader_refuses(setting):
    assert schema_errors(tables(setting))
    assert mistake_in(setting)
