"""Do trackers receive the metrics of runs, and can they harm none?"""

import json
import struct
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from plugged import plugins_as_before
from tensorboardX.proto.event_pb2 import Event
from test_cli import one_line, straggle, written
from test_packaging import ROOT

import simulator
from simulator.mistakes import Mistake
from simulator.scenario.loading import load
from simulator.tracking import SINKS, Points, Tracking, catalogue, sinks_of
from simulator.tracking.sink import SinkTable

SCENARIO = """
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 4 }
evaluation = { every_steps = 4 }
stop = { steps = 12 }
methods.rennala-nigt = { batch = 2, step = 0.1, momentum = 0.5 }
"""
FIGURE = ROOT / "docs" / "images" / "race.png"


@pytest.fixture
def scenario(tmp_path):
    return written(tmp_path / "s.toml", SCENARIO)


def events(folder):
    """The events in the files of a folder: records of a length, a checksum, a text, a checksum."""
    for file in sorted(folder.glob("events*")):
        data, at = file.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack("<Q", data[at : at + 8])
            yield Event.FromString(data[at + 12 : at + 12 + size])
            at += size + 16


def scalars(folder, tag):
    """Step, time and value of every scalar with this tag."""
    values = ((event, value) for event in events(folder) for value in event.summary.value)
    return [(e.step, e.wall_time, v.simple_value) for e, v in values if v.tag == tag]


def texts(folder):
    values = [value for event in events(folder) for value in event.summary.value]
    return {v.tag: v.tensor.string_val[0].decode() for v in values if v.tensor.string_val}


def assert_equal_curves(results, folder):
    steps = results.steps.dropna(subset="gap")
    for (method, seed), own in steps.groupby(["method", "seed"]):
        for column in ("gap", "gradients"):
            rows = scalars(folder / f"{method}-{seed}", column)
            assert [row[:2] for row in rows] == list(zip(own["step"], own["time"], strict=True))
            assert [row[2] for row in rows] == pytest.approx(own[column].tolist(), rel=1e-6)


def test_tensorboard_has_the_curves_and_settings_of_every_run(scenario, tmp_path):
    out = tmp_path / "out"
    results = simulator.run(scenario, out=out, track="tensorboard", quiet=True)
    assert_equal_curves(results, out / "tensorboard")
    found = texts(out / "tensorboard" / "rennala-nigt-1")
    assert "| methods.rennala-nigt.batch | 2 |" in found["settings/text_summary"]
    assert "| end | stop |" in found["outcome/text_summary"]
    assert simulator.verify(out).clean


@pytest.mark.nightly
def test_runs_in_other_processes_are_tracked(scenario, tmp_path):
    out = tmp_path / "out"
    words = ["--out", out, "--track", "tensorboard", "--jobs", 2]
    assert straggle("run", scenario, *words).code == 0
    assert_equal_curves(simulator.load_results(out), out / "tensorboard")
    images = [v for e in events(out / "tensorboard" / "results") for v in e.summary.value]
    assert {image.tag for image in images} >= {"figures/gap-time", "figures/timeline"}


def test_tracking_changes_neither_results_nor_identity(scenario, tmp_path):
    tracked = SCENARIO.replace("seeds", f"tracking = [{SINK}]\nseeds", 1)
    with_sink = written(tmp_path / "tracked.toml", tracked)
    one = simulator.run(scenario, out=tmp_path / "a", quiet=True)
    other = simulator.run(with_sink, out=tmp_path / "b", quiet=True)
    assert one.manifest["files"] == other.manifest["files"]
    assert one.manifest["scenario_hash"] == other.manifest["scenario_hash"]
    assert load(with_sink).tracking[0].kind == "tensorboard"
    assert [*(tmp_path / "board" / "b").iterdir()]
    more = simulator.run(scenario, out=tmp_path / "c", track="tensorboard", quiet=True, seeds=0)
    assert more.manifest["runs"][0]["steps"] == one.manifest["runs"][0]["steps"]


SINK = '{ kind = "tensorboard", directory = "board" }'


@pytest.fixture(autouse=True)
def in_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


BROKEN = """
from typing import Literal

from simulator.tracking import SinkTable


class BrokenTable(SinkTable):
    kind: Literal["broken"]

    def open(self, directory):
        return self

    def begin(self, run, settings):
        pass

    def log(self, run, step, seconds, metrics):
        raise ConnectionError("the server is gone")


SINKS = {"broken": BrokenTable}
"""


def test_a_sink_that_fails_costs_one_warning_and_no_run(scenario, tmp_path):
    plugin = written(tmp_path / "my_sink.py", BROKEN)
    words = ["--plugin", plugin, "--track", "broken", "--quiet", "--figures", "none"]
    with plugins_as_before():
        answer = straggle("run", scenario, "--out", tmp_path / "out", *words)
    assert answer.code == 0
    assert answer.err == (
        "straggle: tracking by broken failed: ConnectionError: the server is gone; "
        "the runs go on without it\n"
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["status"], manifest["plugins"]) == ("complete", {})


