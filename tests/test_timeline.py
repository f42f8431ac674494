"""Do tracks and the Chrome trace tell what happened?  Against the accounts, and the format."""

import json
import math
import tracemalloc
from collections import defaultdict
from itertools import pairwise

import pytest
from compiled import run_schedules
from test_cli import one_line, straggle

from algorithms.tickets import Ticket
from simulator.results import results
from simulator.results.directory import claim_directory
from simulator.results.writer import Writer
from simulator.scenario.loading import check
from simulator.schedule import Computation, Stretch
from simulator.trace import chrome_trace
from simulator.trace.chrome_trace import excerpt, write
from simulator.trace.tracks import layers_of, track
from simulator.training.record import Run
from simulator.training.schedules import vector_of

METHODS = {
    "rennala-nigt": {"batch": 7, "step": 0.1, "momentum": 0.1},
    "malenia-nigt": {"batch": 7, "step": 0.1, "momentum": 0.1},
    "afedpg": {"step": 0.1, "momentum": 0.1},
    "synchronous-nigt": {"step": 0.1, "momentum": 0.1},
}
LADDER = [1.0, 1.3, 1.7, 2.2]
LINKS = {"upload": [0.5, 0.1, 0.9, 0.3], "download": 0.25}
FAILURES = {"mean_time_between_failures": 8.0, "mean_time_to_repair": 3.0}
OUTAGES = [{"worker": 1, "begin": 3.3, "end": 9.1}, {"worker": 2, "begin": 20.5, "end": 30.0}]
END = 47.3


def results_of(directory, *, network=None, methods=METHODS, stop=None, seeds=(0,), **cluster):
    """A result directory of which only the times were simulated."""
    tables = {
        "seeds": list(seeds),
        "cluster": {"workers": 4, "compute": LADDER} | cluster,
        "network": network or {},
        "objective": {"kind": "quadratic", "dimension": 4},
        "stop": stop or {"seconds": END},
        "methods": methods,
    }
    scenario = check(tables)
    folder, vector = claim_directory(directory), vector_of(scenario)
    writer = Writer(folder, scenario, "test", vector, schedule_only=True)
    for run in run_schedules(scenario):
        writer.add(run)
    writer.write("complete")
    return results.load(folder)


def events_of(found, **wanted):
    """What the file holds that is written for these results."""
    written = write(excerpt(found, **wanted), found.directory / "timeline.json")
    data = json.loads(written.path.read_text())
    assert written.events == len(data["traceEvents"])
    assert written.size == written.path.stat().st_size
    return data["traceEvents"]


def slices_of(events):
    """The X events by run and worker, in the order of time."""
    slices = defaultdict(list)
    for event in sorted(events, key=lambda event: event.get("ts", 0)):
        if event["ph"] == "X":
            slices[process(events, event), event["tid"] - event["pid"] - 1].append(event)
    return slices


def process(events, event):
    """The label of an event's method."""
    (name,) = [
        each["args"]["name"]
        for each in events
        if each["name"] == "process_name" and each["pid"] == event["pid"]
    ]
    return name.split(",")[0]


# Tracks


def printed(slices):
    return [(each.start, each.finish, each.kind) for each in slices]


def computation(start, finish, index=0, outcome="used"):
    return Computation(Ticket(0, 0, index), start, finish, outcome)


def test_uncovered_time_is_waiting():
    mine = layers_of(
        [computation(6.0, 7.0, 1), Stretch("down", 0, 2.0, 3.0, 0), computation(1.0, 2.0)]
    )
    assert printed(track(mine, 0.0, 8.0, lossy=True)) == [
        (0.0, 1.0, "waiting"),
        (1.0, 2.0, "computing"),
        (2.0, 3.0, "down"),
        (3.0, 6.0, "waiting"),
        (6.0, 7.0, "computing"),
        (7.0, 8.0, "waiting"),
    ]


