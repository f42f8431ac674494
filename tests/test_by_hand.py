"""What happens on clusters that are small enough to be followed by hand?

The engine and the reference are both asked: an oracle has to answer for itself.
"""

from math import inf
from typing import Any, NamedTuple

import pytest
from cases import COUNTS, VECTOR, Case, length, play
from test_collectives import bandwidth

from simulator.cluster import Uplink
from simulator.cluster.speeds import Timetable

__all__ = ["play"]  # the fixture


class Told(NamedTuple):
    """Of each step its time, or its time and tickets; of workers what their accounts say.

    Where an account names a count, the others are 0.
    """

    case: Case
    steps: list[Any]
    accounts: dict[int, dict[str, float]] | None = None


def server(seconds, *more):
    """A parameter server whose way takes a vector across in so many seconds."""
    return {"collective": "parameter-server", "uplink": Uplink(VECTOR.bytes / seconds, *more)}


def wires(*seconds, **more):
    return {"bandwidth": [bandwidth(each) for each in seconds], **more}


def away(worker, begin, end, work="lost"):
    return {"outages": ((worker, begin, end),), "work": work}


SECONDS = [float(second) for second in range(1, 10)]
FINISH = {"in_flight": "finish"}
UNEVEN = wires(4.0, 8.0, latency=[3.0, 1.0])
LATE = wires(1.0, 2.0, latency=[1.0, 0.0])
ONE_SLOW = wires(5.0, 0.5, 0.5)

WITHOUT_OUTAGES = {
    "of two arrivals at once the lower worker's is first": Told(
        Case("greedy", [2.0, 3.0], seconds=6.0),
        [(2.0, (0, 0, 0)), (3.0, (1, 0, 0)), (4.0, (0, 1, 0)), (6.0, (0, 3, 0)), (6.0, (1, 2, 0))],
    ),
    "an all-reduce starts when the batch is full": Told(
        Case("synchronous", [1.0, 3.0], upload=[5.0, 1.0], steps=1),
        [8.0],
        {0: {"communicating": 5.0, "idle": 2.0}, 1: {"communicating": 1.0, "idle": 4.0}},
    ),
    "a gather starts with each": Told(
        Case("synchronous", [1.0, 3.0], upload=[5.0, 1.0], collective="gather", steps=1),
        [6.0],
        {0: {"communicating": 5.0, "idle": 0.0}, 1: {"communicating": 1.0, "idle": 2.0}},
    ),
    # Worker 0 finishes at 2, 4 and 6, worker 1 at 5; the batch of 4 is full at 6.
    "a gather starts with the last gradient of each": Told(
        Case("rennala", [2.0, 5.0], batch=4, upload=[1.0, 4.0], collective="gather", steps=1), [9.0]
    ),
    # Worker 0, served first at 1 s, starts again before worker 1 closes the batch: to 2 s it
    # computes what will be dropped and sends its first gradient too, from then on it only sends.
    "sending while computing is computing": Told(
        Case("rennala", [1.0, 1.0], batch=2, upload=[3.0, 0.5], steps=1, **FINISH),
        [4.0],
        {
            0: {"busy": 2.0, "communicating": 2.0, "idle": 0.0},
            1: {"busy": 1.0, "communicating": 0.5, "idle": 2.5},
        },
    ),
    # Worker 1 would receive the point after 5 s, but there is a newer one every second.
    "an order in transit is no start": Told(
        Case("rennala", [1.0, 1.0], batch=1, download=[0.0, 5.0], seconds=9.0),
        SECONDS,
        {1: {"started": 0, "busy": 0.0, "communicating": 9.0}},
    ),
    # The fast worker closes a step every 2 s.  The slow one computes from 1.5 to 6.5; the order
    # of 4 s has reached it by then, but the one of 6 s replaces that and comes at 7.5; from 7.5
    # to 12.5; and from 13.5, when the order of 12 s arrives.
    "after obsolete work comes the newest order, a download later": Told(
        Case("rennala", [2.0, 5.0], batch=1, download=[0.0, 1.5], seconds=15.0, **FINISH),
        [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0],
        {
            1: {
                "started": 3,
                "dropped": 2,
                "unfinished": 1,
                "busy": 11.5,
                "wasted": 10.0,
                "communicating": 3.5,
            }
        },
    ),
    # Had it started a new gradient before the server reacts, steps would be at 1, 3, 5, ...
    "the worker that closes a batch is not computing at the old point": Told(
        Case("rennala", [10.0, 1.0], batch=1, seconds=9.0, **FINISH),
        SECONDS,
        {1: {"started": 10, "used": 9, "unfinished": 1}},
    ),
    # All finish at 1 s.  Worker 0 is served first and starts again, worker 1 closes the batch,
    # worker 2 comes too late: then 0 is busy to 2 s and wastes a second, 1 and 2 are not.
    "a worker that finished before the closing one has gone on": Told(
        Case("rennala", [1.0] * 3, batch=2, steps=2, **FINISH),
        [(1.0, (0, 0, 0), (1, 0, 0)), (2.0, (1, 1, 0), (2, 1, 0))],
        {0: {"wasted": 1.0}, 1: {"wasted": 0.0}, 2: {"wasted": 1.0}},
    ),
    # 1.2 + x is 3.5999999999999996 or 3.6000000000000005 for every float x: a simulator that
    # knows delays only would miss the finish at 3.6, or never end its search for the delay.
    "no delay added to the clock can hit the finish": Told(
        Case("synchronous", [1.2, 3.6], steps=1), [3.6]
    ),
    "Rennala does without a worker that never finishes": Told(
        Case("rennala", [1.0, inf, 1.0], batch=2, seconds=9.0),
        SECONDS,
        {1: {"busy": 9.0, "wasted": 8.0 + 1.0}},
    ),
    "the last second belongs to the run": Told(
        Case("rennala", [1.0], batch=1, seconds=3.0),
        [1.0, 2.0, 3.0],
        {0: {"started": 4, "used": 3, "unfinished": 1, "busy": 3.0}},
    ),
    "an episode lasts as long as it is": Told(
        Case("greedy", [2.0, 3.0], measured=True, steps=1), [(2.0 * length((0, 0, 0)), (0, 0, 0))]
    ),
}