def test_what_cannot_be_tracked_is_refused_before_any_work(scenario, tmp_path, monkeypatch):
    words = ["run", scenario, "--out", tmp_path / "out", "--track"]
    assert "did you mean 'tensorboard'?" in one_line(straggle(*words, "tensorbord"))
    monkeypatch.setattr(catalogue, "find_spec", lambda package: None)
    refusal = one_line(straggle(*words, "wandb"))
    assert "tracking by wandb: wandb is not installed; " in refusal
    assert catalogue.install_command("wandb") in refusal
    assert not (tmp_path / "out").exists()
    with pytest.raises(Mistake, match=r"^tracking\[0\].projekt: unknown key; did you"):
        load(scenario, ['tracking=[{kind="wandb", projekt="a"}]'])


def play(kind, folder):
    """One short run for a sink."""
    tracking = Tracking(sinks_of([], [kind]))
    tracking.open(folder, lambda method, seed: {"stop.steps": 2})
    for rows in ([(0, 0.0, {"gap": 1.0})], [(2, 3.5, {"gap": 0.5})]):
        tracking.points(Points("afedpg", 0, rows))
    tracking.points(Points("afedpg", 1, [(0, 0.0, {"gap": 1.0})]))
    tracking.ended("afedpg", 0, {"end": "stop", "steps": 2, "failed_ticket": None})
    tracking.finish([FIGURE])


@pytest.fixture
def module(request, monkeypatch):
    """A module that notes all calls, in place of the real one."""
    fake = MagicMock()
    for name in (request.param, f"{request.param}.entities"):
        monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.setattr(catalogue, "find_spec", lambda package: package)
    return fake


@pytest.mark.parametrize("module", ["wandb"], indirect=True)
def test_weights_and_biases_get_a_run_for_each_of_ours(module, tmp_path):
    run = module.init.return_value
    play("wandb", tmp_path)
    names = [call.kwargs["name"] for call in module.init.call_args_list]
    assert names == [f"{tmp_path.name}/{run}" for run in ("afedpg-0", "afedpg-1", "results")]
    run.config.update.assert_called_with({"stop.steps": 2})
    run.log.assert_any_call({"server_step": 2, "simulated_seconds": 3.5, "gap": 0.5})
    run.summary.update.assert_called_once_with({"end": "stop", "steps": 2})
    module.Artifact.return_value.add_file.assert_called_once_with(str(FIGURE))
    assert run.finish.call_count == 3


@pytest.mark.parametrize("module", ["mlflow"], indirect=True)
def test_mlflow_gets_simulated_time_as_its_timestamp(module, tmp_path):
    play("mlflow", tmp_path)
    client = module.MlflowClient.return_value
    module.Metric.assert_any_call("gap", 0.5, 3500, 2)
    assert client.create_run.call_count == 3
    assert client.set_terminated.call_count == 3
    assert client.log_artifact.call_args.args[1] == str(FIGURE)


@pytest.mark.parametrize("module", ["trackio"], indirect=True)
def test_trackio_gets_its_steps(module, tmp_path):
    play("trackio", tmp_path)
    run = module.init.return_value
    run.log.assert_any_call({"simulated_seconds": 3.5, "gap": 0.5}, step=2)
    assert module.init.call_args_list[0].kwargs["config"] == {"stop.steps": 2}
    assert run.finish.call_count == 3


@pytest.mark.nightly
def test_mlflow_keeps_the_numbers_in_a_folder(tmp_path, monkeypatch):
    from mlflow import MlflowClient

    play("mlflow", tmp_path)
    client = MlflowClient(tracking_uri=(tmp_path / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("straggle").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    run = runs[f"{tmp_path.name}/afedpg-0"]
    history = client.get_metric_history(run.info.run_id, "gap")
    assert [(m.step, m.timestamp, m.value) for m in history] == [(0, 0, 1.0), (2, 3500, 0.5)]
    assert run.data.params == {"stop.steps": "2"}
    whole = runs[f"{tmp_path.name}/results"].info.run_id
    assert [file.path for file in client.list_artifacts(whole)] == ["race.png"]


@pytest.mark.nightly
def test_weights_and_biases_write_offline_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    play("wandb", tmp_path)
    files = [*(tmp_path / "wandb").glob("offline-run-*/*.wandb")]
    assert len(files) == 3
    assert any(b"simulated_seconds" in file.read_bytes() for file in files)


@pytest.mark.nightly
def test_trackio_writes_a_database(tmp_path, capfd, monkeypatch):
    import sqlite3

    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    play("trackio", tmp_path)
    assert capfd.readouterr().out == ""
    with sqlite3.connect(tmp_path / "trackio" / "straggle.db") as connection:
        rows = connection.execute("select run_name, step, metrics from metrics").fetchall()
    own = [(step, json.loads(m)) for name, step, m in rows if name.endswith("afedpg-0")]
    assert (2, {"simulated_seconds": 3.5, "gap": 0.5}) in own


def test_every_sink_has_an_extra():
    text = (ROOT / "pyproject.toml").read_text()
    for name, table in SINKS.items():
        assert issubclass(table, SinkTable)
        assert f"\n{table.extra} = [" in text, name
    assert Path(FIGURE).is_file()
