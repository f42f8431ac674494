"""How fast are the cores of a Ray cluster?  A log of a small probe, as ``calibrate`` reads it.

Every core multiplies matrices, the same work many times, while all others do so too.  Then each
sends vectors to the driver, one core after the other.

Clocks of two machines are never compared.  A core's times count from its own first computation; all
cores begin at once.  The driver's clock times the sendings.
"""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.mistakes import Mistake
from simulator.remote.agents import IDLE
from simulator.remote.connection import connect

if TYPE_CHECKING:
    import pandas as pd

SIZE, REPEATS = 256, 40
"""Rows of a matrix, and multiplications in a computation: about 10 ms."""
ROWS, SENDINGS = 100, 10
"""Computations and sendings of each core."""
BYTES = 1_000_000
"""Of a vector that is sent."""
PATIENCE = 120.0
"""Seconds for all of it."""


class Row(NamedTuple):
    """A line of the log."""

    worker: str
    kind: str
    start: float
    end: float


class Prober:
    """One core of a node."""

    def begin(self) -> str:
        """Load what a computation needs; the name of the node."""
        import socket

        self._matrix = np.random.default_rng(0).random((SIZE, SIZE), np.float32)
        _work(self._matrix)
        return socket.gethostname()

    def compute(self, rows: int) -> list[tuple[float, float]]:
        """When each computation began and ended, in seconds since the first began."""
        begin, times = time.monotonic(), []
        for _ in range(rows):
            start = time.monotonic()
            _work(self._matrix)
            times.append((start - begin, time.monotonic() - begin))
        return times

    def send(self) -> Any:
        return np.zeros(BYTES // 8)


def _work(matrix: Any) -> None:
    product = matrix
    for _ in range(REPEATS):
        product = matrix @ product
        product /= product.max()


def log(address: str | None, rows: int = ROWS) -> "pd.DataFrame":
    """The log of a cluster: a row per computation and sending of every core."""
    import pandas as pd

    ray = connect(address, None)
    IDLE.end()  # they hold cores
    cores = int(ray.cluster_resources().get("CPU", 0))
    if not cores:
        raise Mistake("--on ray: the cluster has no core to measure; start a node with one")
    actor = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(Prober)
    probers = [actor.remote() for _ in range(cores)]
    try:
        nodes = ray.get([prober.begin.remote() for prober in probers], timeout=PATIENCE)
        names = [f"{node}/{at}" for at, node in enumerate(nodes)]
        begin = time.monotonic()
        asked = [prober.compute.remote(rows) for prober in probers]
        answers = ray.get(asked, timeout=PATIENCE)
        found = [
            Row(name, "compute", *times)
            for name, computed in zip(names, answers, strict=True)
            for times in computed
        ]
        for name, prober in zip(names, probers, strict=True):
            found += [Row(name, "upload", *_sent(ray, prober, begin)) for _ in range(SENDINGS)]
    except ray.exceptions.GetTimeoutError:
        raise Mistake(
            f"--on ray: {cores} cores were not free within {PATIENCE:.0f} s; stop other work there"
        ) from None
    finally:
        for prober in probers:
            ray.kill(prober)
    return pd.DataFrame(found, columns=Row._fields)


def _sent(ray: Any, prober: Any, begin: float) -> tuple[float, float]:
    start = time.monotonic()
    ray.get(prober.send.remote(), timeout=PATIENCE)
    return start - begin, time.monotonic() - begin
