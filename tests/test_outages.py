"""What becomes of a run when workers crash, pause, leave and join?

Against the reference, and by what cannot change; test_by_hand has the small stories, and
test_stories what is conserved.
"""

from dataclasses import replace
from math import inf

import pytest
from cases import (
    DYADIC,
    METHODS,
    VECTOR,
    WHOLE,
    Case,
    assert_agreement,
    examples,
    never_alike,
    per_worker,
    play,
    referred,
    simulated,
    stops,
)
from hypothesis import given
from hypothesis import strategies as st

from algorithms.methods import malenia
from simulator.cluster import Failures, Fixed, LogNormal, Uplink
from simulator.cluster.speeds import Periodic, Timetable
from simulator.engine import Simulation, Sinks, Stalled

__all__ = ["play"]  # the fixture


def test_outages_that_touch_are_one(play):
    several = ((0, 1.0, 2.0), (0, 2.0, 3.0), (0, 2.5, 4.0))
    for work in ("lost", "continued"):
        case = Case("malenia", [1.5, 2.0], batch=3, outages=several, work=work, steps=4)
        assert play(case)[:2] == play(replace(case, outages=((0, 1.0, 4.0),)))[:2]


# When a run cannot go on.


@pytest.mark.parametrize("method", ["synchronous", "malenia"])
@pytest.mark.parametrize("work", ["lost", "continued"])
@pytest.mark.parametrize("stop", [{"seconds": 90.0}, {"steps": 9}])
def test_a_method_that_needs_all_workers_names_the_lost_one(method, work, stop):
    case = Case(method, [1.0, 3.0, 1.0], batch=3, outages=((1, 4.0, inf),), work=work, **stop)
    with pytest.raises(Stalled) as stalled:
        simulated(case)
    assert str(stalled.value) == (
        "this method waits for worker 1, which left permanently at 4 s; "
        "this step cannot close without it"
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("work", ["lost", "continued"])
def test_a_run_stalls_if_all_workers_have_left(method, work):
    outages = ((0, 1.5, inf), (1, 2.5, inf))
    with pytest.raises(Stalled, match=r"^this method waits for "):
        simulated(Case(method, [1.0, 1.0], batch=9, outages=outages, work=work, steps=30))


def test_the_method_is_called_by_its_name():
    case = Case("malenia", [1.0, 1.0], batch=2, outages=((0, 0.5, inf),), steps=1)
    simulation = Simulation(case.cluster, malenia(batch=2), name="Malenia SGD")
    with pytest.raises(Stalled, match=r"Malenia SGD.*worker 0\b"):
        list(simulation.steps(case.stop))


# Random clusters.

LASTING = st.sampled_from([0.5, 1.0, 2.0, 3.0, 7.0])


@st.composite
def outages(draw, n, forever):
    """Some, on a grid of halves, so that they meet finishes, steps and one another."""
    some = []
    for worker in range(n):
        for _ in range(draw(st.integers(0, 3))):
            begin = draw(st.integers(0, 24)) / 2
            some.append((worker, begin, begin + draw(LASTING)))
        if forever and worker and draw(st.integers(0, 5)) == 0:
            some.append((worker, draw(st.integers(0, 24)) / 2, inf))
    return tuple(some)


@st.composite
def speeds(draw, n):
    values = st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0])
    rows = [[*draw(per_worker(3, values)), draw(st.sampled_from([0.5, 1.0]))] for _ in range(n)]
    table = Timetable(times=[0.0, 3.0, 5.0, 9.0], speeds=rows)
    nights = Periodic(period=4.0, times=[0.0, 3.0], speeds=[1.0, 0.0], spread=draw(st.booleans()))
    return draw(st.sampled_from([table, nights]))


@st.composite
def networks(draw, n):
    """Exact ties, but where a third of a vector or of a second turns up."""
    collective = draw(st.sampled_from(["max", "gather", "ring", "tree", "parameter-server"]))
    transits = st.sampled_from([0.25, 0.5, 1.0, 2.0])
    latencies = st.sampled_from([0.0, 0.5, 1.0])
    uplink = None
    if collective == "parameter-server":
        uplink = Uplink(VECTOR.bytes / draw(transits), "queue", draw(st.integers(1, 2)))
    return {
        "bandwidth": [VECTOR.bytes / transit for transit in draw(per_worker(n, transits))],
        "latency": draw(per_worker(n, latencies)),
        "download": draw(st.one_of(st.none(), per_worker(n, latencies))),
        "collective": collective,
        "uplink": uplink,
    }