def test_computing_hides_transfers_and_outages_hide_all():
    mine = layers_of(
        [
            Stretch("receiving", 0, 0.0, 1.0, 0),
            computation(1.0, 5.0),
            Stretch("down", 0, 2.0, 3.0, 0),
            computation(5.0, 6.0, 1),
            Stretch("sending", 0, 5.0, 7.0, 0),
            Stretch("sending", 0, 6.0, 9.0, 0),
        ]
    )
    assert printed(track(mine, 0.5, 8.0, lossy=False)) == [
        (0.5, 1.0, "receiving"),
        (1.0, 2.0, "computing"),
        (2.0, 3.0, "down"),
        (3.0, 5.0, "computing"),
        (5.0, 6.0, "computing"),
        (6.0, 7.0, "sending"),
        (7.0, 8.0, "sending"),
    ]


@pytest.mark.parametrize(("lossy", "after"), [(True, "waiting"), (False, "sending")])
def test_an_outage_aborts_an_upload_if_work_is_lost(lossy, after):
    mine = layers_of([Stretch("sending", 0, 1.0, 9.0, 0), Stretch("down", 0, 2.0, 3.0, 0)])
    assert printed(track(mine, 1.0, 9.0, lossy=lossy)) == [
        (1.0, 2.0, "sending"),
        (2.0, 3.0, "down"),
        (3.0, 9.0, after),
    ]
    # The outage is over when what is shown begins, but the upload knows of it.
    assert printed(track(mine, 4.0, 9.0, lossy=lossy)) == [(4.0, 9.0, after)]


# The file against the accounts

CLUSTERS = {
    "gathered": {"network": LINKS | {"collective": "gather"}},
    "ring": {"network": LINKS | {"collective": "ring"}},
    "finish and network": {"in_flight": "finish", "network": LINKS},
    "slow uploads": {"network": {"upload": 5.0, "download": [0.1, 0.1, 0.1, 40.0]}},
    "pauses and network": {"outages": OUTAGES, "in_outage": "continued", "network": LINKS},
    "finish and pauses": {"failures": FAILURES, "in_outage": "continued", "in_flight": "finish"},
    "finish and crashes": {"failures": FAILURES, "network": LINKS, "in_flight": "finish"},
}
KINDS = {
    "busy": ("computing",),
    "communicating": ("receiving", "sending"),
    "down": ("down",),
    "idle": ("waiting",),
}


@pytest.fixture(scope="module", params=CLUSTERS)
def file(request, tmp_path_factory):
    """Results on each of the clusters, and what is written of them."""
    found = results_of(tmp_path_factory.mktemp("runs") / "run", **CLUSTERS[request.param])
    return found, events_of(found)


def test_totals_are_those_of_the_accounts(file):
    found, events = file
    slices = slices_of(events)
    for row in found.workers.itertuples():
        mine = slices[row.method, row.worker]
        for account, kinds in KINDS.items():
            seconds = sum(each["dur"] for each in mine if each["cat"] in kinds) / 1e6
            assert seconds == pytest.approx(getattr(row, account), rel=1e-6, abs=1e-6), account
        for outcome in ("used", "dropped", "lost"):
            # A pause parts a computation in two.
            tickets = {
                tuple(each["args"]["ticket"].values())
                for each in mine
                if each["args"].get("outcome") == outcome
            }
            assert len(tickets) == getattr(row, outcome), outcome


def test_a_track_has_no_gap_and_no_overlap(file):
    found, events = file
    ends, slices = found.runs.set_index("method")["simulated_seconds"], slices_of(events)
    for (method, worker), mine in slices.items():
        for one, next_one in pairwise(mine):
            end = one["ts"] + one["dur"]
            assert end <= next_one["ts"] + 1e-3
            assert worker == -1 or end >= next_one["ts"] - 1e-3
            # Perfetto counts nanoseconds.
            ends_at = int(one["ts"] * 1000.0) + int(one["dur"] * 1000.0)
            assert ends_at <= int(next_one["ts"] * 1000.0)
        if worker >= 0:
            assert mine[0]["ts"] == 0
            assert mine[-1]["ts"] + mine[-1]["dur"] == pytest.approx(ends[method] * 1e6)
    expected = {(method, worker) for method in METHODS for worker in range(4)}
    assert expected <= slices.keys()
    if found.workers["communicating"].any():  # all-reduces are on the server's track
        assert ("synchronous-nigt", -1) in slices