COLLECTIVES = {
    "in a ring all wait for the worst latency and the worst link": Told(
        Case(
            "synchronous",
            [1.0, 2.0],
            collective="ring",
            steps=1,
            **wires(4.0, 8.0, latency=[3.0, 1.0]),
        ),
        [2.0 + 2 * (3.0 + 8.0 / 2)],
        {0: {"communicating": 14.0, "idle": 1.0}, 1: {"communicating": 14.0, "idle": 0.0}},
    ),
    "beside a slow link the others pass in a second channel": Told(
        Case(
            "synchronous",
            [1.0, 2.0, 2.0],
            steps=1,
            **wires(5.0, 0.5, 0.5),
            **server(2.0, "queue", 2),
        ),
        [2.0 + 5.0],
    ),
    # One takes a quarter of the way for 8 s.  The others, at three eighths each, are through
    # after 2 / (3 / 8) s of 2 s of the whole way.
    "a slow link leaves the rest of its share to the others": Told(
        Case("synchronous", [1.0] * 3, steps=1, **wires(8.0, 0.5, 0.5), **server(2.0, "share")),
        [9.0],
        {0: {"communicating": 8.0}, 1: {"communicating": 16 / 3}, 2: {"communicating": 16 / 3}},
    ),
    # Worker 1's vector is on it from 2 to 4 s, worker 0's from 3 to 4 s.
    "what comes out of a shared way at once arrives by number": Told(
        Case(
            "greedy",
            [2.0, 2.0],
            seconds=4.0,
            **wires(1.0, 2.0, latency=[1.0, 0.0]),
            **server(1.0, "queue", 2),
        ),
        [(4.0, (0, 0, 0)), (4.0, (1, 0, 0))],
    ),
    "a run may end between two that are through together": Told(
        Case("greedy", [1.0, 1.0], steps=1, **server(1.0, "share")), [3.0]
    ),
    # Both are done at 1 s.  Worker 1's vector passes from 3 to 5 s, worker 0's new one follows.
    "a single upload waits its turn": Told(
        Case("greedy", [1.0, 1.0], seconds=9.0, **server(2.0)),
        [(3.0, (0, 0, 0)), (5.0, (1, 0, 0)), (7.0, (0, 1, 0)), (9.0, (1, 2, 0))],
        {0: {"busy": 3.0, "communicating": 6.0}, 1: {"busy": 2.0, "communicating": 7.0}},
    ),
}

