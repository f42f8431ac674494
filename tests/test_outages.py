"""What becomes of a run when workers crash, pause, leave and join?

By hand, against the reference, and by what must be conserved whatever happens.
"""

from dataclasses import replace
from math import inf

import pytest
from cases import (
    BARRIERS,
    COUNTS,
    DYADIC,
    METHODS,
    VECTOR,
    WHOLE,
    Case,
    assert_agreement,
    examples,
    length,
    never_alike,
    per_worker,
    play,
    referred,
    rounds_of,
    schedule,
    settled,
    simulated,
    stops,
    times,
)
from hypothesis import given
from hypothesis import strategies as st

from algorithms.methods import malenia
from simulator.cluster import Failures, Fixed, LogNormal, Uplink
from simulator.cluster.speeds import Periodic, Timetable
from simulator.engine import Simulation, Sinks, Stalled

__all__ = ["play"]  # the fixture


def counts(book):
    return {name: getattr(book, name) for name in COUNTS if getattr(book, name)}


def fates(traced):
    return [tuple(done[:4]) for done in sorted(traced)]


# Work that is lost.


def test_a_crash_takes_along_what_the_worker_held_and_rennala_collects_on(play):
    # Worker 0 holds the gradients of 1 and 2 s, worker 1 that of 2 s when 0 crashes at 2.5 s.
    # Three more are needed: worker 1's of 4 s, and from 5 s on worker 0's again, of 6 and 7 s.
    case = Case("rennala", [1.0, 2.0], batch=4, outages=((0, 2.5, 5.0),), steps=1)
    rounds, books, traced = play(case)
    assert schedule(rounds) == [(6.0, [(1, 0, 0), (1, 0, 1), (0, 0, 3), (1, 0, 2)], [0.25] * 4)]
    assert counts(books[0]) == {"started": 5, "used": 1, "recalled": 1, "lost": 3}
    assert (books[0].busy, books[0].down, books[0].wasted) == (3.5, 2.5, 2.5)
    assert fates(traced)[:3] == [
        ((0, 0, 0), 0.0, 1.0, "lost"),
        ((0, 0, 1), 1.0, 2.0, "lost"),
        ((0, 0, 2), 2.0, 2.5, "lost"),
    ]


def test_what_is_done_the_moment_of_the_crash_is_heard_before_it(play):
    # At 2 s worker 0's second gradient closes the batch; only then it crashes, and is not told of.
    case = Case("rennala", [1.0, 9.0], batch=2, upload=[3.0, 3.0], outages=((0, 2.0, 6.0),))
    rounds, books, _ = play(replace(case, seconds=9.0))
    assert schedule(rounds)[0] == (5.0, [(0, 0, 0), (0, 0, 1)], [0.5, 0.5])
    # Back at 6 s, it fills the next batch at 8 s; that all-reduce is still under way.
    assert counts(books[0]) == {"started": 4, "used": 2, "unfinished": 2}


def test_a_gradient_of_no_seconds_can_be_lost(play):
    # Done at 1 s, its sender goes on at once, and crashes in the same moment.
    case = Case("rennala", [1.0, 4.0], batch=3, outages=((0, 1.0, inf),), steps=1)
    rounds, books, traced = play(case)
    assert times(rounds) == [12.0]
    assert counts(books[0]) == {"started": 2, "lost": 2}
    assert fates(traced)[1] == ((0, 0, 1), 1.0, 1.0, "lost")


def test_a_synchronous_round_waits_for_the_return(play):
    case = Case("synchronous", [1.0, 3.0], outages=((0, 2.0, 7.0),), steps=2)
    rounds, books, _ = play(case)
    assert schedule(rounds) == [
        (8.0, [(1, 0, 0), (0, 0, 1)], [0.5, 0.5]),
        (11.0, [(0, 1, 0), (1, 1, 0)], [0.5, 0.5]),
    ]
    assert books[0].idle == 1.0 + 2.0


