"""The time of an all-reduce, by the alpha-beta model.

The participants are the workers that hold gradients of the batch.  Each has a latency (alpha) and
a transit, the time of the whole vector on its link (bytes times beta).  In a ring and in a tree
every round waits for the slowest link.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

Collective: TypeAlias = Literal["max", "gather", "ring", "tree", "parameter-server"]

COLLECTIVES: dict[str, str] = {
    "max": "all send when the batch is full; the slowest ends it",
    "gather": "each sends when its own last computation was done",
    "ring": "twice round a ring of the participants, in p parts",
    "tree": "up a binary tree of the participants and down again",
    "parameter-server": "all send when the batch is full, over an uplink that they share",
}


class Parts(NamedTuple):
    """One worker's transfer: the seconds of any message, and those of a vector's bytes."""

    latency: float
    transit: float

    @property
    def seconds(self) -> float:
        return self.latency + self.transit


class Participant(NamedTuple):
    """A worker's part: when it can begin, when it last computed, and its link."""

    ready: float
    done: float
    parts: Parts


def collective_end(kind: Collective, now: float, participants: Iterable[Participant]) -> float:
    """The end of the all-reduce of a batch that is full ``now``, over links that are not shared."""
    senders = list(participants)
    if kind == "max":
        return max(each.ready + each.parts.seconds for each in senders)
    if kind == "gather":
        return max(now, *(each.done + each.parts.seconds for each in senders))
    seconds = ring if kind == "ring" else tree
    return max(each.ready for each in senders) + seconds([each.parts for each in senders])


def ring(parts: Sequence[Parts]) -> float:
    """Twice round, with messages of a p-th of the vector: 2 (p-1) (alpha + transit / p).

    >>> ring([Parts(1.0, 8.0)] * 4), ring([Parts(1.0, 8.0)])
    (18.0, 0.0)
    """
    p = len(parts)
    latency, transit = _slowest(parts)
    return 2 * (p - 1) * (latency + transit / p)


def tree(parts: Sequence[Parts]) -> float:
    """Up a binary tree and down again with whole vectors: 2 ceil(log2 p) (alpha + transit).

    >>> tree([Parts(1.0, 8.0)] * 5), tree([Parts(1.0, 8.0)])
    (54.0, 0.0)
    """
    latency, transit = _slowest(parts)
    return 2 * math.ceil(math.log2(len(parts))) * (latency + transit)


def _slowest(parts: Sequence[Parts]) -> Parts:
    return Parts(max(each.latency for each in parts), max(each.transit for each in parts))
