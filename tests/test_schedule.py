"""Does the simulator get the times right?

Three answers.  Against an independent reference: steps, tickets, weights and accounts on random
clusters, where small integers make exact ties the rule and not the exception.  Against what the
papers say of their own cluster; theory/test_times has the closed forms.  And against itself: what
cannot change when speeds are equal, clocks are scaled or workers are renamed.

Closed forms are asked of the reference too: an oracle has to answer for itself.
"""

from collections import Counter
from dataclasses import replace
from math import inf, sqrt

import numpy as np
import pytest
from cases import (
    ANY,
    DYADIC,
    METHODS,
    SECONDS,
    TRANSFER,
    WHOLE,
    Case,
    assert_agreement,
    examples,
    per_worker,
    play,
    referred,
    rounds_of,
    schedule,
    simulated,
    stops,
    times,
)
from hypothesis import given
from hypothesis import strategies as st

from simulator.cluster import Fixed, LogNormal, Power
from simulator.engine import Stalled, Stop
from simulator.engine.clock import Clock

__all__ = ["play"]  # the fixture


def counts(step, n):
    of = Counter(worker for worker, _, _ in step.tickets)
    return [of[worker] for worker in range(n)]


# Random cases.


def speeds(seconds=DYADIC):
    return st.integers(1, 7).flatmap(lambda n: per_worker(n, seconds))


@st.composite
def cases(draw, method):
    """A case with this method, and everything at random but outages and speeds."""
    n, batches = draw(st.integers(1, 6)), st.integers(1, 12)
    compute = draw(st.one_of(per_worker(n, seconds) for seconds in (WHOLE, DYADIC, ANY)))
    if method in ("rennala", "greedy") and n > 1 and draw(st.booleans()):
        compute[draw(st.integers(0, n - 1))] = inf
    network = st.one_of(st.none(), per_worker(n, TRANSFER), per_worker(n, st.just(1.0)))
    return Case(
        method,
        compute,
        batch=draw(batches),
        initial_batch=draw(st.one_of(st.none(), batches)),
        upload=draw(network),
        download=draw(network),
        collective=draw(st.sampled_from(["max", "gather"])),
        in_flight=draw(st.sampled_from(["recall", "finish"])),
        **draw(stops()),
    )


# Against the reference.


@pytest.mark.parametrize("method", METHODS)
@examples(60)
@given(st.data())
def test_the_simulator_agrees_with_the_reference(method, data):
    assert_agreement(data.draw(cases(method)))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("in_flight", ["recall", "finish"])
def test_they_agree_on_a_hundred_workers(method, in_flight):
    law = LogNormal(Power(0.5), 0.5)
    up, down = [sqrt(i + 1) for i in range(100)], [(i % 7) / 4 for i in range(100)]
    case = Case(method, law, 100, batch=150, upload=up, download=down, in_flight=in_flight)
    # Greedy steps with every gradient, and its reference looks through all of them each time.
    assert_agreement(replace(case, seconds=30.0 if method == "greedy" else 60.0))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("in_flight", ["recall", "finish"])
def test_they_agree_on_hundreds_of_workers_that_finish_together(method, in_flight):
    compute = [float(1 + 7 * i % 5) for i in range(300)]
    case = Case(method, compute, batch=290, initial_batch=411, in_flight=in_flight, steps=4)
    assert_agreement(case)


# What the papers' own cluster must give: ten workers, h_i = sqrt(i), no communication.

ROOTS = [sqrt(i) for i in range(1, 11)]


@pytest.mark.parametrize(
    ("method", "batch", "time", "contributions"),
    [
        ("rennala", 20, 5.0, [5, 3, 2, 2, 2, 2, 1, 1, 1, 1]),
        ("rennala", 30, 4 * sqrt(3), [6, 4, 4, 3, 3, 2, 2, 2, 2, 2]),
        ("rennala", 50, 11.0, [11, 7, 6, 5, 4, 4, 4, 3, 3, 3]),
        ("malenia", 20, 6.0, [6, 4, 3, 3, 2, 2, 2, 2, 2, 1]),
        ("malenia", 50, 4 * sqrt(10), [12, 8, 7, 6, 5, 5, 4, 4, 4, 4]),
        ("synchronous", None, sqrt(10), [1] * 10),
        # At 6 s workers 0, 3 and 8 (of 1, 2 and 3 s) finish together, and 24 gradients are in:
        # it is the tie rule alone that says whose are the 25th and the 26th.
        ("rennala", 25, 6.0, [6, 4, 3, 2, 2, 2, 2, 2, 1, 1]),
        ("rennala", 26, 6.0, [6, 4, 3, 3, 2, 2, 2, 2, 1, 1]),
        ("rennala", 27, 6.0, [6, 4, 3, 3, 2, 2, 2, 2, 2, 1]),
    ],
)
def test_a_round_on_the_papers_cluster(play, method, batch, time, contributions):
    (step,) = rounds_of(Case(method, ROOTS, batch=batch, steps=1), play)
    assert step.time == pytest.approx(time, rel=1e-12)
    assert counts(step, 10) == contributions


@pytest.mark.parametrize(
    ("in_flight", "seconds", "updates"),
    [
        ("recall", 200.0, 200),
        ("finish", 200.0, 129),
        pytest.param("recall", 400.0, 400, marks=pytest.mark.nightly),
        pytest.param("finish", 400.0, 257, marks=pytest.mark.nightly),
    ],
)
def test_the_two_rennalas_of_the_literature(play, in_flight, seconds, updates):
    straggler = [1.0] * 9 + [100.0]
    case = Case("rennala", straggler, batch=6, in_flight=in_flight, seconds=seconds)
    assert len(rounds_of(case, play)) == updates


