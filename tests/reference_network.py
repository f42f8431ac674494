"""When is everything through?  Collectives and a shared way, a second time and plainly.

Written from the formulas alone, as `reference.py` is; it shares no code with the packages.
"""

from dataclasses import dataclass
from math import inf
from typing import NamedTuple


class Participant(NamedTuple):
    """Who takes part in a collective: when it can begin, when its last gradient was done."""

    worker: int
    ready: float
    done: float
    latency: float
    transit: float


def collective(kind, now, participants):
    """When each participant begins and ends its part, and when the whole ends."""
    if kind == "gather":
        spans = [(p.done, p.done + (p.latency + p.transit)) for p in participants]
        return spans, max(now, *(end for _, end in spans))
    if kind == "max":
        spans = [(p.ready, p.ready + (p.latency + p.transit)) for p in participants]
        return spans, max(end for _, end in spans)
    many = len(participants)
    latency = max(p.latency for p in participants)
    transit = max(p.transit for p in participants)
    if kind == "ring":
        lasts = 2 * (many - 1) * (latency + transit / many)
    else:
        levels = next(levels for levels in range(64) if 2**levels >= many)
        lasts = 2 * levels * (latency + transit)
    end = max(p.ready for p in participants) + lasts
    return [(p.ready, end) for p in participants], end


class Uplink(NamedTuple):
    """The way that all uploads share: the seconds of a vector on it, and how it is shared."""

    seconds: float
    contention: str = "queue"
    channels: int = 1


@dataclass(eq=False)
class Upload:
    """One transfer.  What it is for is its owner's business; the way carries it either way."""

    worker: int
    place: int  # among those at the same instant
    begun: float
    transit: float
    left: float = 1.0  # of the vector
    sent: list | None = None  # its entry among the worker's stretches of sending
    gradient: object = None  # the single one it carries
    lost: bool = False
    end: float | None = None  # as far as is known


class Queue:
    """First come, first served, on whichever channel is free first."""

    def __init__(self, uplink):
        self.seconds, self.free = uplink.seconds, [0.0] * uplink.channels

    def enter(self, now, upload):
        channel = self.free.index(min(self.free))
        self.free[channel] = max(now, self.free[channel]) + max(upload.transit, self.seconds)
        return [(self.free[channel], upload)]

    def leave(self, now, upload):
        return []


class Share:
    """All at once: whoever cannot use its fair part leaves the rest of it to the others.

    Entering and leaving answer with the new ends of all that are present.
    """

    def __init__(self, uplink):
        self.seconds, self.present, self.since = uplink.seconds, [], 0.0
        self.rates = []

    def enter(self, now, upload):
        self.go_on(now)
        self.present.append(upload)
        return self.ends(now)

    def leave(self, now, upload):
        self.go_on(now)
        self.present.remove(upload)
        return self.ends(now)

    def go_on(self, now):
        for upload, rate in zip(self.present, self.rates, strict=True):
            upload.left -= rate * (now - self.since)
        self.since = now

    def ends(self, now):
        self.rates = [0.0] * len(self.present)
        most = [1 / upload.transit if upload.transit else inf for upload in self.present]
        room, others = 1 / self.seconds, len(self.present)
        for k in sorted(range(others), key=lambda k: most[k]):
            self.rates[k] = min(most[k], room / others)
            room, others = room - self.rates[k], others - 1
        # What is as good as through is through: rounding leaves some last bits of a vector.
        return [
            (now + max(0.0, upload.left) / rate, upload)
            for upload, rate in zip(self.present, self.rates, strict=True)
        ]
