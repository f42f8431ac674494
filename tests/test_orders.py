"""What does an order's small print do?  Work, limits, recalls; and steps of few gradients or none.

Stories made up for the test, on clusters small enough to be followed by hand.
"""

from itertools import pairwise
from math import inf

import pytest

from algorithms.tickets import Ticket
from algorithms.vocabulary import Expired, Joined, Lost
from simulator.cluster import (
    Cluster,
    Fixed,
    LogNormal,
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
from simulator.mistakes import Mistake

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
        self.balance()

    def balance(self):
        """Whatever happened: gradients and seconds add up, in the books and in the trace."""
        books = self.books
        clock = books.busy + books.communicating + books.down + books.idle
        assert clock == pytest.approx([books.time] * len(clock))
        for seconds in (books.busy, books.communicating, books.down, books.idle, books.wasted):
            assert (seconds >= -1e-12).all()
        outcomes = {name: (name,) for name in ("used", "recalled", "dropped", "lost")}
        for name, ends in {**outcomes, "unfinished": ("waiting", "unfinished")}.items():
            many = [
                sum(done.outcome in ends and done.ticket.worker == worker for done in self.traced)
                for worker in range(len(clock))
            ]
            assert many == getattr(books, name).tolist(), name
        assert len({done.ticket for done in self.traced}) == len(self.traced)
        measured = [self.communicated(worker) for worker in range(len(clock))]
        assert books.communicating == pytest.approx(measured, abs=1e-9)

    def communicated(self, worker):
        """The seconds of its transfers in the trace, without those it computed or was down."""
        sent = [s[2:4] for s in self.stretches if s.worker == worker and s.kind != "down"]
        other = [s[2:4] for s in self.stretches if s.worker == worker and s.kind == "down"]
        other += [done[1:3] for done in self.traced if done.ticket.worker == worker]
        return covered(sent + other, self.books.time) - covered(other, self.books.time)

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


def covered(intervals, until):
    """The seconds up to then that lie in at least one of these intervals."""
    seconds, reached = 0.0, 0.0
    for begin, end in sorted(intervals):
        seconds += max(0.0, min(end, until) - max(begin, reached))
        reached = max(reached, end)
    return seconds


def endless(story):
    """It ends with waiting."""

    def told(cluster):
        yield from story(cluster)
        while True:
            yield cluster.arrival()

    return told


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


@pytest.mark.parametrize("word", ["broadcast", "send"])
def test_work_is_one_draw_multiplied(word):
    law = LogNormal(Fixed(1.0), 0.5)

    def times(work):
        heard = []

        def story(cluster):
            if word == "broadcast":
                cluster.broadcast(work=work)
            else:
                cluster.send(0, work=work)
            yield from forever(cluster, heard)

        Played(story, law, workers=1, until=20.0 * work)
        return [time for time, _ in heard]

    # A power of two moves exponents only, so not one rounding is different.
    assert times(4) == [4 * time for time in times(1)]
    assert len(times(4)) > 9


@pytest.mark.parametrize("word", ["broadcast", "send"])
def test_work_is_done_at_the_worker_s_speed(word):
    heard = []

    def story(cluster):
        cluster.broadcast(quota=1, work=2) if word == "broadcast" else cluster.send(0, work=2)
        yield from forever(cluster, heard)

    # 6 s of work: 2 in the first 4 s, 4 more at full speed.
    Played(story, [3.0], until=8.0, speed=Timetable(times=[0.0, 4.0], speeds=[0.5, 1.0]))
    assert [time for time, _ in heard] == [8.0]


def test_measured_lengths_and_work_multiply():
    heard = []
    story = ordered(heard, work=3, quota=1)
    Played(story, [2.0], until=99.0, lengths=lambda tickets: [5 for _ in tickets])
    assert [time for time, _ in heard] == [2.0 * 5 * 3]


def test_more_work_than_there_ever_will_be_is_told():
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


def test_what_is_broken_off_counts_against_the_quota_and_is_wasted():
    heard = []
    run = Played(ordered(heard, quota=3, limit=2.0), [5.0], until=9.0)
    assert heard == [(2.0, Expired(0)), (4.0, Expired(0)), (6.0, Expired(0))]
    assert run.fates(0) == [(0.0, 2.0, "recalled"), (2.0, 4.0, "recalled"), (4.0, 6.0, "recalled")]
    assert (run.seconds("busy"), run.seconds("wasted"), run.seconds("idle")) == (6.0, 6.0, 3.0)


def test_each_computation_has_the_limit_from_its_own_start():
    law = LogNormal(Fixed(1.0), 0.5)
    alone, limited = [], []
    Played(ordered(alone, quota=30), law, workers=1, until=99.0)
    Played(ordered(limited, quota=30, limit=1.0), law, workers=1, until=99.0)
    durations = [end - start for start, end in pairwise([0.0, *(time for time, _ in alone)])]
    expected, now = [], 0.0
    for index, seconds in enumerate(durations):
        now += min(seconds, 1.0)
        expected.append((now, Ticket(0, 0, index) if seconds <= 1.0 else Expired(0)))
    assert [news for _, news in limited] == [news for _, news in expected]
    assert [t for t, _ in limited] == pytest.approx([t for t, _ in expected], rel=1e-12)
    assert {type(news) for _, news in limited} == {Ticket, Expired}


def test_whoever_never_finishes_is_not_waited_for_beyond_its_limit():
    heard = []

    def story(cluster):
        cluster.send(0, quota=2, limit=4.0)
        heard.append((yield cluster.arrival(needs={0}.intersection)))
        heard.append((yield cluster.arrival(needs={0}.intersection)))
        cluster.step([], [])

    run = Played(story, [inf], steps=1)
    assert heard == [Expired(0)] * 2
    assert run.steps[0].time == 8.0


def test_a_limit_holds_for_its_order_only():
    heard = []

    def story(cluster):
        cluster.send(0, limit=1.0, quota=1)
        yield from hears(cluster, heard)
        cluster.send(0, quota=1)
        yield from hears(cluster, heard)
        cluster.send(0, limit=2.0)
        cluster.broadcast(quota=1)  # nothing has been computed under the order that is replaced
        yield from forever(cluster, heard)

    Played(story, [5.0], until=20.0)
    assert [time for time, _ in heard] == [1.0, 6.0, 11.0]


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


def test_a_pause_moves_what_is_slow_and_what_is_late():
    # At speed 1/2 the 3 s of work would be done at 6 s, and the limit is up at 5 s.  The pause
    # from 1 to 4 s moves the limit to 8 s; but from 4 s on the work goes faster: done at 6.5 s.
    heard, speed = [], Timetable(times=[0.0, 4.0], speeds=[0.5, 1.0])
    Played(
        ordered(heard, quota=1, limit=5.0),
        [3.0],
        outages=((0, 1.0, 4.0),),
        work="continued",
        speed=speed,
        until=9.0,
    )
    assert heard == [(6.5, Ticket(0, 0, 0))]


def test_who_is_paused_for_ever_does_not_come_to_its_limit():
    def story(cluster):
        cluster.send(0, quota=1, limit=3.0)
        yield cluster.arrival(needs={0}.intersection)

    with pytest.raises(Stalled, match="worker 0, which left for ever at 1 s"):
        Played(story, [inf], outages=((0, 1.0, inf),), work="continued", steps=1)


def test_a_crash_forgets_the_limit():
    heard = []

    def story(cluster):
        cluster.send(0, quota=1, limit=3.0)
        yield from hears(cluster, heard, 2)
        cluster.send(0, quota=1)
        yield from forever(cluster, heard)

    Played(story, [5.0], outages=((0, 1.0, 2.0),), until=9.0)
    assert heard == [(1.0, Lost(0)), (2.0, Joined(0)), (7.0, Ticket(0, 0, 1))]


def test_an_obsolete_computation_is_broken_off_at_its_limit_too():
    # Worker 0 is sent on at 1 s.  What it is at ends at 3 s, without a gradient.
    heard = []

    def story(cluster):
        cluster.send(1, quota=1)
        cluster.send(0, quota=1, limit=3.0)
        yield from hears(cluster, heard)
        cluster.send(0, quota=1)
        yield from forever(cluster, heard)

    run = Played(story, [5.0, 1.0], in_flight="finish", until=9.0)
    assert heard == [(1.0, Ticket(1, 0, 0)), (8.0, Ticket(0, 0, 1))]
    assert run.fates(0) == [(0.0, 3.0, "recalled"), (3.0, 8.0, "waiting")]
    assert (run.seconds("wasted"), run.seconds("idle")) == (3.0, 1.0)


@pytest.mark.parametrize(("limit", "outcome"), [(2.0, "recalled"), (4.0, "dropped")])
def test_a_paused_obsolete_computation_keeps_its_limit(limit, outcome):
    # The pause is from 1.5 to 3.5 s; 4 s of work.
    heard = []

    def story(cluster):
        cluster.send(1, quota=1)
        cluster.send(0, quota=1, limit=limit)
        yield from hears(cluster, heard)
        cluster.send(0, quota=1)
        yield from forever(cluster, heard)

    run = Played(
        story,
        [4.0, 1.0],
        in_flight="finish",
        outages=((0, 1.5, 3.5),),
        work="continued",
        until=20.0,
    )
    assert run.fates(0) == [(0.0, limit + 2.0, outcome), (limit + 2.0, limit + 6.0, "waiting")]


@pytest.mark.parametrize("collective", ["max", "gather"])
def test_who_broke_off_its_last_attempt_sends_what_it_has_after_it(collective):
    # Worker 0 has a gradient at 1 s (0.5 of work each 2 s would take 2: broken off at 3 s).
    heard = []
    speed = Timetable(times=[0.0, 1.0], speeds=[1.0, 0.25])

    def story(cluster):
        cluster.send(0, quota=2, limit=2.0)
        ticket = yield from hears(cluster, heard)
        yield from hears(cluster, heard)
        yield cluster.all_reduce([ticket])
        cluster.step([ticket], [1.0])

    network = Network(upload=Seconds(Fixed(4.0)), collective=collective)
    run = Played(story, [1.0], speed=speed, network=network, steps=1)
    assert [time for time, _ in heard] == [1.0, 3.0]
    assert run.steps[0].time == 7.0
    assert (run.seconds("busy"), run.seconds("communicating")) == (3.0, 4.0)


# Recalls.


@pytest.mark.parametrize("in_flight", MODES)
def test_a_recall_is_immediate_whatever_the_policy(in_flight):
    heard = []

    def story(cluster):
        cluster.broadcast(quota=1)
        yield from hears(cluster, heard)
        cluster.send(1, quota=1, recall=True)
        yield from forever(cluster, heard)

    run = Played(story, [1.0, 5.0], in_flight=in_flight, until=9.0)
    assert heard == [(1.0, Ticket(0, 0, 0)), (6.0, Ticket(1, 0, 1))]
    assert run.fates(1) == [(0.0, 1.0, "recalled"), (1.0, 6.0, "waiting")]


def recalled_while_old(**cluster):
    heard = []

    def story(cluster):
        cluster.broadcast(quota=2)
        yield from hears(cluster, heard)
        cluster.send(1, quota=1)
        yield from hears(cluster, heard)
        cluster.send(1, quota=1, recall=True)
        yield from forever(cluster, heard)

    run = Played(story, [1.0, 5.0], in_flight="finish", until=20.0, **cluster)
    return heard[-1], run


@pytest.mark.parametrize("download", [0.0, 0.5])
def test_a_recall_ends_what_was_obsolete_already(download):
    # Worker 1 is sent on at 1 s, but at its first gradient until it is recalled at 2 s.
    last, run = recalled_while_old(download=[0.0, download])
    assert last == (7.0 + download, Ticket(1, 0, 1))
    assert run.fates(1)[0] == (download, 2.0, "recalled")
    assert run.counts(1) == {"started": 2, "recalled": 1, "unfinished": 1}
    assert run.seconds("communicating", 1) == 2 * download


def test_a_recall_frees_of_what_would_never_have_ended():
    # There are 9 s of work in all.
    speed = Timetable(times=[0.0, 9.0], speeds=[1.0, 0.0])

    def story(cluster):
        cluster.send(0, work=10)
        cluster.send(1, quota=1)
        yield cluster.arrival()
        cluster.send(0, quota=1)  # waits for ever
        cluster.send(0, quota=1, recall=True)
        ticket = yield cluster.arrival(needs={0}.intersection)
        cluster.step([ticket], [1.0])

    run = Played(story, [3.0, 1.0], speed=speed, in_flight="finish", steps=1)
    assert [(step.time, step.tickets) for step in run.steps] == [(4.0, [Ticket(0, 0, 1)])]


def test_a_recall_during_a_pause_is_heard_after_it():
    # Worker 1, obsolete since 1 s, is paused from 1.5 to 4 s: it has computed for 1.5 s.
    last, run = recalled_while_old(outages=((1, 1.5, 4.0),), work="continued")
    assert last == (9.0, Ticket(1, 0, 1))
    assert run.fates(1)[0] == (0.0, 2.0, "recalled")
    assert (run.seconds("busy", 1), run.seconds("down", 1)) == (1.5 + 5.0, 2.5)


def test_a_pause_before_the_recall_was_no_work():
    last, run = recalled_while_old(outages=((1, 1.25, 1.75),), work="continued")
    assert last == (7.0, Ticket(1, 0, 1))
    assert (run.seconds("busy", 1), run.seconds("down", 1)) == (1.5 + 5.0, 0.5)


@pytest.mark.parametrize("recall", [False, True])
def test_an_obsolete_limit_is_forgotten_with_its_computation(recall):
    # Worker 0's first computation, of 5 s and obsolete since 1 s, would be broken off at 4 s; it
    # is recalled or lost at 2 s.  Its second one, of no limit, is obsolete from 3 s on, and done.
    heard = []

    def story(cluster):
        cluster.send(1, quota=3)
        cluster.send(0, quota=1, limit=4.0)
        yield from hears(cluster, heard)
        cluster.send(0, quota=1)
        yield from hears(cluster, heard, 1 if recall else 3)
        cluster.send(0, quota=1, recall=recall)
        yield from hears(cluster, heard)
        cluster.send(0, quota=1)
        yield from forever(cluster, heard)

    outages = () if recall else ((0, 2.0, 2.5),)
    run = Played(story, [5.0, 1.0], in_flight="finish", outages=outages, until=20.0)
    begin = 2.0 if recall else 2.5
    assert run.fates(0) == [
        (0.0, 2.0, "recalled" if recall else "lost"),
        (begin, begin + 5.0, "dropped"),
        (begin + 5.0, begin + 10.0, "waiting"),
    ]


def test_a_recalled_worker_that_is_not_there_hears_nothing():
    heard = []

    def story(cluster):
        cluster.broadcast(quota=1)
        yield from hears(cluster, heard)
        cluster.send(1, quota=1, recall=True)
        yield from forever(cluster, heard)

    run = Played(story, [1.0, 5.0], in_flight="finish", outages=((1, 0.5, 3.0),), until=9.0)
    assert [type(news) for _, news in heard] == [Lost, Ticket, Joined]
    assert run.counts(1) == {"started": 1, "lost": 1}


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


@pytest.mark.parametrize("uploading", [0.0, 3.0])
def test_a_dropped_gradient_wastes_its_own_seconds_not_those_of_the_newest(uploading):
    # Two computations of 2 and of 4 s; the first is dropped, once or while the second is done.
    def story(cluster):
        cluster.send(0, quota=1, upload=True, work=2)
        if uploading:
            cluster.send(1, quota=1)
            yield cluster.arrival()
            cluster.send(0, quota=1, upload=True, work=4)
        first = yield cluster.arrival()
        cluster.drop(first)
        if not uploading:
            cluster.send(0, quota=1, upload=True, work=4)
        second = yield cluster.arrival()
        cluster.step([second], [1.0])

    run = Played(story, [1.0, 2.5], upload=[2 * uploading, 0.0], steps=1, outages=((0, 99, inf),))
    assert (run.seconds("busy"), run.seconds("wasted")) == (6.0, 2.0)
    assert run.counts(0) == {"started": 2, "used": 1, "dropped": 1}


def test_a_gradient_lost_on_its_way_wastes_its_own_seconds():
    # Of 1 and of 2 s of work: the first has arrived at 5 s, the second is lost at 6 s.
    heard = []

    def story(cluster):
        cluster.send(0, quota=1, upload=True)
        cluster.send(1, quota=1)
        yield from hears(cluster, heard)
        cluster.send(0, quota=1, upload=True, work=2)
        yield from forever(cluster, heard)

    run = Played(story, [1.0, 1.5], upload=[4.0, 0.0], outages=((0, 6.0, inf),), until=9.0)
    assert heard[1:] == [(5.0, Ticket(0, 0, 0)), (6.0, Lost(0))]
    assert (run.seconds("busy"), run.seconds("wasted")) == (3.0, 2.0)
    assert run.counts(0) == {"started": 2, "lost": 1, "unfinished": 1}


# Gradients that are used again, and steps without any.


def test_a_gradient_counts_once_however_often_it_is_used():
    def story(cluster):
        cluster.broadcast(upload=True)
        first = yield cluster.arrival()
        cluster.step([first], [1.0], keep=[first])
        second = yield cluster.arrival()
        cluster.step([first, second], [0.25, 0.75], keep=[first])
        third = yield cluster.arrival()
        cluster.step([third], [1.0], keep=(first, third))
        cluster.step([first, third], [0.5, 0.5])
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


def test_a_budget_of_gradients_counts_each_once():
    def story(cluster):
        cluster.broadcast(upload=True)
        first = yield cluster.arrival()
        for _ in range(5):
            cluster.step([first], [1.0], keep=[first])
        second = yield cluster.arrival()
        cluster.step([second], [1.0])

    simulation = Simulation(Cluster(1, Fixed(1.0)), endless(story))
    assert [step.used for step in simulation.steps(Stop(gradients=2))] == [1] * 5 + [2]


@pytest.mark.parametrize("collective", ["max", "gather", "ring", "tree"])
def test_a_step_of_no_gradients_takes_no_time(collective):
    def story(cluster):
        while True:
            cluster.send(0, quota=1, limit=1.0)
            yield cluster.arrival()
            yield cluster.all_reduce([])
            cluster.step([], [])

    network = Network(upload=Seconds(Fixed(2.0)), collective=collective)
    run = Played(story, [3.0], network=network, steps=3)
    assert [(step.time, step.tickets, step.used) for step in run.steps] == [
        (1.0, [], 0),
        (2.0, [], 0),
        (3.0, [], 0),
    ]
    assert [step.dispatched for step in run.steps] == [0, 1, 2]
    assert run.counts(0) == {"started": 3, "recalled": 3}


@pytest.mark.parametrize("contention", ["queue", "share"])
@pytest.mark.parametrize("in_flight", MODES)
def test_a_collective_of_nobody_passes_a_shared_way(contention, in_flight):
    def story(cluster):
        cluster.broadcast()
        yield cluster.arrival()
        yield cluster.all_reduce([])
        cluster.step([], [])

    network = Network(
        Wire(Fixed(1.0)), collective="parameter-server", uplink=Uplink(1.0, contention)
    )
    run = Played(story, [3.0, 4.0], network=network, steps=1, in_flight=in_flight)
    assert run.steps[0].time == 3.0


# Stories that break the vocabulary's rules.


def first(cluster):
    cluster.broadcast(upload=True)
    return (yield cluster.arrival())


def steps_with_a_gradient_that_never_arrived(cluster):
    ticket = yield from first(cluster)
    while True:
        cluster.step([ticket._replace(index=1)], [1.0])
        yield cluster.arrival()


def steps_with_a_gradient_under_way(cluster):
    ticket = yield from first(cluster)
    yield cluster.arrival()
    cluster.step([ticket._replace(index=2)], [1.0])
    yield cluster.arrival()


def steps_with_a_stranger(cluster):
    ticket = yield from first(cluster)
    cluster.step([ticket._replace(worker=7)], [1.0])
    yield cluster.arrival()


def steps_twice_with_a_gradient(cluster):
    ticket = yield from first(cluster)
    while True:
        cluster.step([ticket, ticket], [0.5, 0.5])
        yield cluster.arrival()


def gives_too_few_weights(cluster):
    cluster.step([(yield from first(cluster))], [])
    yield cluster.arrival()


def yields_no_request(cluster):
    yield (yield from first(cluster))


def ends(cluster):
    yield from first(cluster)


def never_yields_again(cluster):
    yield from first(cluster)
    while True:
        cluster.step([], [])


def is_no_generator(cluster):
    cluster.broadcast()


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    ("story", "says"),
    [
        (steps_with_a_gradient_that_never_arrived, "has not arrived"),
        (steps_with_a_gradient_under_way, "has not arrived"),
        (steps_with_a_stranger, "has not arrived"),
        (steps_twice_with_a_gradient, "was used before"),
        (gives_too_few_weights, "0 weights for 1 gradients"),
        (yields_no_request, "which is no request"),
        (ends, "its story ended"),
        (never_yields_again, "requested nothing"),
        (is_no_generator, "is no generator"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_story_that_breaks_the_rules_ends_in_one_line(story, says, traced):
    if story is steps_with_a_gradient_that_never_arrived and not traced:
        pytest.skip("only a trace knows the names of all that has arrived")
    network = Network(upload=Seconds(Fixed(1.5)))
    sinks = Sinks(lambda done: None) if traced else None
    cluster = Cluster(1, Fixed([1.0]), network=network)

    def play():
        simulation = Simulation(cluster, story, name="my-method", trace=sinks)
        list(simulation.steps(Stop(steps=30_000)))

    with pytest.raises(Mistake, match=r"^my-method: ") as caught:
        play()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
