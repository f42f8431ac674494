"""Which events did a story get in real time, and what else did its workers do?  A file per run.

A simulated run needs no such file, because its schedule can be simulated again.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from algorithms.tickets import Ticket
from algorithms.vocabulary import Expired, Joined, Lost, Trained
from simulator.reference import Notice, StoryEvent
from simulator.results.columns import Columns, write
from simulator.results.directory import events_of
from simulator.schedule import Stretch
from simulator.system.files import replace

EVENTS = (Ticket, Lost, Joined, Expired, Trained)
STRETCHES = ("receiving", "sending", "down", "collective", "training")
KINDS = ("ticket", "lost", "joined", "expired", "trained", *STRETCHES)
"""The number of each in the file: first the events of a story, in their order.

The index of a lost or joined worker is 1 if the story missed it, as it waited for the server, and 2
if the story got it later."""
COLUMNS = ("kind", "worker", "version", "index", "start", "finish")


class Happenings(NamedTuple):
    """The events of a story, and the stretches of its workers."""

    events: Sequence[StoryEvent]
    stretches: Sequence[Stretch]


def write_events(directory: Path, method: str, seed: int, happened: Happenings) -> None:
    """Write the file of a run."""
    rows: list[tuple[float, ...]] = []
    for event, time, notice in happened.events:
        match event:
            case Ticket():
                name = tuple(event)
            case Trained(version):
                name = (-1, version, 0)
            case _:
                name = (event.worker, 0, int(notice))
        rows.append((EVENTS.index(type(event)), *name, time, time))
    for each in happened.stretches:
        kind = KINDS.index(each.kind)
        rows.append((kind, each.worker, each.version, 0, each.start, each.finish))
    file = directory / events_of(method, seed)
    file.parent.mkdir(exist_ok=True)
    replace(file, partial(write, _columns(rows)))


def _columns(rows: list[tuple[float, ...]]) -> Columns:
    table: Any = np.array(rows, np.float64).reshape(-1, len(COLUMNS)).T
    whole = dict(zip(COLUMNS, table, strict=True))
    return {n: v.astype(np.int64) if n in COLUMNS[:4] else v.copy() for n, v in whole.items()}


def happenings(columns: Columns, workers: int) -> Happenings:
    """The content of such a file; a ValueError if it cannot be that of a run."""
    kind, worker = columns["kind"], columns["worker"]
    good = (kind >= 0) & (kind < len(KINDS)) & (worker >= -1) & (worker < workers)
    good &= np.isfinite(columns["start"]) & (columns["finish"] >= columns["start"])
    if not good.all():
        raise ValueError(f"row {int(np.argmin(good))} is no event of a run")
    events: list[StoryEvent] = []
    stretches: list[Stretch] = []
    for number, *name, start, finish in zip(*(columns[n].tolist() for n in COLUMNS), strict=True):
        if number == 0:
            events.append(StoryEvent(Ticket(*name), start))
        elif number < len(EVENTS):
            change: Any = EVENTS[number]
            about = name[1] if change is Trained else name[0]
            events.append(StoryEvent(change(about), start, Notice(name[2])))
        else:
            kinds: Any = KINDS[number]
            stretches.append(Stretch(kinds, name[0], start, finish, name[1]))
    return Happenings(events, stretches)