@examples(40)
@given(speeds(), st.data(), st.sampled_from([simulated, referred]))
def test_asynchronous_workers_cycle_on_their_own(compute, data, play):
    upload, download = (data.draw(per_worker(len(compute), DYADIC)) for _ in range(2))
    case = Case("greedy", compute, upload=upload, download=download, seconds=40.0)
    rounds, books, _ = play(case)
    cycles = [sum(parts) for parts in zip(compute, upload, download, strict=True)]
    assert [book.used for book in books] == [40 // cycle for cycle in cycles]
    assert len(rounds) == sum(40 // cycle for cycle in cycles)


# The clock, and the worker that is named when it cannot go on.


@pytest.mark.parametrize("number", [float, np.float64])
def test_the_clock_calls_at_exact_times_in_the_order_of_ranks(number):
    clock, served = Clock(), []

    def serve(event):
        served.append((clock.now, event.value))

    for time, rank in [(3.6, 2), (3.6, 1), (1.2, 3)]:
        clock.at(number(time), rank, serve, rank)
    clock.step()
    clock.at(number(3.6), 0, serve, 0)
    clock.run()
    assert served == [(1.2, 3), (3.6, 0), (3.6, 1), (3.6, 2)]
    assert type(clock.now) is float


@pytest.mark.parametrize("method", ["synchronous", "malenia"])
@pytest.mark.parametrize("stop", [{"seconds": 9.0}, {"steps": 2}])
def test_a_worker_that_never_finishes_is_named_if_all_must_deliver(method, stop):
    case = Case(method, [1.0, inf, 1.0], batch=3, **stop)
    with pytest.raises(Stalled, match="worker 1"):
        simulated(case)


# When a run ends.


def test_a_run_ends_with_the_step_that_reaches_the_number_of_gradients():
    simulation = Case("rennala", [1.0, 2.0], batch=4).simulation
    assert [step.used for step in simulation.steps(Stop(gradients=9))] == [4, 8, 12]
    simulation = Case("rennala", [1.0, 2.0], batch=4).simulation
    assert [step.used for step in simulation.steps(Stop(gradients=8))] == [4, 8]


@pytest.mark.parametrize("method", METHODS)
@examples(15)
@given(st.data())
def test_a_longer_run_begins_like_a_shorter_one(method, data):
    case = replace(data.draw(cases(method)), steps=inf, seconds=12.0)
    longer = rounds_of(replace(case, seconds=24.0))
    assert rounds_of(case) == [step for step in longer if step.time <= 12.0]


# What cannot change.


@examples(40)
@given(st.integers(1, 7), st.one_of(DYADIC, ANY), st.data())
def test_at_equal_speeds_the_barrier_methods_are_one(n, seconds, data):
    case = Case(
        "synchronous",
        [seconds] * n,
        upload=data.draw(per_worker(n, TRANSFER)),
        download=[data.draw(TRANSFER)] * n,
        collective=data.draw(st.sampled_from(["max", "gather"])),
        steps=5,
    )
    expected = schedule(rounds_of(case))
    assert len(expected) == 5
    for method in ("rennala", "malenia"):
        assert schedule(rounds_of(replace(case, method=method, batch=n))) == expected


@pytest.mark.parametrize("method", METHODS)
@examples(25)
@given(st.data(), st.sampled_from([0.125, 4.0, 2.0**20]))
def test_scaling_every_time_scales_the_clock(method, data, factor):
    case = data.draw(cases(method))
    scaled = replace(
        case,
        compute=scale(case.compute, factor),
        upload=scale(case.upload, factor),
        download=scale(case.download, factor),
        seconds=case.seconds * factor,
    )
    (rounds, books, _), (scaled_rounds, scaled_books, _) = simulated(case), simulated(scaled)
    # A power of two moves exponents only, so not one rounding is different.
    assert schedule(scaled_rounds) == [(t * factor, *rest) for t, *rest in schedule(rounds)]
    for book, scaled_book in zip(books, scaled_books, strict=True):
        seconds = {name: getattr(book, name) * factor for name in SECONDS}
        assert scaled_book == book._replace(**seconds)


def scale(seconds, factor):
    return seconds and [factor * each for each in seconds]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("in_flight", ["recall", "finish"])
@examples(12)
@given(st.permutations(range(5)), st.integers(1, 12))
def test_renaming_the_workers_renames_them_in_the_result(method, in_flight, names, batch):
    # Roots of distinct primes never tie, so nothing may depend on the order of the names.
    compute, upload = ([sqrt(p) for p in primes] for primes in ((2, 3, 5, 7, 11), (13, 2, 3, 5, 7)))
    download = [0.0, 0.1, 0.2, 0.3, 0.4]
    case = Case(method, compute, batch=batch, in_flight=in_flight, seconds=30.0)
    case = replace(case, upload=upload, download=download)
    renamed = replace(
        case,
        compute=[compute[name] for name in names],
        upload=[upload[name] for name in names],
        download=[download[name] for name in names],
    )
    (rounds, books, _), (renamed_rounds, renamed_books, _) = simulated(case), simulated(renamed)
    assert rounds
    assert schedule(rounds) == [
        (time, [(names[i], version, index) for i, version, index in tickets], weights)
        for time, tickets, weights in schedule(renamed_rounds)
    ]
    assert [books[name] for name in names] == renamed_books


def test_a_seed_names_one_run():
    case = Case("rennala", LogNormal(Fixed(1.0), 0.5), workers=4, batch=6, steps=5)
    assert simulated(case) == simulated(case)
    assert times(rounds_of(case)) != times(rounds_of(replace(case, seed=1)))
