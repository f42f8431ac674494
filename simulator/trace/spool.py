"""Temporary files for a long trace, read worker by worker.

A track needs all its records, and the outcome of a gradient may be known long after that of the
next.  So records go to disk as they come, in groups of workers, and are read a group at a time.
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
from simulator.trace.tracks import LAYERS, Layers, Record

GROUPS = 64
CHUNK = 4096  # records of a worker that are Python objects at a time

OUTCOMES = get_args(Outcome)
KINDS = (*OUTCOMES, "down", "receiving", "sending")
NUMBERS = {kind: number for number, kind in enumerate(KINDS)}

FIELDS = ("kind", "worker", "version", "index", "step", "start", "finish", "weight")
FORMAT = "<qqqqqddd"
ROW = np.dtype([(name, f"<{kind}8") for name, kind in zip(FIELDS, "iiiiifff", strict=True)])

_pack = struct.Struct(FORMAT).pack


class Spool:
    """Takes records in any order, and returns each worker's by time; a context owns the files."""

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

    def read(self) -> Iterator[tuple[int, Layers]]:
        for group, file in enumerate(self._files):
            file.seek(0)
            rows = np.fromfile(file, ROW)
            rows = rows[np.lexsort((rows["finish"], rows["start"], rows["worker"]))]
            first = group * self._size
            workers = range(first, min(first + self._size, self._workers))
            bounds = np.searchsorted(rows["worker"], [*workers, workers.stop])
            for worker, low, high in zip(workers, bounds[:-1], bounds[1:], strict=True):
                yield worker, _layers(rows[low:high])


def _layers(rows: NDArray[Any]) -> Layers:
    layers = {layer: rows["kind"] == NUMBERS[layer] for layer in LAYERS if layer in NUMBERS}
    layers["computing"] = rows["kind"] < len(OUTCOMES)
    return {layer: _records(rows[chosen]) for layer, chosen in layers.items()}


def _records(rows: NDArray[Any]) -> Iterator[Record]:
    for at in range(0, len(rows), CHUNK):
        for number, worker, *numbers, start, finish, weight in rows[at : at + CHUNK].tolist():
            kind, (version, index, step) = KINDS[number], numbers
            if number < len(OUTCOMES):
                used = (step, weight) if kind == "used" else ()
                yield Computation(Ticket(worker, version, index), start, finish, kind, *used)
            else:
                yield Stretch(kind, worker, start, finish, version)
