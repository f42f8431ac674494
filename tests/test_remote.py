"""Does a campaign on the nodes of a Ray cluster end like one of local processes, to the bit?

The nodes are processes of this machine, which Ray's own tests call a cluster.  They share its disk,
so ``shared=False`` makes them send all files back.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import children
import plugged
import pytest
from children import ended, start
from test_cli import written
from test_side_by_side import content

from simulator import Mistake, Ray, calibrate, real, resume, run, sweep, verify
from simulator.plugins import load_plugin
from simulator.realtime.fleet import Fleet
from simulator.remote import agent, agents, connection, probe, traits
from simulator.remote.agent import Plugin, placed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Ray's test cluster")

SCENARIO = """
seeds = [0, 1]
objective = { kind = "quadratic", dimension = 6, scale = 0.1 }
stop = { steps = 200 }
methods.rennala-pg = { batch = 3, step = 0.05 }
methods.afedpg = { step = 0.01, momentum = 0.3 }
[cluster]
workers = 3
compute = { law = "empirical", file = "seconds.csv", worker = "worker" }
speed = { law = "trace", file = "speeds.csv" }
"""
SECONDS = "worker,seconds\n0,1\n0,1.2\n1,2\n1,2.5\n1,1.7\n2,4\n2,4.4\n"
HUNGRY = """
import multiprocessing, os, signal, sys
from pathlib import Path

from simulator.cluster import Fixed

LAWS = {"hungry": Fixed}
fed, driver = Path(os.environ["STRAGGLE_FED"]), os.environ["STRAGGLE_DRIVER"]

def refuse(event, arguments):
    if event == "open" and str(arguments[0]).startswith(driver):
        raise OSError(f"{arguments[0]} lies on the driver's disk")

if multiprocessing.parent_process():
    sys.addaudithook(refuse)
if multiprocessing.parent_process() and not fed.exists():
    if fed.parent.exists():
        fed.touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
