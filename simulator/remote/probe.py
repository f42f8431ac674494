"""How fast are the cores of a Ray cluster?  A log of a small probe, as ``calibrate`` reads it.

Every core multiplies matrices, the same work many times, while all others do so too.  Then each
sends vectors to the driver, one core after the other.
"""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.mistakes import Mistake
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

    def compute(self, rows: int) -> tuple[str, list[tuple[float, float]]]:
        """The node, and when each computation began and ended."""
        import socket

        matrix = np.random.default_rng(0).random((SIZE, SIZE), np.float32)
        _work(matrix)  # the first one loads libraries
        times = []
        for _ in range(rows):
            start = time.time()
            _work(matrix)
            times.append((start, time.time()))
        return socket.gethostname(), times

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
    cores = int(ray.cluster_resources().get("CPU", 0))
    if not cores:
        raise Mistake("--on ray: the cluster has no core to measure; start a node with one")
    actor = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(Prober)
    probers = [actor.remote() for _ in range(cores)]
    try:
        asked = [prober.compute.remote(rows) for prober in probers]
        answers = ray.get(asked, timeout=PATIENCE)
        names = [f"{node}/{at}" for at, (node, _) in enumerate(answers)]
        found = [
            Row(name, "compute", *times)
            for name, (_, computed) in zip(names, answers, strict=True)
            for times in computed
        ]
        for name, prober in zip(names, probers, strict=True):
            found += [Row(name, "upload", *_sent(ray, prober)) for _ in range(SENDINGS)]
    except ray.exceptions.GetTimeoutError:
        raise Mistake(
            f"--on ray: {cores} cores were not free within {PATIENCE:.0f} s; stop other work there"
        ) from None
    finally:
        for prober in probers:
            ray.kill(prober)
    return pd.DataFrame(found, columns=Row._fields)


def _sent(ray: Any, prober: Any) -> tuple[float, float]:
    start = time.time()
    ray.get(prober.send.remote(), timeout=PATIENCE)
    return start, time.time()
