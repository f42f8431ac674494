"""Does every command have its function, and does what it returns show what the command prints?"""

import gc
import re

import pytest
import typer

import simulator
from algorithms.methods import rennala
from algorithms.updates import nigt
from simulator import (
    Claim,
    Cluster,
    Mistake,
    Network,
    Power,
    Quadratic,
    RennalaNigt,
    Scenario,
    Simulation,
    Stop,
    Suite,
    Sweep,
    SynchronousNigt,
)
from simulator.cli import main
from simulator.cli.command_line import app
from simulator.scenario.loading import load

NIGT = {"step": 0.1, "momentum": 0.1}
SCENARIO = Scenario(
    seeds=[0, 1],
    cluster=Cluster(workers=4, compute=Power(exponent=0.5)),
    objective=Quadratic(dimension=8),
    methods={"rennala-nigt": RennalaNigt(batch=4, **NIGT), "slow": SynchronousNigt(**NIGT)},
    stop=Stop(steps=20, target=0.5),
)
QUIET = {"quiet": True, "jobs": 1}


@pytest.fixture(scope="module")
def found():
    return simulator.run(SCENARIO, quiet=True)


def printed(arguments, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["straggle", *arguments])
    with pytest.raises(SystemExit):
        main()
    return capsys.readouterr().out


def test_every_command_has_a_function():
    functions = {"list": "listing"}
    for name in typer.main.get_command(app).commands:
        assert callable(getattr(simulator, functions.get(name, name))), name


@pytest.mark.parametrize("of", ["object", "dictionary", "path"])
def test_sources_of_every_kind_give_the_same_results(of, found, tmp_path):
    file = tmp_path / "said.toml"
    file.write_text(SCENARIO.to_toml(), encoding="utf-8")
    source = {"object": SCENARIO, "dictionary": SCENARIO.as_tables(), "path": file}[of]
    again = simulator.run(source, quiet=True)
    assert again.manifest["scenario_hash"] == found.manifest["scenario_hash"]
    assert again.steps.equals(found.steps)


def test_settings_change_an_object_too():
    chosen = simulator.run(SCENARIO, "stop={steps=3}", methods="slow", seeds=5, quiet=True)
    assert chosen.runs[["method", "seed", "steps"]].to_numpy().tolist() == [["slow", 5, 3]]
    assert simulator.load(SCENARIO, "cluster.workers=9").cluster.workers == 9
    assert SCENARIO.cluster.workers == 4


def test_results_show_the_table_of_the_command(tmp_path, capsys, monkeypatch):
    kept = simulator.run(SCENARIO, out=tmp_path / "kept", quiet=True)
    file = tmp_path / "said.toml"
    file.write_text(SCENARIO.to_toml(), encoding="utf-8")
    out = tmp_path / "message"
    asked = ["run", str(file), "--out", str(out), "--figures", "none"]
    assert repr(kept) == printed(asked, capsys, monkeypatch).rpartition("results:")[0].rstrip()
    html = kept._repr_html_()
    assert html.count("<tr>") == 3
    assert "gap of 0.5 within 20 server steps (median of 2 seeds)</span></caption>" in html


def test_results_lead_on(found):
    assert found.summary()["method"].tolist() == ["rennala-nigt", "slow"]
    report = found.verify()
    assert report.clean
    assert repr(report).endswith("checked: no problem")
    assert found.evaluate(methods="slow", seeds=1)["seed"].tolist() == [1]
    assert found.plot().get_ylabel() == "optimality gap"
    assert {"steps", "workers", "tickets"} <= {*dir(found)}


def test_temporary_results_are_removed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    short = simulator.run(SCENARIO, seeds=0, methods="slow", quiet=True)
    directory = short.directory
    assert directory.is_dir()
    del short
    gc.collect()
    assert not directory.exists()
    assert not [*tmp_path.iterdir()]


def test_schedules_alone_take_one_of_equal_seeds():
    only = simulator.run(SCENARIO, schedule_only=True, quiet=True)
    assert only.schedule_only
    assert only.runs["seed"].unique().tolist() == [0]
    assert "seconds per step" in repr(only)


