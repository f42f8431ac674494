"""Does the universal model contain fixed times, and outages as the simulator has them?"""

from math import inf

import numpy as np
import pytest

from algorithms.methods import greedy, malenia, rennala, synchronous
from algorithms.theory import (
    fixed_power,
    greedy_arrivals,
    malenia_time,
    rennala_time,
    round_ends,
    synchronous_time,
    universal_arrivals,
    universal_malenia,
    universal_rennala,
    universal_synchronous,
)
from simulator.cluster import Cluster, Fixed
from simulator.cluster.speeds import Periodic, Timetable
from simulator.engine import Simulation, Stop


@pytest.mark.parametrize("begin", [0.0, 7.25])
def test_fixed_power_is_fixed_times(begin):
    rng = np.random.default_rng(0)
    for _ in range(40):
        h = (2.0 ** rng.integers(-3, 3, rng.integers(1, 6))).tolist()  # power and times exact
        work, n, batch = fixed_power(h), len(h), int(rng.integers(1, 20))
        assert universal_rennala(work, n, batch, begin) == rennala_time(h, batch, begin)
        assert universal_malenia(work, n, batch, begin) == malenia_time(h, batch, begin)
        assert universal_synchronous(work, n, begin) == begin + synchronous_time(h)
        assert universal_arrivals(work, n, 20.0) == greedy_arrivals(h, 20.0)


SPEEDS = {
    "nights": Periodic(period=10.0, times=[0.0, 6.0], speeds=[1.0, 0.0], spread=True),
    "shifts": Periodic(period=7.0, times=[0.0, 3.0, 5.0], speeds=[1.0, 0.25, 2.0], shift=1.5),
    "slowing": Timetable(
        times=[0.0, 5.0, 9.0], speeds=[[1.0, 0.0, 0.5], [0.5, 2.0, 0.125], [1.0] * 3]
    ),
}


@pytest.mark.parametrize("name", SPEEDS)
@pytest.mark.parametrize(
    ("aggregation", "after"),
    [
        (rennala(8), lambda work: lambda t: universal_rennala(work, 3, 8, t)),
        (malenia(8), lambda work: lambda t: universal_malenia(work, 3, 8, t)),
        (synchronous(), lambda work: lambda t: universal_synchronous(work, 3, t)),
    ],
    ids=["rennala", "malenia", "synchronous"],
)
def test_changing_speeds_are_those_of_the_simulator(name, aggregation, after):
    cluster, work = cluster_and_work(SPEEDS[name])
    ends = [step.time for step in Simulation(cluster, aggregation).steps(Stop(steps=6))]
    assert round_ends(after(work), rounds=6) == pytest.approx(ends, rel=1e-9)


@pytest.mark.parametrize("name", SPEEDS)
def test_so_are_arrivals(name):
    cluster, work = cluster_and_work(SPEEDS[name])
    # Between two arrivals, so that rounding cannot decide.
    steps = list(Simulation(cluster, greedy()).steps(Stop(seconds=101.37)))
    assert universal_arrivals(work, 3, 101.37) == len(steps)


def cluster_and_work(speed):
    h = [1.0, 1.3, 2.1]
    cluster = Cluster(3, Fixed(h), speed=speed)
    pace = cluster.pace(0)

    def work(worker, t0, t1):
        return (pace.work(worker, t1) - pace.work(worker, t0)) / h[worker]

    return cluster, work


def test_power_that_ends_is_never_enough():
    def dying(worker, t0, t1):
        return min(t1, 5.0) - min(t0, 5.0)

    assert universal_rennala(dying, 2, 10) == 5.0
    assert universal_rennala(dying, 2, 11) == inf
    assert round_ends(lambda t: universal_rennala(dying, 2, 4, t), rounds=9) == [2.0, 4.0, inf]
