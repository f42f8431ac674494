"""Is the plain reference equal to the engine, and does it say what a wrong story does?

The four basic aggregations are compared on all kinds of clusters in test_schedule, test_outages
and test_collectives, with stories that are told twice.  Here both play the same story, of every
aggregation, and random transfers, limits, recalls and gradients that are kept.
"""

from math import inf

import pytest
from cases import (
    DYADIC,
    VECTOR,
    assert_same,
    examples,
    followed,
    length,
    lengths,
    per_worker,
    replayed,
)
from hypothesis import given
from hypothesis import strategies as st

from algorithms.methods import (
    buffered,
    delay_adaptive,
    greedy,
    local_rounds,
    malenia,
    mindflayer,
    rennala,
    ringleader,
    ringmaster,
    synchronous,
)
from algorithms.tickets import Ticket
from simulator.cluster import (
    Cluster,
    Exponential,
    Failures,
    Fixed,
    LogNormal,
    Network,
    Outage,
    Outages,
    Seconds,
    Uplink,
    Wire,
)
from simulator.cluster.speeds import Periodic
from simulator.engine import Simulation, Sinks, Stalled, Stop
from simulator.reference import BrokenStory, replay
from simulator.reference.record import OUTCOMES

SIZES = st.integers(1, 6)
STORIES = {
    "synchronous": st.just(synchronous()),
    "rennala": SIZES.map(rennala),
    "earliest-started": SIZES.map(lambda size: rennala(size, count="earliest-started")),
    "malenia": SIZES.map(malenia),
    "greedy": st.just(greedy()),
    "delay-adaptive": st.just(delay_adaptive()),
    "buffered": st.builds(buffered, SIZES, st.integers(1, 3)),
    "local-rounds": st.integers(1, 4).map(local_rounds),
    "ringmaster": st.integers(1, 4).map(ringmaster),
    "ringmaster-stops": st.integers(1, 4).map(lambda threshold: ringmaster(threshold, stops=True)),
    "ringleader": st.just(ringleader()),
    "mindflayer": st.builds(
        mindflayer,
        st.integers(1, 3),
        st.integers(1, 24).map(lambda eighths: eighths / 8),
        st.just(0.5),
    ),
}


@st.composite
def laws(draw, n, tied):
    """Seconds of computations: on a grid, so that they tie, or at random."""
    base = Fixed(draw(per_worker(n, DYADIC)))
    return base if tied else LogNormal(base, draw(st.sampled_from([0.3, 1.0])))


@st.composite
def links(draw, n, tied):
    seconds = st.sampled_from([0.0, 0.5, 1.0, 2.0]) if tied else st.floats(0.05, 2.0)
    law = Fixed(draw(per_worker(n, seconds)))
    if draw(st.booleans()):
        return Wire(Fixed(VECTOR.bytes / draw(st.sampled_from([0.25, 1.0]))), latency=law)
    return Seconds(law if tied else Exponential(law))


COMPUTES_WHILE_IT_SENDS = ("ringleader", "ringmaster-stops")
"""Whose workers may end a computation and an upload at once; a shared way has no rule for that."""


@st.composite
def networks(draw, n, tied, shared):
    if draw(st.booleans()):
        return Network()
    kinds = ["max", "gather", "ring", "tree", *(["parameter-server"] if shared else [])]
    collective = draw(st.sampled_from(kinds))
    uplink = None
    if collective == "parameter-server":
        contention = "queue" if tied else draw(st.sampled_from(["queue", "share"]))
        seconds = draw(st.sampled_from([0.25, 0.5, 1.0]))
        channels = draw(st.integers(1, 2)) if contention == "queue" else 1
        uplink = Uplink(VECTOR.bytes / seconds, contention, channels)
    return Network(draw(links(n, tied)), draw(links(n, tied)), collective, uplink)