def test_results_are_loaded_resumed_and_repeated(tmp_path):
    simulator.run(SCENARIO, out=tmp_path / "kept", methods="slow", seeds=0, quiet=True)
    kept = simulator.load_results(tmp_path / "kept")
    assert repr(simulator.resume(tmp_path / "kept", quiet=True)) == repr(kept)
    assert "all finite" in repr(simulator.replay(kept, "0.3.0"))
    written = simulator.timeline(kept, tmp_path / "timeline.json", workers=[0, 2])
    assert written.path.exists()
    with pytest.raises(Mistake, match="verify: run is a int; give what run returns, or the path"):
        simulator.verify(3)


def test_complexity_shows_exponents(tmp_path):
    grown = simulator.complexity(SCENARIO, "cluster.workers=2,4", seeds=0, **QUIET)
    assert grown.frame["value"].tolist() == [2, 2, 4, 4]
    assert grown.exponents()["method"].tolist() == ["rennala-nigt", "slow"]
    assert "exponent" in repr(grown)
    assert grown.plot()


def test_a_sweep_of_an_object_ends_in_objects(tmp_path):
    steps = {"methods.*.step": [0.05, 0.2]}
    asked = Sweep(scenario=SCENARIO, grid=steps, seeds=[0], set={"stop": {"steps": 5}})
    swept = simulator.sweep(asked, **QUIET)
    (best,) = swept.best()
    assert isinstance(best, Scenario)
    assert {table.step for table in best.methods.values()} <= {0.05, 0.2}
    assert len(swept.frame) == 4
    assert "settings" in repr(swept)


def test_a_suite_of_objects_is_checked():
    claim = Claim(
        scenario=SCENARIO.replace(cluster=Cluster(workers=4, compute=[1.0, 1.0, 1.0, 50.0])),
        seeds=[0],
        why="no server waits for the straggler",
        of="rennala-nigt",
        over="slow",
        measure="time-to-steps",
        count=3,
        at_least=2.0,
    )
    checked = simulator.check(Suite(title="mine", benchmarks={"soon": claim}), **QUIET)
    assert checked.good
    assert repr(checked).startswith("mine: 1 of 1 benchmarks hold")
    (line,) = _lines(lambda: simulator.check(Suite(benchmarks={"a": {"kind": "exact"}})))
    assert line == "Suite.benchmarks.a.scenario: is missing" or "is missing" in line


def _lines(build):
    with pytest.raises(Mistake) as caught:
        build()
    return caught.value.args[:1]


def test_a_simulation_takes_the_parts_of_a_scenario():
    network = Network(upload=0.5).build()
    cluster = Cluster(workers=10, compute=Power(exponent=0.5)).build(network)
    steps = Simulation(cluster, rennala(batch=20)).steps(Stop(steps=2))
    assert [step.time for step in steps] == [5.5, 11.0]
    with pytest.raises(Mistake, match=r"cluster is a Cluster; give Cluster\(...\).build\(\)"):
        Simulation(Cluster(workers=1, compute=1.0), rennala(batch=1))
    with pytest.raises(Mistake, match="aggregation is a RennalaNigt; give an aggregation"):
        Simulation(cluster, RennalaNigt(batch=1, **NIGT))


def test_training_takes_the_same_objects():
    simulation = Simulation(SCENARIO.build_cluster(), rennala(batch=4))
    trained = simulator.train(simulation, Stop(steps=3), SCENARIO.build_objective(), nigt(**NIGT))
    assert trained.point.shape == (8,)
    with pytest.raises(Mistake, match=r"objective is a Quadratic; give Quadratic\(...\).build\("):
        simulator.train(simulation, Stop(steps=3), Quadratic(), nigt(**NIGT))
    with pytest.raises(Mistake, match=r"stop is a int; give Stop\(steps=3\)"):
        next(simulation.steps(3))


def test_validate_estimates_a_scenario(tmp_path):
    valid = simulator.validate(SCENARIO, "cluster.in_outage=continued")
    assert re.match("at most [0-9]+ gradients used", repr(valid))
    assert valid.remarks == ["cluster.in_outage = 'continued': has no effect without outages"]


def test_every_kind_of_file_has_a_schema():
    assert {simulator.schema(kind)["title"] for kind in ("scenario", "sweep", "suite")} == {
        "straggle scenario",
        "straggle sweep",
        "straggle suite",
    }
    with pytest.raises(Mistake, match="kind = 'swep': must be one of scenario, sweep, suite"):
        simulator.schema("swep")
    assert load("straggler").title in simulator.listing()["scenarios"].values()
