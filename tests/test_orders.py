"""What does an order's small print do?  Work, limits, recalls; and steps of few gradients or none.

Stories made up for the test, on clusters small enough to be followed by hand.
"""

from math import inf

import pytest

from algorithms.tickets import Ticket
from algorithms.vocabulary import Expired
from simulator.cluster import (
    Cluster,
    Fixed,
    Network,
    Outage,
    Outages,
    Seconds,
    Uplink,
    Vector,
    Wire,
)
from simulator.cluster.speeds import Timetable
from simulator.engine import Simulation, Sinks, Stalled, Stop

MODES = ["recall", "finish"]


class Played:
    """A run of a story, and all that it left behind.  What the story heard is for it to note.

    Where nothing will happen any more before ``until``, it is read at that time all the same.
    """

    def __init__(self, story, compute, *, until=None, steps=inf, lengths=None, **cluster):
        self.traced, self.stretches = [], []
        law = Fixed(compute) if isinstance(compute, list) else compute
        workers = cluster.pop("workers", None) or len(compute)
        upload = cluster.pop("upload", 0.0)
        network = cluster.pop("network", None) or Network(
            upload=Seconds(Fixed(upload)), download=Seconds(Fixed(cluster.pop("download", 0.0)))
        )
        outages = Outages(
            tuple(Outage(*each) for each in cluster.pop("outages", ())),
            work=cluster.pop("work", "lost"),
        )
        self.simulation = Simulation(
            Cluster(workers, law, network=network, outages=outages, **cluster),
            endless(story),
            lengths=lengths,
            trace=Sinks(self.traced.append, self.stretches.append),
            vector=Vector(dimension=4, itemsize=4),
        )
        stop = Stop(seconds=until or inf, steps=steps)
        self.steps = []
        try:
            self.steps.extend(self.simulation.steps(stop))
        except Stalled:
            if not until:
                raise
            self.simulation.now = until
        self.simulation.close_trace()
        self.books = self.simulation.accounts()

    def fates(self, worker):
        """Of each of its gradients: when it began, when it ended, and how."""
        mine = sorted(done for done in self.traced if done.ticket.worker == worker)
        return [(done.start, done.finish, done.outcome) for done in mine]

    def counts(self, worker):
        names = ("started", "used", "recalled", "dropped", "lost", "unfinished")
        many = {name: getattr(self.books, name).tolist()[worker] for name in names}
        return {name: number for name, number in many.items() if number}

    def seconds(self, name, worker=0):
        return float(getattr(self.books, name)[worker])


def endless(story):
    """It ends with waiting."""

    def message(cluster):
        yield from story(cluster)
        while True:
            yield cluster.arrival()

    return message


def hears(cluster, heard, many=1):
    """Wait for so many arrivals, and note each with its time."""
    for _ in range(many):
        news = yield cluster.arrival()
        heard.append((cluster.now, news))
    return news


def forever(cluster, heard):
    """The rest of a story that does nothing."""
    while True:
        yield from hears(cluster, heard)


def ordered(heard, **order):
    """A story of one order to worker 0."""

    def story(cluster):
        cluster.send(0, **order)
        yield from forever(cluster, heard)

    return story


# Work.


@pytest.mark.parametrize("word", ["broadcast", "send"])
def test_a_computation_lasts_as_much_longer_as_it_is_more_work(word):
    heard = []

    def story(cluster):
        if word == "broadcast":
            cluster.broadcast(quota=2, work=3)
        else:
            cluster.send(0, quota=2, work=3)
        yield from hears(cluster, heard, 2)
        cluster.send(0, quota=1)
        yield from forever(cluster, heard)

    Played(story, [2.0], until=30.0)
    assert [time for time, _ in heard] == [6.0, 12.0, 14.0]


def test_work_beyond_all_capacity_is_reported():
    # 4 s of work in all: enough for 1.5 s of it, not for four times as much.
    speed = Timetable(times=[0.0, 4.0], speeds=[1.0, 0.0])

    def story(cluster):
        cluster.broadcast(quota=1, work=4)
        yield cluster.arrival(needs={0}.intersection)

    with pytest.raises(Stalled, match=r"worker 0, which will never be done"):
        Played(story, [1.5], steps=1, speed=speed)


# Limits.


def test_a_computation_of_exactly_its_limit_is_done():
    for limit, news in ((3.0, Ticket(0, 0, 0)), (2.999, Expired(0))):
        heard = []
        Played(ordered(heard, quota=1, limit=limit), [3.0], until=5.0)
        assert heard == [(limit, news)]


def test_an_aborted_computation_counts_in_the_quota_and_is_wasted():
    heard = []
    run = Played(ordered(heard, quota=3, limit=2.0), [5.0], until=9.0)
    assert heard == [(2.0, Expired(0)), (4.0, Expired(0)), (6.0, Expired(0))]
    assert run.fates(0) == [(0.0, 2.0, "recalled"), (2.0, 4.0, "recalled"), (4.0, 6.0, "recalled")]
    assert (run.seconds("busy"), run.seconds("wasted"), run.seconds("idle")) == (6.0, 6.0, 3.0)


def test_a_download_is_no_part_of_the_limit():
    heard = []
    run = Played(ordered(heard, quota=1, limit=1.0), [5.0], download=3.0, until=9.0)
    assert heard == [(4.0, Expired(0))]
    assert (run.seconds("communicating"), run.seconds("busy")) == (3.0, 1.0)
    assert [s[:4] for s in run.stretches] == [("receiving", 0, 0.0, 3.0)]


def test_a_slow_spell_is_part_of_the_limit():
    speed = Timetable(times=[0.0, 2.0], speeds=[0.0, 1.0])
    for limit, news in ((3.0, Expired(0)), (4.0, Ticket(0, 0, 0))):
        heard = []
        Played(ordered(heard, quota=1, limit=limit), [2.0], speed=speed, until=9.0)
        assert heard == [(limit, news)]