@st.composite
def outages(draw, n):
    halves = st.integers(0, 20).map(lambda count: count / 2)
    foreseen = [
        Outage(worker, begin, begin + draw(st.sampled_from([0.5, 2.0, 7.0])))
        for worker in range(n)
        for begin in draw(st.lists(halves, max_size=2))
    ]
    failures = draw(st.sampled_from([None, None, Failures(8.0, 1.5)]))
    return Outages(tuple(foreseen), failures, draw(st.sampled_from(["lost", "continued"])))


@st.composite
def clusters(draw, tied, shared):
    n = draw(st.integers(1, 5))
    nights = Periodic(period=4.0, times=[0.0, 3.0], speeds=[1.0, 0.25], spread=True)
    return Cluster(
        n,
        draw(laws(n, tied)),
        network=draw(networks(n, tied, shared)),
        in_flight=draw(st.sampled_from(["recall", "finish"])),
        speed=draw(st.sampled_from([None, None, nights])),
        outages=draw(outages(n)) if draw(st.booleans()) else Outages(),
    )


def assert_equal(cluster, aggregation, *, seed=0, until=20.0, steps=inf, measured=False):
    """The engine and the reference on the same cluster, both with this story."""
    computations = []
    simulation = Simulation(
        cluster,
        aggregation,
        seed=seed,
        vector=VECTOR,
        account_when=lambda version, time: True,
        lengths=lengths if measured else None,
        trace=Sinks(computations.append),
    )
    terms = {"seed": seed, "vector": VECTOR, "lengths": length if measured else None}
    try:
        found = followed(simulation, Stop(seconds=until, steps=steps), computations)
    except Stalled:  # the reference does not go on for ages, either
        closed = simulation.version
        waited = replay(cluster, aggregation, **terms, steps=closed + 1, until=300.0)
        assert len(waited.steps) == closed
        return
    expected = replayed(cluster, aggregation, **terms, steps=steps, until=until)
    rounds = found[0]
    assert_same(found, expected, rounds[-1].time if len(rounds) == steps else until)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "random"])
@pytest.mark.parametrize("name", STORIES)
@examples(60)
@given(st.data())
def test_every_aggregation_is_played_alike(name, tied, data):
    assert_equal(
        data.draw(clusters(tied, shared=not (tied and name in COMPUTES_WHILE_IT_SENDS))),
        data.draw(STORIES[name]),
        seed=data.draw(st.integers(0, 2**32)),
        until=data.draw(st.sampled_from([8.0, 20.0])),
        steps=data.draw(st.sampled_from([3, 20, inf])),
        measured=data.draw(st.integers(0, 4)) == 0,
    )


@pytest.mark.xfail(strict=True, reason="the engine's order depends on who else ends then")
def test_an_upload_arrives_before_its_sender_ends_a_computation_at_that_instant():
    # Vectors take 2 s on the shared way, computations 1 s: they meet at every odd second.
    uplink = Uplink(VECTOR.bytes / 2.0)
    network = Network(collective="parameter-server", uplink=uplink)
    assert_equal(Cluster(2, Fixed([1.0, 1.0]), network=network), ringleader(), until=inf, steps=3)


# What a record says.


def two_workers(*seconds, **more):
    return Cluster(len(seconds), Fixed(list(seconds)), **more)


def test_computations_are_in_the_order_of_their_tickets():
    found = replay(two_workers(2.0, 3.0), greedy(), until=6.0)
    of = found.computations
    rows = zip(of.worker, of.version, of.index, of.start, of.finish, of.step, strict=True)
    assert [tuple(float(value) for value in row) for row in rows] == [
        (0, 0, 0, 0.0, 2.0, 1),
        (0, 1, 0, 2.0, 4.0, 3),
        (0, 3, 0, 4.0, 6.0, 4),
        (0, 4, 0, 6.0, 6.0, 0),
        (1, 0, 0, 0.0, 3.0, 2),
        (1, 2, 0, 3.0, 6.0, 5),
        (1, 5, 0, 6.0, 6.0, 0),
    ]
    outcomes = [OUTCOMES[code] for code in of.outcome]
    assert outcomes == ["used"] * 3 + ["unfinished"] + ["used"] * 2 + ["unfinished"]
    assert (found.time, found.stalled, len(of)) == (6.0, False, 7)


