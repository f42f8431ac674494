"""Is a scenario that is built in code the one that a file says, and is it refused likewise?"""

import subprocess
import sys

import pytest
from plugged import plugins_as_before
from stubs import stubs

import simulator
from algorithms.methods import METHODS
from simulator import (
    Afedpg,
    Cluster,
    Decay,
    Exponential,
    Failures,
    Fixed,
    LogNormal,
    Mistake,
    Network,
    Outage,
    Perceptron,
    Periodic,
    PolicyGradient,
    Power,
    Quadratic,
    RennalaNigt,
    Scenario,
    Seconds,
    Stop,
    Theory,
    Trace,
    TwoSpeed,
    Wire,
    register,
)
from simulator.cluster import LAWS
from simulator.cluster.speeds import SPEEDS
from simulator.objectives.catalogue import OBJECTIVES
from simulator.scenario.files import shipped
from simulator.scenario.loading import check, load
from simulator.scenario.tables import class_name

RENNALA = RennalaNigt(batch=20, step=0.02, momentum=0.1)


def scenario_with(**parts):
    usual = {
        "cluster": Cluster(workers=10, compute=Power(exponent=0.5)),
        "objective": Quadratic(dimension=50),
        "methods": {"rennala-nigt": RENNALA},
        "stop": Stop(steps=200),
    }
    return Scenario(**usual | parts)


def refusal_of(build):
    with pytest.raises(Mistake) as caught:
        build()
    return list(caught.value.args)


# The same as a file


def test_objects_equal_their_file():
    tables = {
        "cluster": {"workers": 10, "compute": {"law": "power", "exponent": 0.5}},
        "objective": {"kind": "quadratic", "dimension": 50},
        "methods": {"rennala-nigt": {"batch": 20, "step": 0.02, "momentum": 0.1}},
        "stop": {"steps": 200},
    }
    assert scenario_with() == check(tables)
    assert scenario_with().fingerprint() == check(tables).fingerprint()
    for part, table in tables.items():
        assert scenario_with(**{part: table}) == scenario_with()


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_is_read_back_from_its_toml(name, tmp_path):
    scenario = load(name)
    file = tmp_path / "said.toml"
    file.write_text(scenario.to_toml(), encoding="utf-8")
    assert load(str(file)).fingerprint() == scenario.fingerprint()
    assert scenario.replace() == scenario


RICH = {
    "cluster": Cluster(
        workers=3,
        compute=LogNormal(TwoSpeed(fast=1.0, slow=5.0), sigma=0.3),
        speed=Periodic(period=10.0, times=[0.0, 4.0], speeds=[1.0, 0.5]),
        outages=[Outage(worker=1, begin=3.0)],
        failures=Failures(mean_time_between_failures=50.0, mean_time_to_repair=float("inf")),
    ),
    "network": Network(
        upload=Wire(Fixed(1e6), Exponential(Fixed(0.1))),
        download=Seconds(Fixed(0.5), dimension_power=0.25),
    ),
    "methods": {
        "bold": RennalaNigt(theory=Theory(eps=0.5, factor=2)),
        "afedpg": Afedpg(step=Decay(scale=1.0, exponent=0.5), momentum=0.1),
    },
}


def test_a_trace_is_found_from_everywhere(tmp_path, monkeypatch):
    (tmp_path / "mine.csv").write_text("worker,time,speed\n0,0,1\n0,5,0.5\n")
    monkeypatch.chdir(tmp_path)
    cluster = Cluster(workers=1, compute=1.0, speed=Trace(file="mine.csv"))
    scenario = scenario_with(cluster=cluster)
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "said.toml"
    file.write_text(scenario.to_toml(), encoding="utf-8")
    fingerprint = scenario.fingerprint()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load(str(file)).fingerprint() == fingerprint


def test_a_scenario_survives_its_toml_and_its_repr(tmp_path):
    scenario = scenario_with(**RICH)
    file = tmp_path / "said.toml"
    file.write_text(scenario.to_toml(), encoding="utf-8")
    assert load(str(file)) == scenario
    names = {name: getattr(simulator, name) for name in simulator.__all__}
    assert eval(repr(scenario), names | {"inf": float("inf")}) == scenario


