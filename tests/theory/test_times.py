"""Do rounds end exactly when the simulator says, and never after their bounds?"""

from fractions import Fraction
from heapq import heapify, heapreplace
from math import floor, inf

import numpy as np
import pytest
from cases import DYADIC, WHOLE, examples
from hypothesis import given
from hypothesis import strategies as st

from algorithms.methods import greedy, malenia, rennala, synchronous
from algorithms.theory import (
    greedy_arrivals,
    harmonic,
    malenia_bound,
    malenia_time,
    rennala_best_m,
    rennala_bound,
    rennala_time,
    round_ends,
    synchronous_time,
)
from simulator.cluster import Cluster, Fixed, Network, Seconds
from simulator.engine import Simulation, Stop

ROUNDING = 1 + 1e-12
FAMILIES = {
    "roots": lambda rng, n: np.sqrt(np.arange(1, n + 1)),
    "eighths": lambda rng, n: rng.integers(1, 40, n) / 8,
    "tenths": lambda rng, n: rng.integers(1, 30, n) / 10,
    "whole": lambda rng, n: rng.integers(1, 5, n).astype(float),
    "equal": lambda rng, n: np.full(n, rng.uniform(0.1, 2)),
    "log-normal": lambda rng, n: rng.lognormal(0, 1.5, n),
}


