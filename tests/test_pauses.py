"""What does a paused worker receive?  An order on its way may never begin to be worked on."""

import math

from algorithms.methods import rennala
from simulator.cluster import Cluster, Fixed, Network, Outage, Outages, Seconds
from simulator.cluster.speeds import Timetable
from simulator.engine import Simulation, Sinks, Stop

NETWORK = Network(download=Seconds(Fixed(0.5)))


def stretches_of_worker_one(cluster, steps):
    """What its trace says besides computations: kind, start and finish."""
    found = []
    simulation = Simulation(
        cluster, rennala(batch=1), trace=Sinks(lambda computation: None, found.append)
    )
    list(simulation.steps(Stop(steps=steps)))
    simulation.close_trace()
    return [(each.kind, each.start, each.finish) for each in found if each.worker == 1]


def pause(begin, end=math.inf):
    return Outages((Outage(1, begin, end),), work="continued")


def test_an_order_to_a_permanently_stopped_worker_is_received_up_to_then():
    cluster = Cluster(2, Fixed([1.0, 1.0]), NETWORK, outages=pause(0.25))
    # Worker 0 closes a step every 1.5 s.
    expected = [("receiving", 0.0, 0.25), ("down", 0.25, 3.0)]
    assert stretches_of_worker_one(cluster, steps=2) == expected


def test_an_order_behind_a_computation_that_will_never_end_is_received_up_to_the_pause():
    """The worker stops at 6 s; a pause keeps it from ending before that what it has begun."""
    speed = Timetable(times=[0.0, 6.0], speeds=[[1.0, 1.0], [1.0, 0.0]])
    cluster = Cluster(
        2, Fixed([2.0, 5.0]), NETWORK, in_flight="finish", speed=speed, outages=pause(2.75, 8.0)
    )
    # Worker 0 closes a step every 2.5 s; the next order is on its way from 2.5 to 3 s.
    expected = [("receiving", 0.0, 0.5), ("receiving", 2.5, 2.75), ("down", 2.75, 8.0)]
    assert stretches_of_worker_one(cluster, steps=4) == expected