@st.composite
def cases(draw, method, work, networked=None):
    n = draw(st.integers(1, 4))
    networked = draw(st.booleans()) if networked is None else networked
    random = draw(st.integers(0, 4)) == 0
    count = draw(st.sampled_from(["first-finished", "earliest-started"]))
    return Case(
        method,
        draw(per_worker(n, draw(st.sampled_from([WHOLE, DYADIC])))),
        batch=draw(st.integers(1, 8)),
        initial_batch=draw(st.one_of(st.none(), st.integers(1, 8))),
        count=count if method == "rennala" else "first-finished",
        in_flight=draw(st.sampled_from(["recall", "finish"])),
        speed=draw(speeds(n)) if draw(st.integers(0, 2)) == 0 else None,
        measured=draw(st.booleans()),
        outages=draw(outages(n, forever=method in ("rennala", "greedy"))),
        failures=Failures(draw(st.sampled_from([2.0, 10.0])), 1.0) if random else None,
        work=work,
        seed=draw(st.integers(0, 99)),
        **(draw(networks(n)) if networked else {}),
        # Workers that fail all the time may never fill a batch.
        **{"seconds": 40.0, **draw(stops())},
    )


def agree_or_stall(case, *, exactly=True):
    """Where the simulator says that it cannot go on, the reference does not go on for ages."""
    rounds = []
    try:
        assert_agreement(case, exactly=exactly)
    except Stalled:
        simulation = case.simulation
        with pytest.raises(Stalled):
            rounds.extend(simulation.steps(case.stop))
        waited, _, _ = referred(case, seconds=300.0, steps=len(rounds) + 1)
        assert [step[1:3] for step in waited] == [(s.tickets, s.weights) for s in rounds]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("work", ["lost", "continued"])
@examples(50)
@given(st.data())
def test_they_agree_on_outages(method, work, data):
    agree_or_stall(data.draw(cases(method, work)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("work", ["lost", "continued"])
@examples(30)
@given(st.data())
def test_they_agree_on_outages_and_a_shared_way(method, work, data):
    # Who shares a way is through after a sum of pieces that can be added up in more than one
    # order, so nothing but outages may tie, and times are asked for to 1e-9 only.
    case = data.draw(cases(method, work, networked=False))
    case = replace(case, **never_alike(data, case.n), speed=None, collective="parameter-server")
    agree_or_stall(case, exactly=False)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("work", ["lost", "continued"])
def test_they_agree_on_failures_without_end(method, work):
    law, failures = LogNormal(Fixed(1.0), 0.5), Failures(6.0, 2.0)
    for seed, in_flight in ((0, "recall"), (1, "finish"), (2, "recall")):
        case = Case(method, law, 12, batch=16, in_flight=in_flight, failures=failures, work=work)
        case = replace(case, upload=[0.3] * 12, download=[0.2] * 12, seed=seed, seconds=25.0)
        assert_agreement(case)


# What cannot change.


@pytest.mark.parametrize("shared", [False, True])
def test_the_trace_ends_a_transfer_with_its_worker_or_with_the_run(shared):
    # Computed at 1 s, sent for 4 s: the worker is lost at 3 s, and then the run ends at 6 s.
    way = {"upload": [4.0]}
    if shared:
        uplink = Uplink(VECTOR.bytes / 4.0)
        way = {"bandwidth": [VECTOR.bytes], "collective": "parameter-server", "uplink": uplink}
    case = Case("greedy", [1.0], outages=((0, 3.0, 3.5),), seconds=6.0, **way)
    sent = []
    simulation = case.build(trace=Sinks(lambda computation: None, sent.append))
    assert not list(simulation.steps(case.stop))
    simulation.close_trace()
    spans = [(each.start, each.finish) for each in sent if each.kind == "sending"]
    assert spans == [(1.0, 3.0), (4.5, 6.0)]


@pytest.mark.parametrize("method", METHODS)
@examples(15)
@given(st.data())
def test_an_outage_after_the_end_changes_nothing(method, data):
    case = replace(data.draw(cases(method, "lost")), outages=(), failures=None)
    later = replace(case, outages=tuple((i, 1e6, inf) for i in range(case.n)))
    assert simulated(later) == simulated(case)
