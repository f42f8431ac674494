"""Downloads of orders, uploads of gradients, and all-reduces."""

from collections.abc import Callable, Sequence
from math import ceil, log2
from typing import TypeAlias

from simulator.cluster import Cluster, Vector
from simulator.reference.calendar import NEVER, SERVER, Calendar, Due, transfer_rank
from simulator.reference.objects import Computation, Span, Upload, Worker

Passed: TypeAlias = Callable[[Upload], None]


class Network:
    """All transfers; single gradients end with ``arrived``, an all-reduce with ``together``."""

    def __init__(
        self,
        cluster: Cluster,
        seed: int,
        vector: Vector,
        calendar: Calendar,
        *,
        arrived: Callable[[Computation], None],
        together: Callable[[], None],
    ) -> None:
        self.spans: list[Span] = []
        self._calendar, self._arrived, self._together = calendar, arrived, together
        self._collective = cluster.network.collective
        self._up, self._down = cluster.uploads(seed, vector), cluster.downloads(seed, vector)
        self._way = shared_way(cluster, vector, calendar, self._through)
        self.free = self._up.free and not self._way  # whether uploads take no time
        self._downloads, self._uploads = [0] * cluster.workers, [0] * cluster.workers
        self._sending: list[list[Upload]] = [[] for _ in range(cluster.workers)]
        self._outstanding = 0  # parts of an all-reduce that are still on the shared uplink

    # Orders

    def receive(self, worker: Worker) -> float:
        """The end of the download of an order that is sent now."""
        now, number = self._calendar.now, worker.number
        if self._down.free:
            return now
        received = now + self._down.one(number, self._downloads[number])
        self._downloads[number] += 1
        worker.receiving = Span(number, now, received)
        self.spans.append(worker.receiving)
        return received

    def receive_again(self, worker: Worker) -> float:
        """The end of another download, of a newer point."""
        now, number = self._calendar.now, worker.number
        if self._down.free:
            return now
        self._downloads[number] += 1
        return now + self._down.one(number, self._downloads[number] - 1)

    def stop_receiving(self, worker: Worker) -> None:
        if worker.receiving:
            worker.receiving.end = min(worker.receiving.end, self._calendar.now)
            worker.receiving = None

    # Single gradients

    def send(self, computation: Computation) -> None:
        upload = self._upload(computation.worker.number, self._calendar.now, computation)
        self._sending[upload.span.worker].append(upload)
        self._begin(upload)

    def _upload(self, worker: int, begin: float, computation: Computation | None = None) -> Upload:
        k = self._uploads[worker]
        self._uploads[worker] += 1
        return Upload(Span(worker, begin, NEVER), *self._up.parts(worker, k), computation)

    def _begin(self, upload: Upload) -> None:
        """Start an upload: over its own link, or after its latency over the shared uplink."""
        begin, rank = upload.span.begin, transfer_rank(upload.span.worker)
        self.spans.append(upload.span)
        if self._way:
            self._calendar.expect(upload, begin + upload.latency, rank, self._way.enter)
        else:
            end = begin + (upload.latency + upload.transit)
            self._calendar.expect(upload, end, rank, self._through)

    def _through(self, upload: Upload) -> None:
        if upload.lost:
            return
        upload.span.end = self._calendar.now
        if upload.computation:
            self._sending[upload.span.worker].remove(upload)
            self._arrived(upload.computation)
        else:
            self._outstanding -= 1
            if not self._outstanding:
                self._together()

    def lose(self, worker: Worker) -> list[Computation]:
        """Lose the gradients that a worker is sending; their bytes still pass the uplink."""
        uploads, self._sending[worker.number] = self._sending[worker.number], []
        for upload in uploads:
            upload.lost, upload.span.end = True, self._calendar.now
        return [upload.computation for upload in uploads if upload.computation]

    # All together

    def all_reduce(self, workers: Sequence[Worker]) -> bool:
        """Average the gradients that these workers hold; whether that takes no time."""
        now = self._calendar.now
        uploads = [self._upload(worker.number, max(now, worker.back)) for worker in workers]
        if not uploads:
            return True
        if self._way:
            self._outstanding = len(uploads)
            for upload in uploads:
                self._begin(upload)
            return False
        if self._collective == "gather":
            for upload, worker in zip(uploads, workers, strict=True):
                upload.span.begin = worker.done
        set_ends(self._collective, uploads)
        self.spans += [upload.span for upload in uploads if upload.span.begin < upload.span.end]
        end = max(now, *(upload.span.end for upload in uploads))
        if end > now:
            self._calendar.expect(Due(), end, SERVER, lambda due: self._together())
        return end == now


