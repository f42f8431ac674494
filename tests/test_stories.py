"""What do the stories of delays, buffers, tables and attempts come to on a simulated cluster?

Where one is another in disguise, both must say the same; where not, a few plain lines that share
nothing with the simulator say when what happens.
"""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import replace
from heapq import heapify, heappop, heappush
from math import inf, sqrt

import pytest
from cases import COUNTS, DYADIC, SECONDS, VECTOR, Case, examples, per_worker, per_worker_accounts
from compiled import compiled_once
from hypothesis import given
from hypothesis import strategies as st
from test_outages import cases

from algorithms.methods import (
    buffered,
    delay_adaptive,
    greedy,
    local_rounds,
    mindflayer,
    rennala,
    ringleader,
    ringmaster,
    synchronous,
)
from simulator.cluster import Exponential, Fixed, Uplink
from simulator.engine import Simulation, Sinks, Stalled

__all__ = ["compiled_once"]  # the fixture

STORIES = {
    "ringmaster": ringmaster(2),
    "ringmaster with stops": ringmaster(2, stops=True),
    "ringleader": ringleader(),
    "delay-adaptive": delay_adaptive(),
    "buffered": buffered(3, local_steps=2),
    "mindflayer": mindflayer(2, 1.5, 0.5),
    "local rounds": local_rounds(3),
}


def simulation_of(case, aggregation, trace=None):
    # Lengths would be asked of tickets, which are not the same in equivalent stories.
    return Simulation(
        case.cluster,
        aggregation,
        seed=case.seed,
        vector=VECTOR,
        account_when=lambda version, time: True,
        trace=trace,
    )


def outcome(case, aggregation):
    """All steps, with everybody's accounts, and how the run ended."""
    steps, end = [], None
    simulation = simulation_of(case, aggregation)
    try:
        steps.extend(simulation.steps(case.stop))
    except Stalled as stalled:
        end = str(stalled)
    told = [
        (step.time, step.tickets, step.weights, per_worker_accounts(step.accounts))
        for step in steps
    ]
    return told, end or per_worker_accounts(simulation.accounts())


def without_weights(told):
    steps, end = told
    return [(time, tickets, accounts) for time, tickets, _, accounts in steps], end


def some(work="lost"):
    """A random cluster: outages, speeds, networks, and either policy."""
    return cases("greedy", work).map(lambda case: replace(case, measured=False))


ANYHOW = pytest.mark.parametrize("work", ["lost", "continued"])


# One in the disguise of another.


@ANYHOW
@examples(60)
@given(st.data(), st.booleans())
def test_a_threshold_out_of_reach_is_greedy(work, data, stops):
    case = data.draw(some(work))
    assert outcome(case, ringmaster(10**6, stops)) == outcome(case, greedy())


@ANYHOW
@pytest.mark.parametrize("in_flight", ["recall", "finish"])
@examples(60)
@given(st.data())
def test_a_race_with_stops_is_rennala_of_one(work, in_flight, data):
    # Without transfers: Rennala's server tells everybody at once, too.
    case = data.draw(cases("greedy", work, networked=False))
    case = replace(case, measured=False, in_flight="recall", seconds=20.0, steps=inf)
    race, end = outcome(replace(case, in_flight=in_flight), ringmaster(1, stops=True))
    expected, expected_end = outcome(case, rennala(1))
    assert [step[:3] for step in race] == [step[:3] for step in expected]
    assert end == expected_end


@ANYHOW
@examples(60)
@given(st.data())
def test_delay_adaptive_differs_from_greedy_in_its_weights(work, data):
    case = data.draw(some(work))
    adaptive, plain = outcome(case, delay_adaptive()), outcome(case, greedy())
    assert without_weights(adaptive) == without_weights(plain)
    for version, (_, [ticket], [weight], _) in enumerate(adaptive[0]):
        assert weight == pytest.approx(min(1.0, case.n / max(version - ticket.version, 1)))