def test_values_without_a_form_in_toml_are_refused():
    options = {"environment_options": {"goal": None}}
    played = PolicyGradient(environment="CartPole-v1", policy=Perceptron(hidden=[4]))
    scenario = scenario_with(objective=played)
    message = scenario.model_copy(update={"objective": played.model_copy(update=options)})
    assert refusal_of(message.to_toml) == ["None: TOML has no such value; leave the key out"]


# Refused


def test_a_part_is_refused_under_its_own_name():
    assert refusal_of(lambda: Cluster(workers=0, compute=[1.0], spead=3)) == [
        "Cluster.workers = 0: must be greater than or equal to 1",
        "Cluster.spead: unknown key; did you mean 'speed'?",
    ]
    assert refusal_of(lambda: RennalaNigt(batsh=3, step="a", momentum=2)) == [
        "RennalaNigt.batsh: unknown key; did you mean 'batch'?",
        "RennalaNigt.step = 'a': must be a number",
        "RennalaNigt.momentum = 2: must be less than or equal to 1",
    ]
    assert refusal_of(lambda: RennalaNigt(batch=3, step=0.1)) == [
        "RennalaNigt.momentum: is missing"
    ]
    (line,) = refusal_of(Stop)
    assert line.startswith("Stop: say seconds, steps or gradients")
    (line,) = refusal_of(lambda: Cluster(workers=1, compute=Power(exponent="a")))
    assert line == "Cluster.compute.exponent = 'a': must be a number"


def test_a_scenario_is_refused_as_its_file_is_all_at_once():
    tables = {
        "cluster": {"workers": 0, "compute": 1.0, "spead": 2},
        "objective": {"kind": "quadratik"},
        "methods": {"rennala-nigt": {"batch": 0, "step": 0.1, "momentum": 0.1}},
        "stop": {"steps": 1.5},
        "seeds": [],
    }
    lines = refusal_of(lambda: Scenario(**tables))
    assert lines == refusal_of(lambda: check(tables))
    assert len(lines) == 6


def test_mistakes_beyond_types_are_refused_too():
    (line,) = refusal_of(lambda: scenario_with(cluster=Cluster(workers=3, compute=[1.0])))
    assert line.startswith("cluster.compute has 1 entries for 3 workers")
    (line,) = refusal_of(lambda: scenario_with().replace(seed=3))
    assert line == "seed: unknown key; did you mean 'seeds'?"
    (line,) = refusal_of(lambda: scenario_with(objective=Stop(steps=3)))
    assert line.startswith("objective = Stop(steps=3): is another table; known: policy-gradient, ")


def test_an_unregistered_law_is_refused():
    class Mine(Fixed):
        pass

    (line,) = refusal_of(lambda: Cluster(workers=1, compute=Mine(1.0)))
    assert line.endswith("no law is registered as Mine; register it, or name another")
    with plugins_as_before():
        register(laws={"mine": Mine})
        cluster = Cluster(workers=1, compute=Mine(1.0))
        assert cluster.as_tables()["compute"] == {"law": "mine", "seconds": 1.0}


# The public names


def test_every_method_law_speed_and_objective_has_a_name():
    methods = {class_name(method) for method in METHODS}
    laws = {law.__name__ for law in [*LAWS.values(), *SPEEDS.values()]}
    objectives = {table.__name__.removesuffix("Table") for table in OBJECTIVES.values()}
    assert methods | laws | objectives <= set(simulator.__all__)


def test_every_public_name_is_there():
    assert all(getattr(simulator, name) for name in simulator.__all__)


def test_the_types_are_those_of_today():
    for file, text in stubs().items():
        assert file.read_text(encoding="utf-8") == text, "make stubs writes it anew"


@pytest.mark.nightly
def test_type_checkers_see_arguments(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from simulator import Cluster, Network, Power, RennalaNigt, Stop, Wire, Fixed\n"
        "Cluster(workers=10, compute=Power(exponent=0.5))\n"
        "Network(upload=Wire(Fixed(1e6)))\n"
        "RennalaNigt(batch=3, step=0.1, momentum=0.1)\n"
        "Stop(steps=3)\n"
        "Stop(stepps=3)\n"
        "RennalaNigt(batch='3')\n"
    )
    asked = ["-m", "mypy", "--config-file=", "--cache-dir", str(tmp_path), str(file)]
    done = subprocess.run([sys.executable, *asked], capture_output=True, text=True)
    wrong = [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line]
    assert wrong == ["6", "7"], done.stdout