def set_ends(kind: str, uploads: Sequence[Upload]) -> None:
    """Set the end of each worker's part in an all-reduce over links that are not shared."""
    if kind in ("max", "gather"):
        for upload in uploads:
            upload.span.end = upload.span.begin + (upload.latency + upload.transit)
        return
    p = len(uploads)
    latency = max(upload.latency for upload in uploads)
    transit = max(upload.transit for upload in uploads)
    if kind == "ring":  # twice round, in messages of a p-th of the vector
        seconds = 2 * (p - 1) * (latency + transit / p)
    else:  # up a binary tree and down again
        seconds = 2 * ceil(log2(p)) * (latency + transit)
    end = max(upload.span.begin for upload in uploads) + seconds
    for upload in uploads:
        upload.span.end = end


# The uplink of a parameter server


def shared_way(
    cluster: Cluster, vector: Vector, calendar: Calendar, passed: Passed
) -> "Queue | Share | None":
    """The shared uplink, if there is one; it calls ``passed`` for each upload."""
    uplink = cluster.network.uplink
    if uplink is None:
        return None
    network = cluster.network
    seconds = network.message(vector).bytes * network.slowness / uplink.bandwidth
    if uplink.contention == "queue":
        return Queue(calendar, uplink.channels, seconds, passed)
    return Share(calendar, seconds, passed)


class Queue:
    """First come, first served, on the channel that is free first."""

    def __init__(self, calendar: Calendar, channels: int, seconds: float, passed: Passed) -> None:
        self._calendar, self._seconds, self._passed = calendar, seconds, passed
        self._free = [0.0] * channels

    def enter(self, upload: Upload) -> None:
        begin = max(self._calendar.now, min(self._free))
        end = begin + max(upload.transit, self._seconds)
        self._free[self._free.index(min(self._free))] = end
        self._calendar.expect(upload, end, transfer_rank(upload.span.worker), self._passed)


class Share:
    """All uploads at once, at max-min fair rates."""

    def __init__(self, calendar: Calendar, seconds: float, passed: Passed) -> None:
        self._calendar, self._passed = calendar, passed
        self._capacity = 1 / seconds if seconds else NEVER
        self._first = Due()  # the first end of an upload
        self._rates: dict[Upload, float] = {}  # vectors a second
        self._since = 0.0

    def enter(self, upload: Upload) -> None:
        self._go_on()
        self._rates[upload] = 0.0
        self._plan()

    def _go_on(self) -> None:
        seconds, self._since = self._calendar.now - self._since, self._calendar.now
        if seconds > 0:
            for upload, rate in self._rates.items():
                upload.left -= rate * seconds

    def _plan(self) -> None:
        own = [1 / upload.transit if upload.transit else NEVER for upload in self._rates]
        self._rates = dict(zip(self._rates, fair_rates(own, self._capacity), strict=True))
        end = self._calendar.now + max(0.0, min(self._lasting().values(), default=NEVER))
        self._calendar.expect(self._first, end, SERVER, lambda due: self._end())

    def _lasting(self) -> dict[Upload, float]:
        return {upload: upload.left / rate for upload, rate in self._rates.items()}

    def _end(self) -> None:
        """End the first upload, and all that lack only the last bits of rounding."""
        lasting = self._lasting()
        soonest = max(0.0, min(lasting.values())) * (1 + 1e-12)
        self._go_on()
        passed = [upload for upload, seconds in lasting.items() if seconds <= soonest]
        for upload in passed:
            del self._rates[upload]
        self._plan()
        for upload in passed:
            rank = transfer_rank(upload.span.worker)
            self._calendar.expect(upload, self._calendar.now, rank, self._passed)


def fair_rates(own: list[float], capacity: float) -> list[float]:
    """Max-min fair rates: none exceeds its own link, and the others share the rest equally.

    >>> fair_rates([1.0, 10.0, 10.0], 9.0)
    [1.0, 4.0, 4.0]
    """
    taken = 0.0
    for k, most in enumerate(sorted(own)):
        share = (capacity - taken) / (len(own) - k)
        if most > share:
            return [min(most, share) for most in own]
        taken += most
    return list(own)