CRASHES = {
    # Worker 0 holds the gradients of 1 and 2 s, worker 1 that of 2 s when 0 crashes at 2.5 s.
    # Three more are needed: worker 1's of 4 s, and from 5 s on worker 0's again, of 6 and 7 s.
    "a crash takes along what the worker held, and Rennala collects on": Told(
        Case("rennala", [1.0, 2.0], batch=4, steps=1, **away(0, 2.5, 5.0)),
        [(6.0, (1, 0, 0), (1, 0, 1), (0, 0, 3), (1, 0, 2))],
        {
            0: {
                "started": 5,
                "used": 1,
                "recalled": 1,
                "lost": 3,
                "busy": 3.5,
                "down": 2.5,
                "wasted": 2.5,
            }
        },
    ),
    # At 2 s worker 0's second gradient closes the batch; only then it crashes.  Back at 6 s, it
    # fills the next batch at 8 s; that all-reduce is still under way.
    "what is done the moment of the crash is heard before it": Told(
        Case("rennala", [1.0, 9.0], batch=2, upload=[3.0] * 2, seconds=9.0, **away(0, 2.0, 6.0)),
        [(5.0, (0, 0, 0), (0, 0, 1))],
        {0: {"started": 4, "used": 2, "unfinished": 2}},
    ),
    # Done at 1 s, its sender goes on at once, and crashes in the same moment.
    "a gradient of no seconds can be lost": Told(
        Case("rennala", [1.0, 4.0], batch=3, steps=1, **away(0, 1.0, inf)),
        [12.0],
        {0: {"started": 2, "lost": 2}},
    ),
    "a synchronous round waits for the return": Told(
        Case("synchronous", [1.0, 3.0], steps=2, **away(0, 2.0, 7.0)),
        [(8.0, (1, 0, 0), (0, 0, 1)), (11.0, (0, 1, 0), (1, 1, 0))],
        {0: {"idle": 3.0}},
    ),
    # Worker 0's first gradient is on its way from 2 to 4 s when it crashes at 3 s.
    "greedy goes on without it": Told(
        Case("greedy", [2.0, 1.0], upload=[2.0, 1.0], seconds=9.0, **away(0, 3.0, 5.0)),
        [(2.0, (1, 0, 0)), (4.0, (1, 1, 0)), (6.0, (1, 2, 0)), (8.0, (1, 3, 0)), (9.0, (0, 2, 0))],
        {
            0: {
                "started": 3,
                "used": 1,
                "lost": 1,
                "unfinished": 1,
                "busy": 4.0,
                "communicating": 3.0,
                "down": 2.0,
                "wasted": 2.0,
            }
        },
    ),
    # Worker 0's vector would pass until 3 s; it crashes at 2 s, and worker 1's follows at 3 s.
    "a worker that crashes on a shared uplink still fills it": Told(
        Case("greedy", [1.0, 1.5], steps=1, **away(0, 2.0, inf), **server(2.0)),
        [(5.0, (1, 0, 0))],
        {0: {"communicating": 1.0, "down": 3.0}},
    ),
    "an all-reduce that has begun is safe": Told(
        Case("synchronous", [1.0] * 2, upload=[4.0] * 2, seconds=11.0, **away(0, 2.0, 6.0)),
        [5.0, (11.0, (1, 1, 0), (0, 1, 0))],
        {0: {"lost": 0}, 1: {"lost": 0}},
    ),
    "a late joiner is sent the point that is newest then": Told(
        Case("rennala", [1.0] * 2, batch=2, download=[0.0, 0.5], seconds=6.0, **away(1, 0.0, 4.25)),
        [(2.0, (0, 0, 0), (0, 0, 1)), (4.0, (0, 1, 0), (0, 1, 1)), (5.75, (0, 2, 0), (1, 2, 0))],
        {1: {"down": 4.25, "communicating": 0.75}},
    ),
    # Chosen are the first of both, until worker 0 crashes with its own.  Back at 1 s it begins
    # its second, for which no step waits; but when it delivers that at 2 s there is room for one
    # more, and so its third one is chosen.
    "the earliest started are counted off with their worker": Told(
        Case(
            "rennala", [1.0, 3.0], batch=2, count="earliest-started", steps=1, **away(0, 0.5, 1.0)
        ),
        [(3.0, (0, 0, 2), (1, 0, 0))],
        {0: {"started": 4, "used": 1, "recalled": 1, "dropped": 1, "lost": 1}},
    ),
}