def test_steps_are_instants_at_their_times(file):
    found, events = file
    for method, rows in found.steps[found.steps["step"] > 0].groupby("method"):
        steps = [e for e in events if e["ph"] == "i" and process(events, e) == method]
        assert [step["args"]["step"] for step in steps] == rows["step"].tolist()
        assert [step["ts"] for step in steps] == (rows["time"] * 1e6).tolist()
        assert [step["args"]["used"] for step in steps] == rows["gradients"].tolist()
        assert [step["args"]["delay"] for step in steps] == rows["max_delay"].tolist()


def test_used_slices_name_their_step_and_weight(file):
    found, events = file
    counts = found.steps[found.steps["step"] > 0].set_index(["method", "step"])["tickets"]
    weights = defaultdict(dict)
    for (method, _), mine in slices_of(events).items():
        for each in mine:
            about = each["args"]
            assert ("step" in about) == (about.get("outcome") == "used")
            if "step" in about:
                weights[method, about["step"]][tuple(about["ticket"].values())] = about["weight"]
    assert {key: len(of) for key, of in weights.items()} == counts.to_dict()
    assert all(sum(of.values()) == pytest.approx(1.0) for of in weights.values())


# The file against the format


def test_every_event_fits_the_format(file):
    _, events = file
    named = defaultdict(set)
    for event in events:
        assert isinstance(event["name"], str)
        assert isinstance(event["args"], dict)
        # Perfetto has a meaning of its own for 0, and keeps these in 32 bits.
        assert all(type(event[key]) is int and 0 < event[key] < 2**32 for key in ("pid", "tid"))
        match event["ph"]:
            case "M":
                assert event["args"].keys() == {"sort_index" if "sort" in event["name"] else "name"}
                named[event["name"]].add((event["pid"], event["tid"]))
            case "X":
                assert isinstance(event["cat"], str)
                assert type(event["ts"]) is type(event["dur"]) is float
                assert event["ts"] >= 0
                assert event["dur"] > 0
            case "i":
                assert event["s"] == "t"
                assert type(event["ts"]) is float
            case phase:
                pytest.fail(f"phase {phase!r}")
    tracks = {(event["pid"], event["tid"]) for event in events}
    assert named["thread_name"] == named["thread_sort_index"] == tracks
    assert len({thread for _, thread in tracks}) == len(tracks)
    assert {pid for pid, _ in named["process_name"]} == {pid for pid, _ in tracks}


def test_the_file_is_an_object_with_a_unit_and_the_server_comes_first(tmp_path):
    found = results_of(tmp_path / "run", seeds=(3, 5))
    path = write(excerpt(found), tmp_path / "trace.json").path
    data = json.loads(path.read_text())
    assert data.keys() == {"displayTimeUnit", "traceEvents"}
    assert data["displayTimeUnit"] in ("ms", "ns")
    names = {
        event["tid"]: event["args"]["name"]
        for event in data["traceEvents"]
        if event["name"] == "thread_name" and event["pid"] == 1
    }
    assert names == {1: "server"} | {2 + worker: f"worker {worker}" for worker in range(4)}
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["trace.json"]


# A part of it


@pytest.fixture(scope="module")
def crashing(tmp_path_factory):
    return results_of(tmp_path_factory.mktemp("crash") / "run", outages=OUTAGES, network=LINKS)


def test_from_and_until_cut(crashing):
    window = events_of(crashing, begin=7.0, until=12.0)
    whole, part = slices_of(events_of(crashing)), slices_of(window)
    for key, mine in part.items():
        assert {"ts", "dur"} < mine[0].keys()
        assert min(each["ts"] for each in mine) >= 7e6
        assert max(each["ts"] + each["dur"] for each in mine) <= 12e6 + 1e-3
        within = [
            (max(each["ts"], 7e6), each["cat"])
            for each in whole[key]
            if each["ts"] < 12e6 and each["ts"] + each["dur"] > 7e6
        ]
        assert [(each["ts"], each["cat"]) for each in mine] == within
    steps = [event["ts"] for event in window if event["ph"] == "i"]
    times = crashing.steps["time"]
    assert sorted(steps) == sorted(times[(times >= 7) & (times <= 12)] * 1e6)


