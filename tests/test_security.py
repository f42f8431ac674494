"""Are foreign results, traces and scenarios only read, and never run?"""

import io
import json
import os
import pickle
import shutil
import socket
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.lib import format as npy
from pyarrow import parquet

from simulator import run
from simulator.cli.app import complain
from simulator.mistakes import Mistake
from simulator.replays import evaluation
from simulator.results import results
from simulator.scenario.loading import check, load
from simulator.trace import chrome_trace

TRACE = "worker,time,speed\n0,0,1\n1,0,2\n"
TABLES = {
    "seeds": [0],
    "cluster": {"workers": 2, "compute": 1},
    "objective": {"kind": "quadratic", "dimension": 3},
    "stop": {"steps": 4},
    "methods": {"rennala-nigt": {"batch": 2, "step": 0.1, "momentum": 0.5}},
}


class Evil:
    """What is unpickled here would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    (folder / "trace.csv").write_text(TRACE)
    file = folder / "scenario.toml"
    file.write_text(
        'seeds = [0]\ncluster = { workers = 2, compute = 1, speed = { law = "trace", '
        'file = "trace.csv" } }\nobjective = { kind = "quadratic", dimension = 3 }\n'
        "stop = { steps = 4 }\nmethods.rennala-nigt = { batch = 2, step = 0.1, momentum = 0.5 }\n"
    )
    return run(file, out=folder / "run", tickets=True, quiet=True).directory


@pytest.fixture
def directory(made, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    return copy


def rewrite(directory: Path, change) -> None:
    file = directory / "manifest.json"
    manifest = json.loads(file.read_text())
    change(manifest)
    file.write_text(json.dumps(manifest))


def mistake_of(act, *arguments) -> str:
    with pytest.raises(Mistake) as refusal:
        act(*arguments)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def everything(directory: Path):
    found = results.load(directory)
    return found.scenario, found.parameters("rennala-nigt", 0), found.tickets


# Pickles


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda file, evil: np.savez(file, parameters=np.array([evil] * 3, dtype=object)),
         "must hold 3 real numbers"),
        (lambda file, evil: file.write_bytes(pickle.dumps(evil)),
         "cannot be read: File is not a zip file"),
    ],
)  # fmt: skip
def test_a_pickle_in_place_of_a_point_is_not_opened(write, message, directory, tmp_path):
    assert everything(directory)
    write(directory / "parameters" / "rennala-nigt-0.npz", Evil(tmp_path / "mark"))
    assert message in mistake_of(everything, directory)
    assert not (tmp_path / "mark").exists()


def test_bytes_in_a_table_stay_bytes(directory, tmp_path):
    """Neither a column of pickles nor what the file says about pandas is listened to."""
    mark = tmp_path / "mark"
    file = directory / "steps.parquet"
    frame = pd.read_parquet(file)
    frame["extra"] = [pickle.dumps(Evil(mark))] * len(frame)
    frame.to_parquet(file)
    assert "column extra holds binary: must hold numbers" in mistake_of(everything, directory)
    assert not mark.exists()


def test_pandas_metadata_of_a_table_is_ignored(directory):
    file = directory / "steps.parquet"
    table = parquet.read_table(file)
    about = {b"pandas": json.dumps({"index_columns": ["step"], "columns": []}).encode()}
    parquet.write_table(table.replace_schema_metadata(about), file)
    assert "step" in results.load(directory).steps.columns


# Paths


@pytest.mark.parametrize("method", ["../../etc/passwd", "", "..", "x\x00y"])
def test_a_method_of_a_manifest_names_no_other_directory(directory, method):
    rewrite(directory, lambda m: m["runs"][0].update(method=method))
    assert "runs[0].method" in mistake_of(results.load, directory)


@pytest.mark.parametrize("file", ["../speeds.csv", "/etc/passwd", "..", 5])
def test_the_trace_of_a_manifest_lies_in_its_directory(directory, file):
    (directory.parent / "speeds.csv").write_text(TRACE)
    rewrite(directory, lambda m: m["scenario"]["cluster"]["speed"].update(file=file))
    message = mistake_of(everything, directory)
    assert f"cluster.speed.file = {file!r}: must be the name of a file in this directory" in message


@pytest.mark.parametrize(
    "name", ["steps.parquet", "speed.csv", "parameters/rennala-nigt-0.npz", "manifest.json"]
)
def test_a_link_does_not_lead_out(directory, name):
    outside = directory.parent / "outside"
    shutil.move(directory / name, outside)
    (directory / name).symlink_to(outside)
    assert f"leads out of {directory}" in mistake_of(everything, directory)


def test_a_scenario_of_ones_own_may_name_any_trace(tmp_path):
    file = tmp_path / "elsewhere.csv"
    file.write_text(TRACE)
    cluster = {**TABLES["cluster"], "speed": {"law": "trace", "file": str(file)}}
    assert check({**TABLES, "cluster": cluster}).files == {"cluster.speed.file": file}


# Bombs


def test_an_array_is_not_given_the_room_that_it_claims(directory):
    """A header that says a petabyte, and no data."""
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**47,)})
    with zipfile.ZipFile(directory / "parameters" / "rennala-nigt-0.npz", "w") as archive:
        archive.writestr("parameters.npy", header.getvalue())
    assert "must hold 3 real numbers" in mistake_of(everything, directory)
    rewrite(directory, lambda m: m["vector"].update(dimension=2**47))
    assert "for which there is no memory" in mistake_of(everything, directory)


def test_no_more_of_an_array_is_unpacked_than_is_needed(directory):
    """Zeros by the gigabyte take a megabyte in a zip."""
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (3,)})
    file = directory / "parameters" / "rennala-nigt-0.npz"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("parameters.npy", header.getvalue() + bytes(2**24))
    assert everything(directory)[1].tolist() == [0, 0, 0]


def test_a_table_is_not_given_the_room_that_it_claims(directory, monkeypatch):
    """A number that repeats takes a few bytes however often it occurs."""
    many = 2**20
    table = pa.table({"method": pa.array(["x"]).take(pa.array([0] * many)), "seed": [0] * many})
    for name in results.STEPS[2:]:
        table = table.append_column(name, pa.array(np.zeros(many)))
    parquet.write_table(table, directory / "steps.parquet")
    assert (directory / "steps.parquet").stat().st_size < 2**16
    monkeypatch.setattr("simulator.results.intake.available_bytes", lambda: 1e8)
    assert "has 1,048,576 rows, for which there is no memory" in mistake_of(results.load, directory)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_brackets_without_end_are_no_crash(directory, text):
    (directory / "manifest.json").write_text(text)
    assert "manifest.json: cannot be read" in mistake_of(results.load, directory)


# Code and network


def test_results_are_read_without_the_code_that_they_name(directory, tmp_path, monkeypatch):
    """An environment's module is imported to play it, and for nothing else."""
    (tmp_path / "evil_module.py").write_text("import pathlib\npathlib.Path('mark').touch()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    objective = {"kind": "policy-gradient", "environment": "evil_module:Evil-v0"}
    rewrite(directory, lambda m: m["scenario"].update(objective=objective))
    found = results.load(directory)
    written = chrome_trace.write(chrome_trace.excerpt(found), tmp_path / "timeline.json")
    assert written.events
    assert not (tmp_path / "mark").exists()
    # An evaluation plays the environment, and so trusts it.
    message = mistake_of(evaluation.evaluate, evaluation.select(found, None, None), 1, 0)
    assert message.startswith("objective.environment = 'evil_module:Evil-v0'")
    assert (tmp_path / "mark").exists()


def test_an_environment_that_ends_its_process_is_refused():
    objective = {"kind": "policy-gradient", "environment": "strange_environments:Fatal-v0"}
    message = mistake_of(check, {**TABLES, "objective": objective})
    assert message.startswith(
        "objective.environment = 'strange_environments:Fatal-v0': the process"
    )
    assert "died with exit code 9" in message


def test_nothing_asks_the_network(directory, tmp_path, monkeypatch):
    def refuse(*arguments, **named):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    load("straggler")
    everything(directory)
    run("one-straggler", "stop={steps=2}", seeds=[0], out=tmp_path / "out", quiet=True)


# What is said, and small faults of old


def test_messages_cannot_control_a_terminal(capsys):
    complain("a = '\x1b[2J\u202e\n" + "x" * 10_000, 2)
    said = capsys.readouterr().err
    assert said.startswith(r"straggle: a = '\x1b[2J\u202e x")
    assert len(said) < 1000
    assert said.strip().isprintable()


def test_a_column_that_is_there_twice_is_refused(tmp_path):
    csv, columns = tmp_path / "t.csv", tmp_path / "t.parquet"
    csv.write_text("worker,time,speed,speed\n0,0,1,2\n")
    twice = pa.Table.from_arrays(
        [pa.array([0]), pa.array([0.0]), pa.array([1.0]), pa.array([2.0])],
        names=["worker", "time", "speed", "speed"],
    )
    parquet.write_table(twice, columns)
    for file in (csv, columns):
        cluster = {**TABLES["cluster"], "speed": {"law": "trace", "file": str(file)}}
        assert "speed is there twice" in mistake_of(check, {**TABLES, "cluster": cluster})


def test_without_a_run_there_is_nothing_to_evaluate(directory):
    rewrite(directory, lambda m: m.update(runs=[]))
    message = mistake_of(evaluation.select, results.load(directory), None, None)
    assert message == f"{directory}: holds no run"


def test_points_of_another_policy_are_not_evaluated(directory):
    rewrite(directory, lambda m: m["scenario"]["objective"].update(dimension=7))
    chosen = evaluation.select(results.load(directory), None, None)
    assert "its points have 3 parameters, its scenario 7" in mistake_of(
        evaluation.evaluate, chosen, 1, 0
    )
