"""Which server steps can be computed together?  Those whose points are all known before."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from simulator.schedule import Step

LARGEST = 64
"""Gradients in a batch, and in a group of steps."""


class Group(NamedTuple):
    """Steps to compute together, and the step after them, if the schedule has it already."""

    steps: list[Step]
    following: Step | None = None


def groups(steps: Iterable[Step], *, ahead: bool = True) -> Iterator[Group]:
    """The schedule in groups; the last one is empty, and precedes an error of the schedule.

    Unless ``ahead``, every step is a group, and is yielded before the schedule goes on.
    """
    group: list[Step] = []
    size = 0
    failure: Exception | None = None
    stream = iter(steps)
    while True:
        try:
            step = next(stream, None)
        except Exception as error:  # raised again below, after the last group
            step, failure = None, error
        if step is None:
            break
        fresh = step.fresh
        newest = max((ticket.version for ticket in fresh), default=0)
        more = max(1, len(fresh))  # a step without a gradient counts, too
        if group and (newest > group[0].version or size + more > LARGEST):
            yield Group(group, step)
            group, size = [], 0
        group.append(step)
        size += more
        if not ahead:
            yield Group(group)
            group, size = [], 0
    if group:
        yield Group(group)
    yield Group([])
    if failure is not None:
        raise failure