def test_greedy_goes_on_without_it(play):
    # Worker 0's first gradient is on its way from 2 to 4 s when it crashes at 3 s.
    case = Case("greedy", [2.0, 1.0], upload=[2.0, 1.0], outages=((0, 3.0, 5.0),), seconds=9.0)
    rounds, books, _ = play(case)
    assert [(step.time, *step.tickets) for step in rounds] == [
        (2.0, (1, 0, 0)),
        (4.0, (1, 1, 0)),
        (6.0, (1, 2, 0)),
        (8.0, (1, 3, 0)),
        (9.0, (0, 2, 0)),
    ]
    assert counts(books[0]) == {"started": 3, "used": 1, "lost": 1, "unfinished": 1}
    assert (books[0].busy, books[0].communicating, books[0].down) == (4.0, 3.0, 2.0)
    assert books[0].wasted == 2.0


def test_who_crashes_on_a_shared_way_still_fills_it(play):
    # Worker 0's vector would pass until 3 s; it crashes at 2 s, and worker 1's follows at 3 s.
    uplink = Uplink(VECTOR.bytes / 2.0)
    case = Case("greedy", [1.0, 1.5], collective="parameter-server", uplink=uplink, steps=1)
    rounds, books, _ = play(replace(case, outages=((0, 2.0, inf),)))
    assert [(step.time, *step.tickets) for step in rounds] == [(5.0, (1, 0, 0))]
    assert (books[0].communicating, books[0].down) == (1.0, 3.0)


def test_an_all_reduce_that_has_begun_is_safe(play):
    case = Case("synchronous", [1.0, 1.0], upload=[4.0, 4.0], outages=((0, 2.0, 6.0),))
    rounds, books, _ = play(replace(case, seconds=11.0))
    assert times(rounds) == [5.0, 11.0]
    assert [book.lost for book in books] == [0, 0]
    assert rounds[1].tickets == [(1, 1, 0), (0, 1, 0)]


def test_a_late_joiner_is_sent_the_point_that_is_newest_then(play):
    case = Case("rennala", [1.0, 1.0], batch=2, download=[0.0, 0.5], outages=((1, 0.0, 4.25),))
    rounds, books, _ = play(replace(case, seconds=6.0))
    assert schedule(rounds)[:2] == [
        (2.0, [(0, 0, 0), (0, 0, 1)], [0.5, 0.5]),
        (4.0, [(0, 1, 0), (0, 1, 1)], [0.5, 0.5]),
    ]
    assert rounds[2][:2] == (5.75, [(0, 2, 0), (1, 2, 0)])
    assert (books[1].down, books[1].communicating) == (4.25, 0.5 + 0.25)


def test_the_earliest_started_are_counted_off_with_their_worker(play):
    # Chosen are the first of both, until worker 0 crashes with its own.  Back at 1 s it begins
    # its second, which nobody waits for; but when it delivers that at 2 s there is room for one
    # more, and so its third one is chosen.
    case = Case("rennala", [1.0, 3.0], batch=2, count="earliest-started", steps=1)
    rounds, books, traced = play(replace(case, outages=((0, 0.5, 1.0),)))
    assert schedule(rounds) == [(3.0, [(0, 0, 2), (1, 0, 0)], [0.5, 0.5])]
    assert [done[3] for done in fates(traced)] == ["lost", "dropped", "used", "recalled", "used"]
    assert counts(books[0]) == {"started": 4, "used": 1, "recalled": 1, "dropped": 1, "lost": 1}


# Work that is continued.


@pytest.mark.parametrize("method", METHODS)
def test_a_pause_delays_what_it_interrupts_by_its_own_length(play, method):
    case = Case(method, [4.0], batch=1, outages=((0, 1.0, 3.5),), work="continued", steps=2)
    rounds, (book,), traced = play(case)
    assert times(rounds) == [6.5, 10.5]
    assert fates(traced)[0] == ((0, 0, 0), 0.0, 6.5, "used")
    assert (book.busy, book.down, book.idle) == (8.0, 2.5, 0.0)


