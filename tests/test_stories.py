"""What do the stories of delays, buffers, tables and attempts come to on a simulated cluster?

Where one is another in disguise, both must say the same; and whatever happens, gradients and
seconds add up.
"""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import replace
from math import inf, sqrt

import pytest
from cases import COUNTS, SECONDS, VECTOR, examples, per_worker_accounts
from compiled import compiled_once
from hypothesis import given
from hypothesis import strategies as st
from test_outages import cases

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
from simulator.cluster import Uplink
from simulator.engine import Simulation, Sinks, Stalled

__all__ = ["compiled_once"]  # the fixture

STORIES = {
    "synchronous": synchronous(),
    "rennala": rennala(5, initial_batch=3),
    "earliest started": rennala(5, count="earliest-started"),
    "malenia": malenia(5),
    "greedy": greedy(),
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
    """All steps, with the accounts of all workers, and the end of the run."""
    steps, end = [], None
    simulation = simulation_of(case, aggregation)
    try:
        steps.extend(simulation.steps(case.stop))
    except Stalled as stalled:
        end = str(stalled)
    message = [
        (step.time, step.tickets, step.weights, per_worker_accounts(step.accounts))
        for step in steps
    ]
    return message, end or per_worker_accounts(simulation.accounts())


def without_weights(message):
    steps, end = message
    return [(time, tickets, accounts) for time, tickets, _, accounts in steps], end


def some(work="lost"):
    """A random cluster: outages, speeds, networks, and either policy."""
    return cases("greedy", work).map(lambda case: replace(case, measured=False))


ANYHOW = pytest.mark.parametrize("work", ["lost", "continued"])


# One in the disguise of another.


@ANYHOW
@examples(30)
@given(st.data(), st.booleans())
def test_a_threshold_out_of_reach_is_greedy(work, data, stops):
    case = data.draw(some(work))
    assert outcome(case, ringmaster(10**6, stops)) == outcome(case, greedy())


@ANYHOW
@pytest.mark.parametrize("in_flight", ["recall", "finish"])
@examples(30)
@given(st.data())
def test_a_race_with_stops_is_rennala_of_one(work, in_flight, data):
    # Without transfers: Rennala's server also reaches all workers at once.
    case = data.draw(cases("greedy", work, networked=False))
    case = replace(case, measured=False, in_flight="recall", seconds=20.0, steps=inf)
    race, end = outcome(replace(case, in_flight=in_flight), ringmaster(1, stops=True))
    expected, expected_end = outcome(case, rennala(1))
    assert [step[:3] for step in race] == [step[:3] for step in expected]
    assert end == expected_end


@ANYHOW
@examples(30)
@given(st.data())
def test_delay_adaptive_differs_from_greedy_in_its_weights(work, data):
    case = data.draw(some(work))
    adaptive, plain = outcome(case, delay_adaptive()), outcome(case, greedy())
    assert without_weights(adaptive) == without_weights(plain)
    for version, (_, [ticket], [weight], _) in enumerate(adaptive[0]):
        assert weight == pytest.approx(min(1.0, case.n / max(version - ticket.version, 1)))


@examples(30)
@given(some(), st.integers(1, 4), st.sampled_from([1, 2, 4]))
def test_a_buffer_gathers_the_gradients_of_greedy_steps(case, size, local_steps):
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
@examples(30)
@given(st.data(), st.sampled_from([1, 2, 8]))
def test_local_rounds_are_synchronous_ones_of_slower_workers(work, data, local_steps):
    case = data.draw(some(work))
    slower = replace(case, compute=[seconds * local_steps for seconds in case.compute])
    assert outcome(case, local_rounds(local_steps)) == outcome(slower, synchronous())


@examples(30)
@given(some("continued"))
def test_one_attempt_of_any_length_is_a_synchronous_round(case):
    def sorted_tickets(message):
        return [(time, sorted(tickets), *more) for time, tickets, *more in message[0]], message[1]

    patient = outcome(case, mindflayer(1, inf, 1.0))
    assert sorted_tickets(patient) == sorted_tickets(outcome(case, synchronous()))


# What holds whatever happens.


def shared_ways(case):
    uplink = Uplink(VECTOR.bytes / 1.5, "share")
    bandwidth = [VECTOR.bytes / 0.7] * case.n
    return replace(case, collective="parameter-server", uplink=uplink, bandwidth=bandwidth)


@pytest.mark.parametrize("name", STORIES)
@ANYHOW
@examples(20)
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
@examples(40)
@given(st.data())
def test_ringleader_follows_all_workers_without_delay(work, data):
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