@examples(60)
@given(some(), st.integers(1, 4), st.sampled_from([1, 2, 4]))
def test_a_buffer_gathers_what_greedy_would_step_with(case, size, local_steps):
    # When a gradient arrives does not depend on how old the point is.
    more = replace(
        case,
        compute=[seconds * local_steps for seconds in case.compute],
        seconds=99.0,
        steps=99,
    )
    case = replace(case, seconds=99.0, steps=99 // size)
    arrivals = [step[0] for step in outcome(more, greedy())[0]]
    gathered = outcome(case, buffered(size, local_steps))[0]
    assert [step[0] for step in gathered] == arrivals[size - 1 :: size][: 99 // size]
    for version, (_, tickets, weights, _) in enumerate(gathered):
        delays = [version - ticket.version for ticket in tickets]
        assert weights == pytest.approx([1 / size / sqrt(1 + delay) for delay in delays])


@ANYHOW
@examples(60)
@given(st.data(), st.sampled_from([1, 2, 8]))
def test_local_rounds_are_synchronous_ones_of_slower_workers(work, data, local_steps):
    case = data.draw(some(work))
    slower = replace(case, compute=[seconds * local_steps for seconds in case.compute])
    assert outcome(case, local_rounds(local_steps)) == outcome(slower, synchronous())


@examples(60)
@given(some("continued"))
def test_one_attempt_of_any_length_is_a_synchronous_round(case):
    def sorted_tickets(told):
        return [(time, sorted(tickets), *more) for time, tickets, *more in told[0]], told[1]

    patient = outcome(case, mindflayer(1, inf, 1.0))
    assert sorted_tickets(patient) == sorted_tickets(outcome(case, synchronous()))


def test_limits_that_nobody_reaches_change_nothing():
    case = Case("greedy", [1.0, 2.0, 3.0], upload=[1.0, 0.5, 0.25], seconds=50.0)
    assert outcome(case, mindflayer(3, 3.0, 0.5)) == outcome(case, mindflayer(3, inf, 0.5))


# Said a second time, slowly and plainly.  Fixed times, no transfers; of several workers at one
# instant the lowest is first.


def racing(seconds, threshold, stops, until):
    """Ringmaster's steps: time and gradient."""
    version, started, steps = 0, dict.fromkeys(range(len(seconds)), (0.0, 0)), []
    while True:
        time, worker = min((started[i][0] + seconds[i], i) for i in started)
        if time > until:
            return steps
        point = started[worker][1]
        if version - point < threshold:
            steps.append((time, worker, point))
            version += 1
        started[worker] = (time, version)
        if stops:
            for other, (_, point) in started.items():
                if version - point >= threshold:
                    started[other] = (time, version)


@pytest.mark.parametrize("stops", [False, True])
@examples(100)
@given(st.data(), st.integers(1, 6))
def test_ringmaster(stops, data, threshold):
    seconds = data.draw(st.integers(1, 5).flatmap(lambda n: per_worker(n, DYADIC)))
    case = Case("greedy", seconds, in_flight=data.draw(st.sampled_from(["recall", "finish"])))
    steps, books = outcome(replace(case, seconds=20.0), ringmaster(threshold, stops))
    expected = racing(seconds, threshold, stops, 20.0)
    assert [(time, *tickets[0][:2]) for time, tickets, *_ in steps] == expected
    if stops:
        assert not any(book.dropped for book in books)
    elif threshold > 1:
        assert not any(book.recalled for book in books)


def tables(seconds, updates):
    """Ringleader's steps: time and how many gradients of which worker and point."""
    n = len(seconds)
    queue = [(each, worker, 0) for worker, each in enumerate(seconds)]
    heapify(queue)
    table, following, waiting, collecting = Counter(), Counter(), set(), True
    steps = []
    while len(steps) < updates:
        time, worker, point = heappop(queue)
        if collecting:
            table[worker, point] += 1
            if len({who for who, _ in table}) == n:
                collecting, waiting = False, set(range(n)) - {worker}
                steps.append((time, Counter(table)))
                point = len(steps)
        else:
            if worker in waiting:
                waiting.remove(worker)
                table[worker, point] += 1
                steps.append((time, Counter(table)))
            else:
                following[worker, point] += 1
            point = len(steps)
        if not collecting and not waiting:
            table, following, collecting = following, Counter(), True
        heappush(queue, (time + seconds[worker], worker, point))
    return steps


@examples(100)
@given(st.integers(1, 5).flatmap(lambda n: per_worker(n, DYADIC)))
def test_ringleader(seconds):
    updates = 4 * len(seconds)
    steps, _ = outcome(Case("greedy", seconds, steps=updates), ringleader())
    assert [
        (time, Counter((ticket.worker, ticket.version) for ticket in tickets))
        for time, tickets, *_ in steps
    ] == tables(seconds, updates)


def test_ringleader_of_equal_workers():
    # In the first second the table fills; whoever was not the last to fill it is served in the
    # next.  The last one's gradient of 2 s is for the second table, which the others fill at 3 s.
    steps, _ = outcome(Case("greedy", [1.0] * 3, steps=6), ringleader())
    assert [time for time, *_ in steps] == [1.0, 2.0, 2.0, 3.0, 3.0, 4.0]


@pytest.mark.parametrize("limit", [0.25, 1.0, 4.0])
def test_mindflayer(limit):
    # Exponential durations, straight from the cluster: every round takes the next ones.
    attempts, probability = [1, 2, 3], [0.25, 0.5, 0.75]
    case = Case("greedy", Exponential(Fixed([1.0, 0.5, 2.0])), 3, steps=50, seed=1)
    steps, books = outcome(case, mindflayer(attempts, limit, probability))
    weight = 1 / (0.25 * 1 + 0.5 * 2 + 0.75 * 3)
    now, begun = 0.0, [0, 0, 0]
    for version, (time, tickets, weights, _) in enumerate(steps):
        done, over = set(), []
        for worker, many in enumerate(attempts):
            ends = now
            for index in range(many):
                seconds = case.cluster.compute_seconds(case.seed, worker, begun[worker])
                begun[worker] += 1
                ends += min(seconds, limit)
                if seconds <= limit:
                    done.add((worker, version, index))
            over.append(ends)
        now = max(over)
        assert time == pytest.approx(now, rel=1e-9)
        now = time
        assert set(tickets) == done
        assert weights == pytest.approx([weight] * len(done))
    assert len(steps) == 50
    assert [book.used + book.recalled for book in books] == begun
    assert any(not tickets for _, tickets, *_ in steps) == (limit < 1.0)


# What holds whatever happens.


def shared_ways(case):
    uplink = Uplink(VECTOR.bytes / 1.5, "share")
    bandwidth = [VECTOR.bytes / 0.7] * case.n
    return replace(case, collective="parameter-server", uplink=uplink, bandwidth=bandwidth)


@pytest.mark.parametrize("name", STORIES)
@ANYHOW
@examples(40)
@given(st.data())
def test_gradients_and_seconds_are_conserved(name, work, data):
    case = data.draw(some(work))
    case = shared_ways(case) if data.draw(st.integers(0, 3)) == 0 else case
    computations = []
    simulation = simulation_of(case, STORIES[name], Sinks(computations.append))
    steps = []
    try:
        steps.extend(simulation.steps(case.stop))
    except Stalled:
        return
    simulation.close_trace()
    books = simulation.accounts()
    ended = books.used + books.recalled + books.dropped + books.lost + books.unfinished
    assert (books.started == ended).all()
    assert all((getattr(books, count) >= 0).all() for count in COUNTS)
    assert all((getattr(books, seconds) >= -1e-9).all() for seconds in SECONDS)
    clock = books.busy + books.communicating + books.down + books.idle
    assert clock == pytest.approx([books.time] * case.n, rel=1e-9)
    # The trace says the same, name by name.
    assert len({done.ticket for done in computations}) == len(computations) == books.started.sum()
    for fate in ("used", "recalled", "dropped", "lost"):
        many = Counter(done.ticket.worker for done in computations if done.outcome == fate)
        assert [many[worker] for worker in range(case.n)] == getattr(books, fate).tolist()
    first = {}
    for step in steps:
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            first.setdefault(ticket, (step.number, weight))
        assert step.used == len(first)
    used = {done.ticket: (done.step, done.weight) for done in computations if done.step}
    assert used == first
    if work == "lost":  # where nothing is paused, what a gradient took is what it lasted
        wasted = defaultdict(float)
        for done in computations:
            if done.outcome in ("recalled", "dropped", "lost"):
                wasted[done.ticket.worker] += done.finish - done.start
        assert books.wasted == pytest.approx([wasted[i] for i in range(case.n)], abs=1e-9)


@ANYHOW
@examples(60)
@given(st.data(), st.integers(1, 4), st.booleans())
def test_nothing_older_than_the_threshold_is_used(work, data, threshold, stops):
    steps, _ = outcome(data.draw(some(work)), ringmaster(threshold, stops))
    delays = [version - tickets[0].version for version, (_, tickets, *_) in enumerate(steps)]
    assert all(0 <= delay < threshold for delay in delays)


@ANYHOW
@examples(100)
@given(st.data())
def test_ringleader_follows_everybody_and_nobody_too_late(work, data):
    case = replace(data.draw(some(work)), seconds=60.0, steps=40)
    simulation, steps = simulation_of(case, ringleader()), []
    with suppress(Stalled):
        steps.extend(simulation.steps(case.stop))
    for before, step in zip([None, *steps], steps, strict=False):
        shares = defaultdict(float)
        for ticket, weight in zip(step.tickets, step.weights, strict=True):
            shares[ticket.worker] += weight
        assert shares == pytest.approx(dict.fromkeys(range(case.n), 1 / case.n))
        assert step.version - step.dispatched <= 2 * case.n - 2
        # A table serves n steps: each but the last keeps all of it for the next.
        assert step.keep == (set() if step.number % case.n == 0 else set(step.tickets))
        assert step.again == (before.keep if before else set())


def test_the_bound_on_ringleader_s_delays_is_reached():
    # Worker 0 is served first in the first round, and last in the second.
    steps, _ = outcome(Case("greedy", [4.0, 1.0, 1.0], steps=30), ringleader())
    delays = [v - min(t.version for t in tickets) for v, (_, tickets, *_) in enumerate(steps)]
    assert max(delays) == 2 * 3 - 2