def test_an_order_sent_during_a_pause_is_followed_after_it(play):
    # Worker 1 is away from 1 to 7 s; the order of 4 s is there at 6 s, that of 8 s at 10 s.
    case = Case("rennala", [2.0, 1.5], batch=2, outages=((1, 1.0, 7.0),), work="continued")
    case = replace(case, download=[0.0, 2.0], seconds=9.0)
    rounds, books, traced = play(case)
    assert times(rounds)[0] == 4.0
    assert next(tuple(done[:2]) for done in traced if done.ticket[0] == 1) == ((1, 1, 0), 7.0)
    assert books[1].down == 6.0


@pytest.mark.parametrize(("collective", "time"), [("max", 9.0), ("gather", 6.0), ("tree", 13.0)])
def test_who_is_paused_when_the_batch_is_full_sends_afterwards(play, collective, time):
    # Worker 0 is done at 1 s, paused from 2 to 5 s, the batch full at 4 s; a transfer takes 4 s,
    # of worker 1 2 s.  A gather has heard of worker 0 by then: it sends as soon as it is done.
    case = Case("synchronous", [1.0, 4.0], upload=[4.0, 2.0], collective=collective, steps=1)
    rounds, _, _ = play(replace(case, outages=((0, 2.0, 5.0),), work="continued"))
    assert times(rounds) == [time]


def test_outages_that_touch_are_one(play):
    several = ((0, 1.0, 2.0), (0, 2.0, 3.0), (0, 2.5, 4.0))
    for work in ("lost", "continued"):
        case = Case("malenia", [1.5, 2.0], batch=3, outages=several, work=work, steps=4)
        assert play(case)[:2] == play(replace(case, outages=((0, 1.0, 4.0),)))[:2]


# When a run cannot go on.


@pytest.mark.parametrize("method", ["synchronous", "malenia"])
@pytest.mark.parametrize("work", ["lost", "continued"])
@pytest.mark.parametrize("stop", [{"seconds": 90.0}, {"steps": 9}])
def test_a_method_that_needs_everybody_names_who_is_gone(method, work, stop):
    case = Case(method, [1.0, 3.0, 1.0], batch=3, outages=((1, 4.0, inf),), work=work, **stop)
    with pytest.raises(Stalled) as stalled:
        simulated(case)
    assert str(stalled.value) == (
        "this method waits for worker 1, which left for ever at 4 s; "
        "this step cannot close without it"
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("work", ["lost", "continued"])
def test_when_everybody_is_gone_nothing_can_happen(method, work):
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
        # Who fails all the time may never get a batch together.
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


# What is conserved.


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


@pytest.mark.parametrize("method", BARRIERS)
@pytest.mark.parametrize("work", ["lost", "continued"])
@examples(15)
@given(st.data(), st.sampled_from([0.125, 2.0**20]))
def test_scaling_every_time_scales_the_clock(method, work, data, factor):
    case = replace(data.draw(cases(method, work, networked=False)), speed=None, failures=None)
    scaled = replace(
        case,
        compute=[seconds * factor for seconds in case.compute],
        outages=tuple((i, begin * factor, end * factor) for i, begin, end in case.outages),
        seconds=case.seconds * factor,
    )
    try:
        rounds, _, traced = simulated(case)
    except Stalled:
        with pytest.raises(Stalled):
            simulated(scaled)
        return
    scaled_rounds, _, scaled_trace = simulated(scaled)
    assert schedule(scaled_rounds) == [(t * factor, *rest) for t, *rest in schedule(rounds)]
    expected = [d._replace(start=d.start * factor, finish=d.finish * factor) for d in traced]
    assert settled(scaled_trace, inf) == settled(expected, inf)


@pytest.mark.parametrize("method", METHODS)
@examples(15)
@given(st.data())
def test_an_outage_after_the_end_changes_nothing(method, data):
    case = replace(data.draw(cases(method, "lost")), outages=(), failures=None)
    later = replace(case, outages=tuple((i, 1e6, inf) for i in range(case.n)))
    assert simulated(later) == simulated(case)


def test_measured_lengths_stretch_what_the_law_says(play):
    case = Case("greedy", [2.0, 3.0], measured=True, steps=1)
    (step,) = rounds_of(case, play)
    assert length((0, 0, 0)) == 0.5
    assert (step.time, step.tickets) == (1.0, [(0, 0, 0)])
