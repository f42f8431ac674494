"""Which transfers are under way in real time?  Downloads, uploads and all-reduces.

They last as long as the scenario says.  The server owns the network:
real messages are short, and the rest of the time is waited for.
"""

from collections.abc import Collection, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

from algorithms.tickets import Ticket
from simulator.cluster import Cluster, Vector
from simulator.cluster.collectives import Participant, collective_end
from simulator.realtime.gradients import Gradient
from simulator.realtime.messages import NEVER
from simulator.realtime.recording import Recording


class Transfers:
    """The transfers of one run; it records them."""

    def __init__(self, cluster: Cluster, seed: int, vector: Vector, recording: Recording) -> None:
        self._cluster, self._recording = cluster, recording
        self._uploads = cluster.uploads(seed, vector)
        self._downloads = cluster.downloads(seed, vector)
        self._received, self._sent = [0] * cluster.workers, [0] * cluster.workers
        self._uploading: list[tuple[float, Ticket, Gradient]] = []
        self._collective = NEVER

    @property
    def next_end(self) -> float:
        return min(self._collective, self._uploading[0][0] if self._uploading else NEVER)

    @property
    def versions(self) -> set[int]:
        """Of the gradients on their way."""
        return {ticket.version for _, ticket, _ in self._uploading}

    def download(self, worker: int, now: float, version: int) -> float:
        """Send a worker the point; the seconds that it takes."""
        if self._downloads.free:
            return 0.0
        number = self._received[worker]
        self._received[worker] += 1
        seconds = float(self._downloads.one(worker, number))
        self._recording.receives(worker, now, now + seconds, version)
        return seconds

    def upload(self, ticket: Ticket, gradient: Gradient, begin: float) -> bool:
        """Send a gradient to the server; False if it is there at once."""
        if self._uploads.free:
            return False
        end = begin + self._parts(ticket.worker).seconds
        self._recording.sends(ticket.worker, begin, end, ticket.version)
        heappush(self._uploading, (end, ticket, gradient))
        return True

    def all_reduce(
        self, workers: Sequence[int], done: Sequence[float], now: float, version: int
    ) -> bool:
        """Combine the gradients of these workers, ``done`` then; False if it takes no time."""
        if self._uploads.free or not workers:
            return False
        kind = self._cluster.network.collective
        participants = [
            Participant(now, each, self._parts(worker))
            for worker, each in zip(workers, done, strict=True)
        ]
        end = collective_end(kind, now, participants)
        for worker, (ready, computed, parts) in zip(workers, participants, strict=True):
            begin = computed if kind == "gather" else ready
            own = end if kind in ("ring", "tree") else begin + parts.seconds
            self._recording.sends(worker, begin, own, version)
        self._recording.shares(now, end, version)
        self._collective = end if end > now else NEVER
        return end > now

    def arrived(self, now: float) -> Iterator[tuple[Ticket, Gradient]]:
        """The gradients whose uploads have ended."""
        while self._uploading and self._uploading[0][0] <= now:
            yield heappop(self._uploading)[1:]

    def all_reduced(self, now: float) -> bool:
        """Whether an all-reduce has just ended."""
        over = self._collective <= now
        self._collective = NEVER if over else self._collective
        return over

    def sent_by(self, worker: int) -> list[Ticket]:
        """The gradients of this worker that are on their way."""
        return [ticket for _, ticket, _ in self._uploading if ticket.worker == worker]

    def lose(self, tickets: Collection[Ticket]) -> None:
        self._uploading = [each for each in self._uploading if each[1] not in tickets]
        heapify(self._uploading)

    def _parts(self, worker: int) -> Any:
        number = self._sent[worker]
        self._sent[worker] += 1
        return self._uploads.parts(worker, number)
