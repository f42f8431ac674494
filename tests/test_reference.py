"""Is the plain reference equal to the engine, and does it say what a wrong story does?

The four basic aggregations are compared on all kinds of clusters in test_schedule and test_outages,
with second versions of the stories.  Here both play the same story, of every aggregation, with
random transfers, limits, recalls and gradients that are kept.
"""

from collections.abc import Generator
from math import inf
from random import Random

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
    queued,
    rennala,
    ringleader,
    ringmaster,
    synchronous,
)
from algorithms.tickets import Ticket
from algorithms.vocabulary import Lost, Trained
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
    Server,
    Uplink,
    Wire,
)
from simulator.cluster.speeds import Periodic
from simulator.engine import Simulation, Sinks, Stalled, Stop
from simulator.mistakes import Mistake
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
    "bounded": st.builds(greedy, st.integers(0, 3), st.integers(0, 2)),
    "queued": st.builds(
        lambda prompts, group, **terms: queued(prompts * group, group, **terms),
        st.integers(1, 3),
        st.integers(1, 2),
        queue=st.integers(1, 2),
        full=st.sampled_from(["wait", "drop-oldest", "drop-newest"]),
        depth=st.sampled_from([None, 0, 1, 3]),
        age=st.sampled_from([None, 0, 2]),
        update=st.sampled_from(["between", "during"]),
    ),
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
        server=draw(servers(tied)),
    )


@st.composite
def servers(draw, tied):
    if draw(st.booleans()):
        return Server()
    seconds = Fixed(draw(st.sampled_from([0.25, 0.5, 2.0])))
    per = draw(st.sampled_from(["step", "gradient", "byte"]))
    law = seconds if per != "byte" else Fixed(seconds.seconds / VECTOR.bytes)
    return Server(law if tied else Exponential(law), per)


def assert_equal(
    cluster, aggregation, *, seed=0, until=20.0, steps=inf, measured=False, apart=True
):
    """The engine and the reference on the same cluster, both with this story.

    If not ``apart``, communicating and idle seconds are compared as one.
    """
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
    end = rounds[-1].time if len(rounds) == steps else until
    if not apart:
        found, expected = together(found), together(expected)
    assert_same(found, expected, end)


def together(played):
    """With the idle seconds of every account among the communicating ones."""

    def join(accounts):
        joined = ({"communicating": a.communicating + a.idle, "idle": 0.0} for a in accounts)
        return [a._replace(**both) for a, both in zip(accounts, joined, strict=True)]

    rounds, books, traced = played
    return [r._replace(accounts=join(r.accounts)) for r in rounds], join(books), traced


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "random"])
@pytest.mark.parametrize("name", STORIES)
@examples(30)
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


# A story that says anything.


def anything(seed, *, upload):
    """An aggregation that says every word of the vocabulary, at random and with random terms."""

    def story(cluster):
        random = Random(seed)
        ready, kept, training = [], [], False
        cluster.broadcast(**terms(random), upload=upload)
        while True:
            news = yield cluster.arrival()
            if isinstance(news, Ticket):
                ready.append(news)
            elif isinstance(news, Lost) and not upload:
                ready = [ticket for ticket in ready if ticket.worker != news.worker]
            training &= not isinstance(news, Trained)
            if isinstance(news, Ticket) and random.random() < 0.1:
                cluster.drop(ready.pop())
            if not training and random.random() < 0.5:
                if not upload:
                    yield cluster.all_reduce(ready)
                again = [ticket for ticket in kept if random.random() < 0.7]
                used = ready + again
                kept = [ticket for ticket in used if random.random() < 0.3]
                weights = [random.random() for _ in used]
                if training := random.random() < 0.4:
                    cluster.train(used, weights, keep=kept)
                else:
                    yield cluster.step(used, weights, keep=kept)
                ready = []
                if not upload or random.random() < 0.2:
                    cluster.broadcast(**terms(random), upload=upload)
            for worker in cluster.present():
                if random.random() < 0.2:
                    cluster.refresh(worker)
                if random.random() < 0.5:
                    cluster.send(worker, **terms(random), **harder(random), upload=upload)

    return story