# Long runs


def test_memory_does_not_grow_with_the_run(tmp_path):
    peaks = []
    for steps in (8, 40):
        methods = {"rennala-nigt": {"batch": 100, "step": 0.1, "momentum": 0.1}}
        cluster = {"workers": 64, "compute": 1.0, "network": {"upload": 0.1}}
        found = results_of(tmp_path / f"{steps}", methods=methods, stop={"steps": steps}, **cluster)
        wanted = excerpt(found)
        tracemalloc.start()
        written = write(wanted, found.directory / "timeline.json")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert written.events > 100 * steps
    assert peaks[1] < peaks[0] + 1e6
    assert peaks[1] < 4e6


def test_a_long_trace_is_announced(crashing, monkeypatch, tmp_path):
    monkeypatch.setattr(chrome_trace, "PATIENCE", 0.0)
    heard = []
    write(excerpt(crashing, ["afedpg"]), tmp_path / "trace.json", heard.append)
    assert heard[0].startswith("afedpg, seed 0: ")
    assert heard[-1] == "afedpg, seed 0: writes worker 3"
    monkeypatch.setattr(chrome_trace, "PATIENCE", math.inf)
    write(excerpt(crashing, ["afedpg"]), tmp_path / "trace.json", lambda text: pytest.fail(text))


# The command line


def test_the_command_names_its_file(crashing, tmp_path):
    answer = straggle("timeline", crashing.directory)
    assert (answer.code, answer.err) == (0, "")
    path = crashing.directory / "timeline.json"
    many, size = len(json.loads(path.read_text())["traceEvents"]), path.stat().st_size
    assert answer.out.splitlines()[0] == f"{path}: {many:,} events, {size / 1e6:,.1f} MB"
    assert "https://ui.perfetto.dev" in answer.out
    out = tmp_path / "some.json"
    choice = "--method afedpg --seed 0 --from 3 --until 9 --workers 0,2-3 --out"
    assert straggle("timeline", crashing.directory, *choice.split(), out).code == 0
    assert len(json.loads(out.read_text())["traceEvents"]) < many


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--method renala-nigt", "--method renala-nigt: no such method here, of seed 0; did you"),
        ("--seed 7", "--seed 7: no such seed here; known: 0"),
        ("--from 5 --until 5", "--until 5: must be later than --from, which is 5"),
        ("--until nan", "--until nan: must be later than --from, which is 0"),
        ("--from -1", "--from -1: must be simulated seconds, 0 or more"),
        ("--from 99", "--from 99: nothing is left to show, all is over at 47.3 s"),
        ("--workers 4", "--workers 4: no such workers; they are 0 to 3"),
        ("--workers 2-99", "--workers 2-99: no such workers; they are 0 to 3"),
        ("--workers 3-1", "--workers 3-1: no such workers; they are 0 to 3"),
        ("--workers one", "--workers one: must be whole numbers and ranges, such as 0,5-9"),
        ("--workers ,", "--workers ',': names nothing; leave it out for all"),
        ("--out /nowhere/t.json", "--out /nowhere/t.json: cannot be written: No such file"),
    ],
)
def test_impossible_timelines_are_refused_in_one_line(crashing, arguments, message):
    printed = one_line(straggle("timeline", crashing.directory, *arguments.split()))
    assert printed.startswith(message)
    assert not list(crashing.directory.glob("*.partial"))


def test_a_run_without_its_tickets_is_refused(crashing, monkeypatch):
    monkeypatch.setattr(results.Results, "run", lambda self, *run: Run(*run, lengths={}))
    printed = one_line(straggle("timeline", crashing.directory))
    assert "the tickets of rennala-nigt, seed 0 are not written down" in printed