@pytest.mark.parametrize("speed", [None, Timetable(times=[0.0], speeds=[1.0])])
@pytest.mark.parametrize(("compute", "news"), [(4.0, Ticket(0, 0, 0)), (5.0, Expired(0))])
def test_a_pause_is_no_part_of_the_limit(compute, news, speed):
    # Two pauses of 1 and 4 s; the limit is 4 s, and what takes exactly that is done.
    heard, pauses = [], ((0, 1.0, 2.0), (0, 3.0, 7.0))
    run = Played(
        ordered(heard, quota=1, limit=4.0),
        [compute],
        outages=pauses,
        work="continued",
        until=20.0,
        speed=speed,
    )
    assert heard == [(9.0, news)]
    assert (run.seconds("busy"), run.seconds("down")) == (4.0, 5.0)


def test_a_permanently_paused_worker_does_not_reach_its_limit():
    def story(cluster):
        cluster.send(0, quota=1, limit=3.0)
        yield cluster.arrival(needs={0}.intersection)

    with pytest.raises(Stalled, match="worker 0, which left permanently at 1 s"):
        Played(story, [inf], outages=((0, 1.0, inf),), work="continued", steps=1)


# Recalls.


@pytest.mark.parametrize("in_flight", MODES)
def test_a_recall_is_immediate_under_any_policy(in_flight):
    heard = []

    def story(cluster):
        cluster.broadcast(quota=1)
        yield from hears(cluster, heard)
        cluster.send(1, quota=1, recall=True)
        yield from forever(cluster, heard)

    run = Played(story, [1.0, 5.0], in_flight=in_flight, until=9.0)
    assert heard == [(1.0, Ticket(0, 0, 0)), (6.0, Ticket(1, 0, 1))]
    assert run.fates(1) == [(0.0, 1.0, "recalled"), (1.0, 6.0, "waiting")]


# What is still being sent when the next order comes.


@pytest.mark.parametrize(("contention", "end"), [(None, 10.0), ("queue", 12.0), ("share", 12.0)])
def test_an_upload_hides_behind_the_order_that_comes_meanwhile(contention, end):
    # Worker 1 receives for 1 s, computes for 1 s, and sends for 5 s.  At 3 s, in the midst of
    # that, it is sent on, and has the next one to send at 5 s: at once, or where the way is
    # shared when and as far as it is free.
    heard = []

    def story(cluster):
        cluster.send(1, quota=1, upload=True)
        cluster.send(0, quota=1)
        yield from hears(cluster, heard)
        cluster.send(1, quota=1, upload=True, recall=True)
        yield from hears(cluster, heard)
        cluster.drop(heard[-1][1])
        yield from forever(cluster, heard)

    network = Network(Seconds(Fixed([0.0, 5.0])), Seconds(Fixed([0.0, 1.0])))
    if contention:
        network = Network(
            Wire(Fixed(1e18)),
            network.download,
            collective="parameter-server",
            uplink=Uplink(16.0 / 5.0, contention),
        )
    run = Played(story, [3.0, 1.0], network=network, until=20.0)
    assert [news for _, news in heard] == [Ticket(0, 0, 0), Ticket(1, 0, 0), Ticket(1, 0, 1)]
    assert heard[-1][0] == pytest.approx(end)
    assert run.counts(1) == {"started": 2, "dropped": 1, "unfinished": 1}
    assert (run.seconds("busy", 1), run.seconds("wasted", 1)) == (1.0 + 1.0, 1.0)
    sending = (3.0 - 2.0) + (end - 5.0)
    assert run.seconds("communicating", 1) == pytest.approx(1.0 + 1.0 + sending)


# Gradients that are used again, and steps without any.


def test_a_gradient_counts_once_however_often_it_is_used():
    def story(cluster):
        cluster.broadcast(upload=True)
        first = yield cluster.arrival()
        yield cluster.step([first], [1.0], keep=[first])
        second = yield cluster.arrival()
        yield cluster.step([first, second], [0.25, 0.75], keep=[first])
        third = yield cluster.arrival()
        yield cluster.step([third], [1.0], keep=(first, third))
        yield cluster.step([first, third], [0.5, 0.5])
        yield cluster.arrival()

    run = Played(story, [1.0], steps=4)
    a, b, c = (Ticket(0, 0, index) for index in range(3))
    assert [step.used for step in run.steps] == [1, 2, 3, 3]
    assert [step.again for step in run.steps] == [set(), {a}, set(), {a, c}]
    assert [step.keep for step in run.steps] == [{a}, {a}, {a, c}, set()]
    assert [step.dispatched for step in run.steps] == [0] * 4
    used = {done.ticket: (done.step, done.weight) for done in run.traced if done.step}
    assert used == {a: (1, 1.0), b: (2, 0.75), c: (3, 1.0)}
    assert run.counts(0)["used"] == 3


@pytest.mark.parametrize("collective", ["max", "gather", "ring", "tree"])
def test_a_step_of_no_gradients_takes_no_time(collective):
    def story(cluster):
        while True:
            cluster.send(0, quota=1, limit=1.0)
            yield cluster.arrival()
            yield cluster.all_reduce([])
            yield cluster.step([], [])

    network = Network(upload=Seconds(Fixed(2.0)), collective=collective)
    run = Played(story, [3.0], network=network, steps=3)
    assert [(step.time, step.tickets, step.used) for step in run.steps] == [
        (1.0, [], 0),
        (2.0, [], 0),
        (3.0, [], 0),
    ]
    assert [step.dispatched for step in run.steps] == [0, 1, 2]
    assert run.counts(0) == {"started": 3, "recalled": 3}