SKEWED = """
import os, sys, time
from pathlib import Path

from simulator.cluster import Fixed
from simulator.realtime import worker

LAWS = {"skewed": Fixed}
if sys.argv[0].endswith("default_worker.py"):
    monotonic, clock, ahead = time.monotonic, time.time, 1e5 * (1 + os.getpid() % 10)
    time.monotonic, time.time = lambda: monotonic() + ahead, lambda: clock() + ahead
    worker.BOOT = Path("/no/such/file")
"""
EATING = """
import sys
import children
from simulator import Mistake, Ray
try:
    Ray().run(children.eat, {"a": 2_000_000_000}, print)
except Mistake as mistake:
    print(mistake, file=sys.stderr)
"""
TRACE = "worker,time,speed\n0,0,1\n0,5,0.5\n1,0,1\n2,0,1\n2,3,2\n"


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one core each, which can import the modules of the tests."""
    connection.ray()
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(children.__file__).parent), prepend=os.pathsep)
        yield from _cluster(Cluster)


def _cluster(kind):
    found = kind(initialize_head=True, head_node_args={"num_cpus": 1})
    found.add_node(num_cpus=1)
    yield found
    connection.ray().shutdown()
    found.shutdown()


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remote")
    (folder / "speeds.csv").write_text(TRACE)
    (folder / "seconds.csv").write_text(SECONDS)
    return written(folder / "four.toml", SCENARIO)


@pytest.fixture(scope="module")
def alone(scenario, tmp_path_factory):
    """What the runs leave behind without a cluster."""
    out = tmp_path_factory.mktemp("alone") / "o"
    run(scenario, out=out, quiet=True)
    return content(out)


@pytest.mark.parametrize("shared", [True, False])
def test_a_run_on_two_nodes_leaves_the_same_files(shared, cluster, scenario, alone, tmp_path):
    out = tmp_path / "o"
    run(scenario, out=out, runner=Ray(cluster.address, shared=shared), quiet=True)
    assert content(out) == alone
    assert verify(out).clean
    assert not [*out.glob(".straggle-*")]


@pytest.mark.parametrize("again", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_a_task_without_memory_is_repeated_once_then_refused(
    again, cluster, scenario, alone, tmp_path, monkeypatch
):
    """The kernel kills a process; the results are those of the local runner, to the bit.

    No process of a node can open a file in the driver's folder: those of the laws travel.
    """
    plugin, out, fed = tmp_path / "hungry.py", tmp_path / "o", tmp_path / "there" / "fed"
    plugin.write_text(HUNGRY)
    monkeypatch.setenv("STRAGGLE_FED", str(fed))
    monkeypatch.setenv("STRAGGLE_DRIVER", str(scenario.parent))
    with plugged.plugins_as_before():
        load_plugin(str(plugin))
        if not again:
            fed.parent.mkdir()
            run(scenario, out=out, runner=Ray(cluster.address, shared=False), quiet=True)
            assert fed.exists()
        else:
            with pytest.raises(Mistake, match=r"died 2 times, .* code -9 \(killed, as if mem"):
                run(scenario, out=out, runner=Ray(cluster.address, shared=False), quiet=True)
            resume(out, quiet=True)
    assert content(out) == alone


def test_a_sweep_on_a_cluster_has_the_rows_of_a_local_one(cluster, scenario, tmp_path):
    steps = {"scenario": str(scenario), "grid": {"methods.*.step": [0.01, 0.02]}}
    here = sweep(steps, out=tmp_path / "here", jobs=1, quiet=True).frame
    there = sweep(
        steps, out=tmp_path / "there", runner=Ray(cluster.address, shared=False), quiet=True
    ).frame
    timed = ["real_seconds"]
    assert here.drop(columns=timed).equals(there.drop(columns=timed))


def test_jobs_of_a_node_that_dies_are_done_elsewhere_and_a_new_node_gets_some(
    cluster, monkeypatch, tmp_path
):
    monkeypatch.setattr(agents, "MOMENT", 0.1)
    doomed = cluster.add_node(num_cpus=1)
    works = {str(number): tmp_path for number in range(3)}
    printed: dict[str, list[object]] = {name: [] for name in works}

    def on_item(name, item):
        printed[name].append(item)
        if sum(map(len, printed.values())) == 3:  # all three have begun
            cluster.remove_node(doomed, allow_graceful=False)
            cluster.add_node(num_cpus=1)
            for begun in works:
                (tmp_path / begun).touch()

    Ray(cluster.address).run(children.wait_for, works, on_item)
    assert sorted(map(len, printed.values())) == [2, 2, 3]
    assert all(items[-1] == "done" for items in printed.values())


def test_a_process_that_dies_is_replaced_once(cluster, tmp_path):
    printed = {}
    works = {"a": tmp_path / "a", "b": None}
    Ray(cluster.address).run(children.die_once, works, printed.__setitem__)
    assert printed == {"a": "done", "b": "done"}
    with pytest.raises(Mistake, match=r"^a: the process that did it died 2 times, .* code 7; "):
        Ray(cluster.address).run(children.die, {"a": None}, printed.__setitem__)


@pytest.mark.nightly
def test_a_job_that_ray_ends_for_its_memory_is_refused_in_a_line():
    lines = [line.split() for line in Path("/proc/meminfo").read_text().splitlines()]
    free = {name: int(number) for name, number, *_ in lines}
    most = 1 - (free["MemAvailable:"] - 1_000_000) / free["MemTotal:"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_memory_usage_threshold", str(most))
        patch.setenv("RAY_memory_monitor_refresh_ms", "100")
        patch.setenv("PYTHONPATH", str(Path(children.__file__).parent), prepend=os.pathsep)
        said = ended(start([], EATING))
    assert "a: the process that did it died 2 times, the last time as its node ran out" in said


def test_an_error_on_a_node_is_raised_here(cluster):
    with pytest.raises(ZeroDivisionError):
        Ray(cluster.address).run(children.fail, {"b": 0}, lambda name, item: None)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.nightly)]
)
def test_a_driver_that_is_stopped_is_resumed_to_the_same_bits(
    number, cluster, scenario, alone, tmp_path
):
    out = tmp_path / "o"
    words = ["run", scenario, "--out", out, "--on", f"ray={cluster.address}", "--figures", "none"]
    process = start(words, STRAGGLE_CHECKPOINT_SECONDS="0")
    next(line for line in process.stderr if line.startswith("[1/4]"))
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said
    resume(out, runner=Ray(cluster.address, shared=False), quiet=True)
    assert content(out) == alone
    assert not (out / "checkpoints").exists()


def test_a_probe_logs_every_core_of_the_cluster(cluster):
    found = probe.log(cluster.address, rows=3)
    cores = int(connection.ray().cluster_resources()["CPU"])
    counts = found.groupby(["worker", "kind"]).size()
    assert counts.xs("compute", level="kind").tolist() == [3] * cores
    assert counts.xs("upload", level="kind").tolist() == [probe.SENDINGS] * cores
    assert (found["end"] > found["start"]).all()
    assert calibrate(found).tables["cluster"]["workers"] == cores


def test_a_timeline_of_ray_is_a_log(cluster, tmp_path):
    """Its events come a second or so after their tasks; ``task:execute`` is nested in each."""
    ray, file = connection.connect(cluster.address, None), tmp_path / "timeline.json"
    agents.IDLE.end()
    nappers = [ray.remote(num_cpus=1)(children.Napper).remote() for _ in range(2)]
    ray.get([napper.nap.remote() for napper in nappers for _ in range(5)])
    deadline, events = time.monotonic() + 30, []
    while len(events) < 10 and time.monotonic() < deadline:
        ray.timeline(str(file))
        events = json.loads(file.read_text())
        events = [each for each in events if each["cat"] == "task::Napper.nap"]
    for napper in nappers:
        ray.kill(napper)
    found = calibrate(file, name="task::Napper.nap")
    assert found.tables["cluster"]["workers"] == 2
    assert found.found.log.samples["compute"].seconds.min() >= children.NAP


REAL = {
    "seeds": [0],
    "cluster": {"workers": 2, "compute": [1, 2]},
    "objective": {"kind": "quadratic", "dimension": 5, "scale": 0.1},
    "stop": {"steps": 4},
    "methods": {"afedpg": {"step": 0.01, "momentum": 0.3}},
}


def test_workers_on_several_nodes_with_other_clocks_measure_the_same(
    cluster, tmp_path, monkeypatch
):
    """A plug-in sets each worker's clocks days ahead, and says that it is another machine."""
    plugin, gather, nodes = tmp_path / "skewed.py", Fleet.gather, set()
    plugin.write_text(SKEWED)

    def gather_and_look(fleet):
        gather(fleet)
        own = [each.actor.__ray_call__.remote(children.node) for each in fleet._all]
        nodes.update(fleet._ray.get(own))

    monkeypatch.setattr(Fleet, "gather", gather_and_look)
    with plugged.plugins_as_before():
        load_plugin(str(plugin))
        found = real(REAL, address=cluster.address, time_scale=0.05, quiet=True).results
    assert len(nodes) == 2
    assert verify(found).clean
    tickets, end = found.tickets, found.runs["simulated_seconds"][0]
    done = tickets[tickets["outcome"].isin(["used", "dropped"])]
    assert (done["finish"] - done["start"] >= done["worker"].map({0: 1, 1: 2}) - 1e-9).all()
    assert tickets["start"].min() >= 0
    assert done["finish"].max() <= end < 72_000  # an hour


