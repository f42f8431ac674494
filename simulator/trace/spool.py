"""Where does a long trace wait?  In temporary files, which are read worker by worker.

A track can only be laid out when everything on it is known, and the fate of a gradient may be
known long after that of the next.  So records go to disk as they come, workers in groups, and in
memory is one group at a time.
"""

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.schedule import Computation, Outcome, Stretch
from simulator.trace.tracks import LAYERS, Doings, Record

GROUPS = 64
CHUNK = 4096  # the most records of a worker that are Python objects at a time

OUTCOMES = get_args(Outcome)
WHATS = (*OUTCOMES, "down", "receiving", "sending")
NUMBERS = {what: number for number, what in enumerate(WHATS)}

FIELDS = ("what", "worker", "version", "index", "step", "start", "finish", "weight")
FORMAT = "<qqqqqddd"
ROW = np.dtype([(name, f"<{kind}8") for name, kind in zip(FIELDS, "iiiiifff", strict=True)])

_pack = struct.Struct(FORMAT).pack


class Spool:
    """Takes records in any order, and gives each worker's in the order of time.

    Used as a context: its files are gone at its end.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self._workers, self._size = workers, -(-workers // GROUPS)
        self._open = ExitStack()
        self._files = [
            self._open.enter_context(TemporaryFile(dir=folder))  # noqa: SIM115
            for _ in range(0, workers, self._size)
        ]

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.close()

    def add(self, worker: int, record: Record) -> None:
        if isinstance(record, Computation):
            ticket, start, finish, outcome, step, weight = record
            packed = _pack(NUMBERS[outcome], *ticket, step or 0, start, finish, weight or 0.0)
        else:
            kind, _, start, finish, version = record
            packed = _pack(NUMBERS[kind], worker, version, 0, 0, start, finish, 0.0)
        self._files[worker // self._size].write(packed)

    def read(self) -> Iterator[tuple[int, Doings]]:
        """Every worker, one after the other, and all that it did."""
        for group, file in enumerate(self._files):
            file.seek(0)
            rows = np.fromfile(file, ROW)
            rows = rows[np.lexsort((rows["finish"], rows["start"], rows["worker"]))]
            first = group * self._size
            workers = range(first, min(first + self._size, self._workers))
            bounds = np.searchsorted(rows["worker"], [*workers, workers.stop])
            for worker, low, high in zip(workers, bounds[:-1], bounds[1:], strict=True):
                yield worker, _doings(rows[low:high])


def _doings(rows: NDArray[Any]) -> Doings:
    layers = {layer: rows["what"] == NUMBERS[layer] for layer in LAYERS if layer in NUMBERS}
    layers["computing"] = rows["what"] < len(OUTCOMES)
    return {layer: _records(rows[mine]) for layer, mine in layers.items()}


def _records(rows: NDArray[Any]) -> Iterator[Record]:
    for at in range(0, len(rows), CHUNK):
        for number, worker, *numbers, start, finish, weight in rows[at : at + CHUNK].tolist():
            what, (version, index, step) = WHATS[number], numbers
            if number < len(OUTCOMES):
                used = (step, weight) if what == "used" else ()
                yield Computation(Ticket(worker, version, index), start, finish, what, *used)
            else:
                yield Stretch(what, worker, start, finish, version)
