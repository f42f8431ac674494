"""Which slot does which job?  A slot does one after the other, here or on another machine.

A slot that dies is replaced, and its job is done again.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from simulator.campaign.runner import Act, OnItem, Work
from simulator.mistakes import Mistake

DEATHS = 2
"""A job may be tried in so many processes."""
PATIENCE = 2.0
"""Seconds that an interrupted job has for its last report."""


class Slot(Protocol):
    """A place for one job at a time."""

    doing: str
    """The job; empty if there is none."""
    kind: str | None
    """Of the job that it does, or did last."""

    def begin(self, act: "Act[Work]", name: str, work: Work) -> None: ...

    def hear(self, on_item: OnItem) -> bool:
        """Take the messages that have come; False if the slot is dead."""

    def fate(self) -> str:
        """How the job killed the process; empty if something else ended the slot."""

    def interrupt(self) -> None: ...


class Slots(Protocol):
    """All slots; their number may change."""

    remedy: str
    """For a job that kills its process again."""

    def free(self, left: int) -> Sequence[Slot]:
        """Those without a job, while so many jobs wait or are under way."""

    def taken(self) -> Sequence[Slot]:
        """Those with a job."""

    def wait(self, seconds: float | None = None) -> Sequence[Slot]:
        """Those with messages; waits until there are some, or for so long."""

    def replace(self, dead: Slot) -> None: ...

    def end(self) -> None: ...


def dispatch(
    act: "Act[Work]",
    works: Mapping[str, Work],
    on_item: OnItem,
    kinds: Mapping[str, str],
    slots: Slots,
) -> None:
    waiting, deaths = list(works), dict.fromkeys(works, 0)
    try:
        while left := len(waiting) + len(slots.taken()):
            for slot in slots.free(left):
                if waiting:
                    name = _next(waiting, kinds, slot, slots.taken())
                    waiting.remove(name)
                    slot.kind = kinds[name]
                    slot.begin(act, name, works[name])
            for slot in slots.wait():
                name = slot.doing
                if not slot.hear(on_item):
                    _count(deaths, name, slot.fate(), slots.remedy)
                    waiting.insert(0, name)
                    slots.replace(slot)
    except KeyboardInterrupt:
        _interrupt(slots, on_item)
        raise
    finally:
        slots.end()


def _next(waiting: list[str], kinds: Mapping[str, str], slot: Slot, taken: Sequence[Slot]) -> str:
    """A job of the kind that the slot did last, else of a kind that no slot has, else any."""
    others = {each.kind for each in taken}
    left = Counter(kinds[name] for name in waiting)

    def rank(name: str) -> tuple[bool, bool, int]:
        kind = kinds[name]
        return kind != slot.kind, kind in others, -left[kind]

    return min(waiting, key=rank)


def _count(deaths: dict[str, int], name: str, fate: str, remedy: str) -> None:
    """Refuse a job that kills its process again."""
    if not fate:
        return
    deaths[name] += 1
    if deaths[name] >= DEATHS:
        raise Mistake(
            f"{name}: the process that did it died {DEATHS} times, the last time {fate}; {remedy}"
        )


def _interrupt(slots: Slots, on_item: OnItem) -> None:
    """Interrupt all jobs, and take their last reports."""
    deadline = time.monotonic() + PATIENCE
    for slot in slots.taken():
        slot.interrupt()
    while slots.taken() and (left := deadline - time.monotonic()) > 0:
        for slot in slots.wait(left):
            with suppress(KeyboardInterrupt):
                if not slot.hear(on_item):
                    slot.doing = ""