def test_an_account_tells_what_came_before_a_step_at_one_instant_from_what_came_after():
    # At 1 s the batch is full, worker 1 recalled, the step closed, and both are sent on.
    found = replay(two_workers(1.0, 9.0), rennala(batch=1), steps=3)
    at = found.accounts(number=1)
    assert (at.time, at.started.tolist(), at.recalled.tolist()) == (1.0, [1, 1], [0, 1])
    assert (at.used.tolist(), at.wasted.tolist()) == ([1, 0], [0.0, 1.0])
    assert found.accounts().started.tolist() == [3, 3]


def test_a_run_in_which_nothing_can_happen_any_more_says_so():
    gone = Outages((Outage(0, 2.5), Outage(1, 3.5)))
    cluster = two_workers(1.0, 2.0, outages=gone)
    for until, end in ((inf, 3.5), (9.0, 9.0)):
        found = replay(cluster, synchronous(), steps=50, until=until)
        assert (found.stalled, found.time, len(found.steps)) == (True, end, 1)


def test_a_run_without_an_end_is_refused():
    with pytest.raises(ValueError, match=r"^steps = inf, until = inf: give one"):
        replay(two_workers(1.0), greedy())


def test_what_has_no_known_length_never_ends():
    found = replay(two_workers(1.0, 1.0), greedy(), until=3.0, lengths={(0, 0, 0): 2}.get)
    assert [(step.time, *step.tickets) for step in found.steps] == [(2.0, (0, 0, 0))]


# Stories that break the rules.


def first_arrival_then(act):
    def story(cluster):
        cluster.broadcast(quota=1)
        act(cluster, (yield cluster.arrival()))
        yield cluster.arrival()

    return story


def step_twice(cluster, ticket):
    cluster.step([ticket], [1.0])
    cluster.step([ticket], [1.0])


def yields_a_number(cluster):
    yield 7


def ends(cluster):
    cluster.broadcast()
    yield cluster.arrival()


def never_yields(cluster):
    while True:
        cluster.broadcast()
    yield


def reduces_nothing(cluster):
    while True:
        yield cluster.all_reduce([])
        cluster.step([], [])


UNKNOWN = Ticket(1, 0, 5)
BROKEN = {
    "two weights": (
        first_arrival_then(lambda c, t: c.step([t], [0.5, 0.5])),
        "1 tickets and 2 weights",
    ),
    "unknown": (first_arrival_then(lambda c, t: c.step([UNKNOWN], [1.0])), "not there to be used"),
    "twice": (first_arrival_then(step_twice), "closes step 2 with Ticket"),
    "dropped": (first_arrival_then(lambda c, t: c.drop(UNKNOWN)), "drops Ticket"),
    "kept": (first_arrival_then(lambda c, t: c.step([t], [1.0], keep=[UNKNOWN])), "keeps Ticket"),
    "worker": (first_arrival_then(lambda c, t: c.send(2)), "an order to worker 2: there are 2"),
    "request": (yields_a_number, "yields 7: "),
    "end": (ends, "the story has ended"),
    "silence": (never_yields, "must yield a request"),
    "nothing": (reduces_nothing, "must yield a request"),
    "no generator": (lambda cluster: None, "returns None: it must be a generator"),
}


@pytest.mark.parametrize(("story", "told"), BROKEN.values(), ids=BROKEN)
def test_a_story_that_breaks_the_rules_is_told_in_one_line(story, told):
    with pytest.raises(BrokenStory) as broken:
        replay(two_workers(1.0, 2.0), story, until=9.0)
    message = str(broken.value)
    assert told in message
    assert "\n" not in message