def terms(random):
    return {"quota": random.choice([None, 1, 2]), "work": random.choice([1, 1, 0.5, 3])}


def harder(random):
    return {"limit": random.choice([None, 0.375, 2.125]), "recall": random.random() < 0.3}


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "random"])
@pytest.mark.parametrize("upload", [True, False], ids=["singles", "together"])
@examples(80)
@given(st.data())
def test_every_word_means_the_same(upload, tied, data):
    cluster = data.draw(clusters(tied, shared=not tied))
    assert_equal(
        cluster,
        anything(data.draw(st.integers(0, 2**32)), upload=upload),
        until=data.draw(st.sampled_from([8.0, 20.0])),
        steps=data.draw(st.sampled_from([3, 20, inf])),
        measured=cluster.in_flight == "recall" and data.draw(st.booleans()),
        apart=False,
    )


# Where the engine is not to be followed.


def test_an_upload_arrives_before_its_sender_ends_a_computation_at_that_instant():
    # Vectors take 2 s on the shared way, computations 1 s: they meet at every odd second.
    uplink = Uplink(VECTOR.bytes / 2.0)
    network = Network(collective="parameter-server", uplink=uplink)
    assert_equal(Cluster(2, Fixed([1.0, 1.0]), network=network), ringleader(), until=inf, steps=3)


def test_an_upload_that_outlasts_the_next_computation_is_still_being_sent():
    # Worker 0 sends from 1 to 7 s.  At 2 s an order makes it compute once more, until 3 s.
    def story(cluster):
        cluster.broadcast(quota=1, upload=True)
        ticket = yield cluster.arrival()
        yield cluster.step([ticket], [1.0])
        cluster.send(0, quota=1)
        while True:
            yield cluster.arrival()

    cluster = Cluster(2, Fixed([1.0, 2.0]), network=Network(upload=Seconds(Fixed([6.0, 0.0]))))
    assert replay(cluster, story, until=5.0).accounts().communicating.tolist() == [3.0, 0.0]
    assert_equal(cluster, story, until=5.0)


def test_an_episode_that_is_obsolete_at_once_has_no_length_for_the_engine():
    def story(cluster):
        cluster.broadcast()
        cluster.send(0)
        while True:
            yield cluster.step([(yield cluster.arrival())], [1.0])

    cluster = Cluster(1, Fixed(1.0), in_flight="finish")
    assert len(replay(cluster, story, until=5.0, lengths=length).steps) > 1
    simulation = Simulation(cluster, story, lengths=lengths)
    with pytest.raises(Mistake, match="replaces an order at the instant it gave it"):
        list(simulation.steps(Stop(seconds=5.0)))


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


def test_an_account_orders_the_events_of_one_instant_around_a_step():
    # At 1 s the batch is full, worker 1 recalled, the step closed, and both are sent on.
    found = replay(two_workers(1.0, 9.0), rennala(batch=1), steps=3)
    at = found.accounts(number=1)
    assert (at.time, at.started.tolist(), at.recalled.tolist()) == (1.0, [1, 1], [0, 1])
    assert (at.used.tolist(), at.wasted.tolist()) == ([1, 0], [0.0, 1.0])
    assert found.accounts().started.tolist() == [3, 3]


def test_a_run_without_further_events_is_stalled():
    gone = Outages((Outage(0, 2.5), Outage(1, 3.5)))
    cluster = two_workers(1.0, 2.0, outages=gone)
    for until, end in ((inf, 3.5), (9.0, 9.0)):
        found = replay(cluster, synchronous(), steps=50, until=until)
        assert (found.stalled, found.time, len(found.steps)) == (True, end, 1)