# Worker 0 is done at 1 s, paused from 2 to 5 s, the batch full at 4 s; a transfer takes 4 s, of
# worker 1 2 s.
PAUSED_SENDER = {"upload": [4.0, 2.0], "steps": 1, **away(0, 2.0, 5.0, "continued")}
DYING = {
    "speed": Timetable([0.0, 10.0, 20.0, 25.0], [[1.0, 0.0, 1.0, 0.0], [1.0] * 4]),
    **FINISH,
    **away(0, 12.0, 15.0, "continued"),
}
PAUSES = {
    "a pause delays what it interrupts by its own length": Told(
        Case("greedy", [4.0], steps=2, **away(0, 1.0, 3.5, "continued")),
        [6.5, 10.5],
        {0: {"busy": 8.0, "down": 2.5, "idle": 0.0}},
    ),
    # Worker 1 is away from 1 to 7 s; the order of 4 s is there at 6 s, that of 8 s at 10 s.
    "an order sent during a pause is followed after it": Told(
        Case(
            "rennala",
            [2.0, 1.5],
            batch=2,
            download=[0.0, 2.0],
            seconds=7.5,
            **away(1, 1.0, 7.0, "continued"),
        ),
        [(4.0, (0, 0, 0), (0, 0, 1))],
        {1: {"started": 1, "unfinished": 1, "down": 6.0, "busy": 0.5}},
    ),
    # 20 s of work where there are 15 in all: after a pause there are less still.
    "what never ends is not ended by a pause": Told(
        Case("rennala", [20.0, 9.0], batch=1, seconds=40.0, **DYING),
        [9.0, 18.0, 27.0, 36.0],
        {0: {"started": 1, "unfinished": 1}},
    ),
    "a worker that is paused when the batch is full sends afterwards": Told(
        Case("synchronous", [1.0, 4.0], **PAUSED_SENDER), [9.0]
    ),
    # It has heard of worker 0 by then, which sends as soon as it is done.
    "a gather is not held up by a pause": Told(
        Case("synchronous", [1.0, 4.0], collective="gather", **PAUSED_SENDER), [6.0]
    ),
}
BY_HAND = WITHOUT_OUTAGES | COLLECTIVES | CRASHES | PAUSES


@pytest.mark.parametrize("name", BY_HAND)
def test_a_small_cluster_agrees_with_calculations_by_hand(play, name):
    case, steps, accounts = BY_HAND[name]
    rounds, found, _ = play(case)
    for step, wanted in zip(rounds, steps, strict=True):
        time, *tickets = wanted if isinstance(wanted, tuple) else (wanted, *step.tickets)
        assert step.time == pytest.approx(time, rel=1e-15)
        assert step.tickets == tickets
    for worker, wanted in (accounts or {}).items():
        others = dict.fromkeys(COUNTS, 0) if wanted.keys() & set(COUNTS) - {"lost"} else {}
        account = {name: getattr(found[worker], name) for name in others | wanted}
        assert account == pytest.approx(others | wanted, rel=1e-12)