def test_a_worker_with_other_versions_is_refused_before_it_works(cluster, monkeypatch):
    own = traits.traits()
    monkeypatch.setattr(agent, "traits", lambda: own._replace(versions={"jax": "0.1"}))
    with pytest.raises(Mistake, match=r"node .* has jax .* \(here 0\.1\); install the same"):
        real(REAL, address=cluster.address, quiet=True)


def test_a_node_with_other_versions_or_sources_is_refused():
    own = traits.traits()
    other = own._replace(node="n2", versions={**own.versions, "jax": "0.1", "mujoco": "none"})
    with pytest.raises(Mistake, match=r"node n2 has jax 0\.1 \(here .*\), mujoco none.*; install"):
        traits.check(other, own)
    with pytest.raises(Mistake, match="node n3 has other sources of straggle"):
        traits.check(own._replace(node="n3", sources="?"), own)


def test_a_plug_in_travels_unless_it_lies_there_already(tmp_path):
    here = tmp_path / "mine.py"
    here.write_text("LAWS = {}\n")
    other = tmp_path / "other"
    other.mkdir()
    assert placed(Plugin(str(here), here.read_bytes()), other) == str(here)
    elsewhere = placed(Plugin("/nowhere/mine.py", b"LAWS = {}\n"), other)
    assert elsewhere == str(other / "mine.py")
    assert Path(elsewhere).read_text() == "LAWS = {}\n"
    assert placed(Plugin("package.module", None), other) == "package.module"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("spark", "--on spark: must be ray, or ray=HOST:PORT"),
        ("ray=head", "--on ray=head: must be HOST:PORT, such as 10.0.0.1:6379"),
        ("ray=127.0.0.1:9", "--on ray=127.0.0.1:9: Connection refused; is it up"),
    ],
)
def test_a_place_without_a_cluster_is_refused_in_a_line(place, message):
    from simulator.cli.app import jobs_on

    with pytest.raises(Mistake, match=message):
        jobs_on(place, None)


def test_a_server_that_is_no_cluster_is_refused_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        threading.Thread(target=lambda: server.accept()[0].sendall(b"HTTP/1.1 400")).start()
        with pytest.raises(Mistake, match=f"^--on ray=127.0.0.1:{port}: what answers is no Ray"):
            Ray(f"127.0.0.1:{port}").found()


def test_without_ray_a_line_names_the_command(monkeypatch):
    monkeypatch.setattr(connection, "find_spec", lambda name: None)
    with pytest.raises(Mistake, match=r"--on ray: Ray is not installed; .*ray"):
        Ray().found()