def test_a_run_without_an_end_is_refused():
    with pytest.raises(ValueError, match=r"^steps = inf, until = inf: give one"):
        replay(two_workers(1.0), greedy())


def test_computations_of_unknown_length_never_end():
    found = replay(two_workers(1.0, 1.0), greedy(), until=3.0, lengths={(0, 0, 0): 2}.get)
    assert [(step.time, *step.tickets) for step in found.steps] == [(2.0, (0, 0, 0))]


# Stories that break the rules.


def first_arrival_then(act):
    def story(cluster):
        cluster.broadcast(quota=1)
        request = act(cluster, (yield cluster.arrival()))
        if isinstance(request, Generator):
            yield from request
        elif request:
            yield request
        yield cluster.arrival()

    return story


def step_twice(cluster, ticket):
    yield cluster.step([ticket], [1.0])
    yield cluster.step([ticket], [1.0])


def yields_a_number(cluster):
    yield 7


def ends(cluster):
    cluster.broadcast()
    yield cluster.arrival()


def never_yields(cluster):
    while True:
        yield cluster.step([], [])
    yield


def reduces_nothing(cluster):
    while True:
        yield cluster.all_reduce([])
        yield cluster.step([], [])


UNKNOWN = Ticket(1, 0, 5)
BROKEN = {
    "two weights": (
        first_arrival_then(lambda c, t: c.step([t], [0.5, 0.5])),
        "1 tickets and 2 weights",
        "2 weights for 1 gradients",
    ),
    "unknown": (
        first_arrival_then(lambda c, t: c.step([UNKNOWN], [1.0])),
        "has not arrived or was used",
        "has not arrived",
    ),
    "twice": (
        first_arrival_then(step_twice),
        "closes step 2 with Ticket",
        "was used before",
    ),
    "request": (yields_a_number, "yields 7: ", "yielded 7, which is no request"),
    "end": (ends, "the story has ended", "its story ended"),
    "silence": (never_yields, "must yield a request", "requested nothing"),
    "no generator": (
        lambda cluster: None,
        "returns None: it must be a generator",
        "is no generator",
    ),
    # What the engine lets pass.
    "dropped": (first_arrival_then(lambda c, t: c.drop(UNKNOWN)), "drops Ticket", None),
    "kept": (
        first_arrival_then(lambda c, t: c.step([t], [1.0], keep=[UNKNOWN])),
        "keeps Ticket",
        None,
    ),
    "worker": (
        first_arrival_then(lambda c, t: c.send(2)),
        "an order to worker 2: there are 2",
        None,
    ),
    "nothing": (reduces_nothing, "must yield a request", None),
}
REFUSED = {name: (story, printed) for name, (story, printed, _) in BROKEN.items()}
REFUSED_BY_THE_ENGINE = {
    name: (story, printed) for name, (story, _, printed) in BROKEN.items() if printed
}


@pytest.mark.parametrize(("story", "printed"), REFUSED.values(), ids=REFUSED)
def test_the_reference_refuses_a_story_that_breaks_the_rules_in_one_line(story, printed):
    with pytest.raises(BrokenStory) as broken:
        replay(two_workers(1.0, 2.0), story, until=9.0)
    message = str(broken.value)
    assert printed in message
    assert "\n" not in message


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    ("story", "printed"), REFUSED_BY_THE_ENGINE.values(), ids=REFUSED_BY_THE_ENGINE
)
def test_the_engine_refuses_a_story_that_breaks_the_rules_in_one_line(story, printed, traced):
    sinks = Sinks(lambda done: None) if traced else None
    with pytest.raises(Mistake, match=r"^my-method: ") as caught:
        list(
            Simulation(two_workers(1.0, 2.0), story, name="my-method", trace=sinks).steps(
                Stop(steps=30_000)
            )
        )
    assert printed in str(caught.value)
    assert "\n" not in str(caught.value)
