"""The way of gradients to the server: one by one, or together in an all-reduce."""

from collections.abc import Callable, Sequence

from algorithms.tickets import Ticket
from simulator.cluster import Cluster, Vector
from simulator.cluster.collectives import Participant, Parts, collective_end
from simulator.engine.clock import SERVER_RANK, Clock, Happening, transfer_rank
from simulator.engine.stalls import StallDetector
from simulator.engine.totals import NEVER
from simulator.engine.uplink import shared_way
from simulator.engine.workers import Workers

SERVER = -1  # the server's number among the workers


class Transfers:
    """Transfers to the server; single ones end with ``arrived``, all-reduces with ``averaged``."""

    def __init__(
        self,
        clock: Clock,
        cluster: Cluster,
        workers: Workers,
        stalls: StallDetector,
        seed: int,
        vector: Vector,
        arrived: Callable[[Ticket], None],
        averaged: Callable[[], None],
    ) -> None:
        network = cluster.network
        self._clock, self._workers, self._trace = clock, workers, workers.trace
        self._stalls, self._arrived, self._averaged = stalls, arrived, averaged
        self._kind = network.collective
        self._transfers = cluster.uploads(seed, vector)
        self._sent = [0] * (cluster.workers if self._transfers.varies else 0)
        # Whether uploads take no time, and whether an all-reduce takes none either: a participant
        # that pauses would delay it.
        self.free = self._transfers.free and network.uplink is None
        self.never_waits = self.free and not workers.pauses
        self._done = [0.0] * (0 if self.never_waits else cluster.workers)
        size = network.message(vector).bytes * network.slowness
        self._way = shared_way(clock, network.uplink, size) if network.uplink else None
        self.in_transit: dict[Ticket, float] = {}  # single gradients, and when each began
        self._sharing: dict[int, float] = {}  # the same of an all-reduce on the shared uplink

    def done(self, now: float, worker: int) -> None:
        self._done[worker] = now

    # Single gradients

    def send(self, now: float, ticket: Ticket) -> None:
        worker, communication = ticket.worker, self._workers.communication
        self.in_transit[ticket] = now  # a worker that has just computed is not down
        end = self._start(worker, now, self._through, ticket)
        if communication:
            communication.sends(now, worker, end)

    def _through(self, event: Happening) -> None:
        ticket: Ticket = event.value
        if ticket not in self.in_transit:  # lost on the way, with its worker
            return
        begin, now = self.in_transit.pop(ticket), self._clock.now
        if self._way and (communication := self._workers.communication):
            communication.closes(now, ticket.worker)
        if self._trace:
            self._trace_sent(ticket.worker, begin, now, ticket.version)
        self._arrived(ticket)

    def break_off(self, now: float, worker: int) -> list[Ticket]:
        """Lose and return the single gradients that a worker is sending; an all-reduce goes on."""
        lost = [ticket for ticket in self.in_transit if ticket.worker == worker]
        for ticket in lost:
            self._trace_sent(worker, self.in_transit.pop(ticket), now, ticket.version)
        return lost

    # All together

    def all_reduce(self, now: float, version: int, workers: Sequence[int]) -> bool:
        """Average the gradients that these workers hold; whether that takes no time."""
        # A worker that is down begins to send when it returns.
        ready = [max(now, float(self._workers.up_at[worker])) for worker in workers]
        if self._way is not None:
            self._all_share(now, version, dict(zip(workers, ready, strict=True)))
            return False
        end = self._collective(now, version, workers, ready)
        if end > now:
            self._clock.at(end, SERVER_RANK, lambda event: self._averaged())
        return end == now

    def _collective(
        self, now: float, version: int, workers: Sequence[int], begins: Sequence[float]
    ) -> float:
        """The end of an all-reduce over links that are not shared."""
        participants = [
            Participant(ready, self._done[worker], self._parts(worker))
            for worker, ready in zip(workers, begins, strict=True)
        ]
        end = collective_end(self._kind, now, participants)
        if end == NEVER:
            self._stalls.give_up(now, workers)
        for worker, (ready, done, parts) in zip(workers, participants, strict=True):
            begin = done if self._kind == "gather" else ready
            own = end if self._kind in ("ring", "tree") else begin + parts.seconds
            self._sends_together(now, worker, begin, own)
            self._trace_sent(worker, begin, own, version)
        self._trace_sent(SERVER, now, end, version)
        return end

    def _sends_together(self, now: float, worker: int, begin: float, end: float) -> None:
        workers, communication = self._workers, self._workers.communication
        if communication is None:
            return
        if begin < now:
            outages = list(workers.outages_since.get(worker, ()))
            if workers.at_down_from[worker] < NEVER:
                outages.append((workers.at_down_from[worker], NEVER))
            communication.has_sent(worker, begin, min(now, end), outages)
        communication.sends_together(now, worker, end)

    def _all_share(self, now: float, version: int, ready: dict[int, float]) -> None:
        communication, self._sharing = self._workers.communication, ready
        assert communication is not None
        if NEVER in ready.values():
            self._stalls.give_up(now, ready)

        def through(event: Happening) -> None:
            worker, end = event.value, self._clock.now
            communication.sends_together(end, worker, end)
            self._trace_sent(worker, self._sharing.pop(worker), end, version)
            if not self._sharing:
                self._trace_sent(SERVER, now, end, version)
                self._averaged()

        for worker, begin in ready.items():
            communication.sends_together(now, worker, NEVER)
            self._start(worker, begin, through, worker)

    # Either

    def _start(
        self, worker: int, begin: float, through: Callable[[Happening], None], value: object
    ) -> float:
        """Send a vector over its own link, or after its latency over the shared uplink.

        Returns the end, or ``NEVER`` if it is not known yet.
        """
        clock, way, parts = self._clock, self._way, self._parts(worker)
        rank = transfer_rank(worker)
        if way is None:
            end = begin + parts.seconds
            clock.at(end, rank, through, value)
            return end

        # At one instant the lowest worker comes first, although SimPy's resources know no ranks.
        def passed() -> None:
            clock.at(clock.now, rank, through, value)

        clock.at(begin + parts.latency, rank, lambda event: way.enter(parts, passed))
        return NEVER

    def _parts(self, worker: int) -> Parts:
        if not self._transfers.varies:
            return self._transfers.parts(worker, 0)
        k = self._sent[worker]
        self._sent[worker] = k + 1
        return self._transfers.parts(worker, k)

    def close_trace(self, now: float, version: int) -> None:
        for ticket, begin in self.in_transit.items():
            self._trace_sent(ticket.worker, begin, now, ticket.version)
        for worker, begin in self._sharing.items():
            self._trace_sent(worker, begin, now, version)

    def _trace_sent(self, worker: int, begin: float, end: float, version: int) -> None:
        if self._trace and begin < end:
            kind = "collective" if worker == SERVER else "sending"
            self._trace.stretch(kind, worker, begin, end, version)
