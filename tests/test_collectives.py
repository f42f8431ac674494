"""Does a collective take as long as the models of networks say?

Closed forms for rings, trees, queues and shares, asked of the reference too; test_outages compares
both on random networks.
"""

from dataclasses import replace
from math import ceil, inf, log2

import pytest
from cases import (
    VECTOR,
    Case,
    play,
    rounds_of,
    simulated,
    times,
)

from algorithms.methods import synchronous
from simulator.cluster import Cluster, Fixed, Network, Seconds, Uplink, Vector, Wire
from simulator.engine import Simulation, Stop
from simulator.reference import replay

__all__ = ["play"]  # the fixture


def bandwidth(seconds):
    """The one that takes the vector of all cases across in so many seconds."""
    return VECTOR.bytes / seconds


def wired(k, collective, *, latency=1.0, transit=8.0, **more):
    """One round of k equal workers, computing for 1 s each."""
    links = {"latency": [latency] * k, "bandwidth": [bandwidth(transit)] * k}
    return Case("synchronous", [1.0] * k, collective=collective, steps=1, **links, **more)


# Closed forms.


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 8, 9])
def test_a_ring_goes_twice_round_with_a_part_of_the_vector_each(play, k):
    (step,) = rounds_of(wired(k, "ring"), play)
    assert step.time == pytest.approx(1.0 + 2 * (k - 1) * (1.0 + 8.0 / k), rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 8, 9])
def test_a_tree_goes_up_and_down_with_whole_vectors(play, k):
    (step,) = rounds_of(wired(k, "tree"), play)
    assert step.time == 1.0 + 2 * ceil(log2(k)) * (1.0 + 8.0)


@pytest.mark.parametrize("collective", ["max", "gather"])
def test_without_contention_all_workers_send_at_once(play, collective):
    assert times(rounds_of(wired(5, collective), play)) == [1.0 + 1.0 + 8.0]


@pytest.mark.parametrize("collective", ["ring", "tree", "parameter-server"])
def test_only_participants_take_part(play, collective):
    uplink = Uplink(bandwidth(1.0)) if collective == "parameter-server" else None
    links = {"latency": [1.0, 100.0], "bandwidth": [bandwidth(1.0), bandwidth(100.0)]}
    case = Case("rennala", [1.0, 10.0], batch=2, collective=collective, uplink=uplink, **links)
    alone = {"ring": 0.0, "tree": 0.0, "parameter-server": 2.0}[collective]
    assert times(rounds_of(replace(case, steps=2), play)) == [2.0 + alone, 2 * (2.0 + alone)]


@pytest.mark.parametrize("k", [1, 2, 3, 7])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_queue_serves_as_many_at_once_as_it_has_channels(play, k, channels):
    uplink = Uplink(bandwidth(2.0), "queue", channels)
    case = wired(k, "parameter-server", transit=0.5, uplink=uplink)
    assert times(rounds_of(case, play)) == [1.0 + 1.0 + ceil(k / channels) * 2.0]


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_a_fair_share_takes_as_long_as_a_queue(play, k):
    case = wired(k, "parameter-server", transit=0.5, uplink=Uplink(bandwidth(2.0), "share"))
    (step,) = rounds_of(case, play)
    assert step.time == pytest.approx(1.0 + 1.0 + k * 2.0, rel=1e-12)


@pytest.mark.parametrize("dimension", [1, 1000])
def test_a_wire_takes_its_latency_and_the_bytes_over_its_bandwidth(dimension):
    vector = Vector(dimension, itemsize=8)
    upload = Wire(bandwidth=Fixed(4.0), latency=Fixed(0.5))
    download = Wire(bandwidth=Fixed(16.0))
    cluster = Cluster(2, Fixed(1.0), network=Network(upload, download))
    (step,) = Simulation(cluster, synchronous(), vector=vector).steps(Stop(steps=1))
    assert step.time == dimension * 8 / 16.0 + 1.0 + (0.5 + dimension * 8 / 4.0)


@pytest.mark.parametrize(("size", "vector"), [(None, Vector(10, 8)), (80, VECTOR)])
def test_a_message_of_a_given_size_passes_the_uplink_as_such(size, vector):
    network = Network(
        collective="parameter-server", uplink=Uplink(bandwidth=40.0), message_bytes=size
    )
    cluster = Cluster(3, Fixed(1.0), network=network)
    simulation = Simulation(cluster, synchronous(), vector=vector)
    assert [step.time for step in simulation.steps(Stop(steps=2))] == [7.0, 14.0]
    record = replay(cluster, synchronous(), vector=vector, steps=2)
    assert [step.time for step in record.steps] == [7.0, 14.0]


def test_seconds_grow_with_the_dimension_and_not_with_the_bytes():
    network = Network(upload=Seconds(Fixed(1.5), dimension_power=0.25), collective="tree")
    cluster = Cluster(2, Fixed(1.0), network=network)
    for itemsize in (4, 8):
        simulation = Simulation(cluster, synchronous(), vector=Vector(16, itemsize))
        assert [step.time for step in simulation.steps(Stop(steps=1))] == [1.0 + 2 * (1.5 * 2)]


@pytest.mark.parametrize("collective", ["ring", "tree", "parameter-server"])
def test_a_collective_in_which_one_sends_to_itself(collective):
    uplink = Uplink(bandwidth(2.0)) if collective == "parameter-server" else None
    case = Case("rennala", [1.0, inf], batch=3, collective=collective, uplink=uplink, seconds=20.0)
    rounds, books, _ = simulated(case)
    lasts = 2.0 if uplink else 0.0
    assert times(rounds) == [k * (3.0 + lasts) for k in range(1, int(20 / (3 + lasts)) + 1)]
    assert books[1].used == 0