def clusters(many, seed, *, immortal=True):
    """Random times of workers, and a size of batch; ties in most of them."""
    rng = np.random.default_rng(seed)
    for family in list(FAMILIES.values()) * (many // len(FAMILIES)):
        h = family(rng, int(rng.integers(1, 9)))
        if not immortal and len(h) > 1 and rng.random() < 0.3:
            h[rng.integers(len(h))] = inf
        yield h.tolist(), int(rng.integers(1, 25))


def simulated(h, aggregation, *, steps=3, **otherwise):
    cluster = Cluster(len(h), Fixed(h), **otherwise)
    return [step.time for step in Simulation(cluster, aggregation).steps(Stop(steps=steps))]


# The simulator's floats, and the bounds


def test_rennala_ends_when_it_is_said_to():
    for h, batch in clusters(240, seed=0, immortal=False):
        ends = simulated(h, rennala(batch))
        assert ends == round_ends(lambda t, h=h, m=batch: rennala_time(h, m, begin=t), rounds=3)
        assert ends[0] <= rennala_bound(h, batch) * ROUNDING


def test_malenia_ends_when_it_is_said_to():
    for h, batch in clusters(240, seed=1):
        ends = simulated(h, malenia(batch))
        assert ends == round_ends(lambda t, h=h, m=batch: malenia_time(h, m, begin=t), rounds=3)
        assert max(h) <= ends[0] <= malenia_bound(h, batch) * ROUNDING


def test_as_many_arrive_as_are_said_to():
    for h, batch in clusters(240, seed=2, immortal=False):
        if min(h) == inf:
            continue
        simulation = Simulation(Cluster(len(h), Fixed(h)), greedy())
        until = batch * min(h)
        assert len(list(simulation.steps(Stop(seconds=until)))) == greedy_arrivals(h, until)


def test_finishing_obsolete_work_at_most_doubles_the_bound():
    for h, batch in clusters(120, seed=3):
        ends = np.array([0.0, *simulated(h, rennala(batch), steps=8, in_flight="finish")])
        assert np.diff(ends).max() <= rennala_bound(h, batch, "finish") * ROUNDING


@pytest.mark.parametrize("collective", ["max", "gather"])
def test_all_workers_have_delivered_at_the_stated_time(collective):
    for h, batch in clusters(120, seed=4):
        upload = [batch / (1 + worker) for worker in range(len(h))]
        network = Network(upload=Seconds(Fixed(upload)), collective=collective)
        [end] = simulated(h, synchronous(), steps=1, network=network)
        assert end == synchronous_time(h, upload, collective)


# Other ways to the same times


@examples(80)
@given(st.lists(st.one_of(WHOLE, DYADIC), min_size=1, max_size=7), st.integers(1, 30))
def test_the_definitions_in_fractions(h, batch):
    fractions = [Fraction(seconds) for seconds in h]
    finishes = sorted({k * s for s in fractions for k in range(1, 30 * batch)})

    def first(enough):
        return next(t for t in finishes if enough([floor(t / s) for s in fractions]))

    def balance(counts):
        return min(counts) and len(h) ** 2 >= batch * sum(Fraction(1, c) for c in counts)

    assert rennala_time(h, batch) == first(lambda counts: sum(counts) >= batch)
    if max(h) <= batch * min(h):  # far enough listed
        assert malenia_time(h, batch) == first(balance)


@pytest.mark.parametrize("begin", [0.0, 2.0**50, 2.0**53, 2.0**54])
def test_a_coarse_clock(begin):
    for h, batch in clusters(120, seed=5):
        assert rennala_time(h, batch, begin) == by_heap(h, batch, begin)


def by_heap(h, batch, begin):
    heap = [(begin + seconds, seconds) for seconds in h]
    heapify(heap)
    for _ in range(batch - 1):
        now, seconds = heap[0]
        heapreplace(heap, (now + seconds, seconds))
    return heap[0][0]


def test_a_hundred_thousand_workers_and_a_million_gradients():
    rng = np.random.default_rng(0)
    h = rng.integers(8, 80, 100_000) / 8  # whose multiples are exact
    finishes = np.multiply.outer(h, np.arange(1, 100)).ravel()
    batch = 1_000_000
    assert rennala_time(h, batch) == np.partition(finishes, batch - 1)[batch - 1]
    assert np.count_nonzero(finishes <= 50.0) == greedy_arrivals(h, 50.0)
    balanced = malenia_time(h, batch)
    counts = [np.floor(t / h) for t in (balanced - 1 / 8, balanced)]
    assert [len(h) ** 2 >= batch * (1 / c).sum() for c in counts] == [False, True]


# Invariances


def test_times_ignore_the_order_of_workers_and_scale():
    for h, batch in clusters(120, seed=6):
        for time in (rennala_time, malenia_time, rennala_bound, malenia_bound):
            assert time(sorted(h), batch) == pytest.approx(time(h, batch), rel=1e-15)
            assert time([2 * seconds for seconds in h], batch) == 2 * time(h, batch)


def test_a_worker_more_does_not_delay_rennala():
    for h, batch in clusters(120, seed=7):
        assert rennala_time([*h, 1.0], batch) <= rennala_time(h, batch)
        assert rennala_bound([*h, inf], batch) == rennala_bound(h, batch)
        assert rennala_time([*h, inf], batch) == rennala_time(h, batch)


# What never happens, and what must not be asked


def test_only_infinite_durations_wait_without_end():
    assert rennala_time([inf, inf], 1) == rennala_bound([inf, inf], 1) == inf
    assert malenia_time([1.0, inf], 1) == malenia_bound([1.0, inf], 1) == inf
    assert synchronous_time([1.0, inf]) == inf
    assert greedy_arrivals([inf, inf], 9.0) == 0


def test_the_harmonic_means_and_the_best_of_them():
    assert harmonic([4.0, 1.0, 2.0]) == pytest.approx([1.0, 2 / 1.5, 3 / 1.75])
    assert rennala_best_m([1.0] * 9 + [100.0], batch=6) == 9
    assert rennala_best_m([1.0] * 10, batch=6) == 10
    for h, batch in clusters(60, seed=8):
        m = rennala_best_m(h, batch)
        assert harmonic(h)[m - 1] * (1 + batch / m) == pytest.approx(rennala_bound(h, batch))


@pytest.mark.parametrize(
    ("seconds", "message"),
    [([1.0, 0.0], r"seconds\[1\] = 0"), ([float("nan")], r"seconds\[0\]"), ([], "shape")],
)
def test_a_wrong_number_is_named(seconds, message):
    with pytest.raises(ValueError, match=message):
        rennala_time(seconds, 1)
