"""How do gradients get to the server?  One by one, or together in an all-reduce."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

from algorithms.tickets import Ticket
from simulator.cluster import Cluster, Vector
from simulator.cluster.collectives import Participant, Parts, collective_end
from simulator.engine.books import NEVER
from simulator.engine.clock import SERVER_RANK, Clock, Happening, transfer_rank
from simulator.engine.trace import Trace
from simulator.engine.uplink import shared_way
from simulator.engine.workers import Workers
from simulator.schedule import Stretch

SERVER = -1
"""The server's place among the workers, when several things happen at once."""


class Uploads:
    """Transfers to the server; ``arrived`` hears of single ones, ``together`` of all-reduces.

    ``give_up`` ends the run because of participants who can never send.
    """

    def __init__(
        self,
        clock: Clock,
        cluster: Cluster,
        workers: Workers,
        *,
        seed: int,
        vector: Vector,
        trace: Trace | None,
        arrived: Callable[[Ticket], None],
        together: Callable[[], None],
        give_up: Callable[[Sequence[int]], NoReturn],
    ) -> None:
        network = cluster.network
        self._clock, self._workers, self._trace = clock, workers, trace
        self._arrived, self._together, self._give_up = arrived, together, give_up
        self._communication = workers.communication
        self._kind = network.collective
        self._transfers = cluster.uploads(seed, vector)
        self._sent = [0] * (cluster.workers if self._transfers.varies else 0)
        self.free = self._transfers.free and network.uplink is None
        """Whether nothing that is sent takes any time."""
        self.never_waits = self.free and not workers.pauses
        """Whether an all-reduce takes none either: nobody who takes part can be down."""
        self._done = [0.0] * (0 if self.never_waits else cluster.workers)
        self._way = shared_way(clock, network.uplink, vector.bytes) if network.uplink else None
        self.in_transit: dict[Ticket, object] = {}
        self._open: dict[object, Stretch] = {}

    def done(self, now: float, worker: int) -> None:
        """The worker has a gradient."""
        self._done[worker] = now

    def send(self, now: float, ticket: Ticket) -> None:
        """A gradient goes its own way."""
        worker = ticket.worker
        if self._way is not None:
            through = partial(self._through, ticket)
            self.in_transit[ticket] = self._share(now, worker, ticket.version, through)
            return
        self.in_transit[ticket] = None
        end = now + self._parts(worker).seconds
        if self._communication:
            self._communication.sends(now, worker, end)
        if self._trace:
            self._trace.stretch("sending", worker, now, end, ticket.version)
        self._clock.at(end, transfer_rank(worker), self._ends, ticket)

    def _ends(self, event: Happening) -> None:
        self._through(event.value)

    def _through(self, ticket: Ticket) -> None:
        if ticket in self.in_transit:  # else it was lost on the way, with its worker
            del self.in_transit[ticket]
            self._arrived(ticket)

    def all_reduce(self, now: float, version: int, workers: Sequence[int]) -> bool:
        """Let these send what they hold; whether it takes no time at all."""
        if self._way is not None:
            self._all_share(now, version, workers)
            return False
        end = self._collective(now, version, workers)
        if end > now:
            self._clock.at(end, SERVER_RANK, lambda event: self._together())
        return end == now

    def _collective(self, now: float, version: int, workers: Sequence[int]) -> float:
        """When the last participant is through, where nobody shares a way."""
        participants = [
            Participant(self._ready(now, worker), self._done[worker], parts)
            for worker, parts in zip(workers, map(self._parts, workers), strict=True)
        ]
        end = collective_end(self._kind, now, participants)
        if end == NEVER:
            self._give_up(workers)
        for worker, (ready, done, parts) in zip(workers, participants, strict=True):
            begin = done if self._kind == "gather" else ready
            mine = end if self._kind in ("ring", "tree") else begin + parts.seconds
            self._sends_together(now, worker, begin, mine)
            if self._trace:
                self._trace.stretch("sending", worker, begin, mine, version)
        if self._trace:
            self._trace.stretch("collective", SERVER, now, end, version)
        return end

    def _all_share(self, now: float, version: int, workers: Sequence[int]) -> None:
        left = len(workers)

        def through() -> None:
            nonlocal left
            left -= 1
            if not left:
                if self._trace:
                    self._trace.stretch("collective", SERVER, now, self._clock.now, version)
                self._together()

        for worker in workers:
            self._share(now, worker, version, through, together=True)

    def _share(
        self,
        now: float,
        worker: int,
        version: int,
        then: Callable[[], None],
        together: bool = False,
    ) -> object:
        """Send over the shared way; when it is through is known only then."""
        assert self._way is not None
        key, begin = object(), self._ready(now, worker)
        if begin == NEVER:
            self._give_up([worker])
        self._open[key] = Stretch("sending", worker, begin, begin, version)
        communication = self._communication
        assert communication is not None
        communication.opens(now, worker, together)

        def through(event: Happening) -> None:
            if key in self._open:  # else it was broken off
                communication.closes(self._clock.now, worker, together)
                self._trace_sent(key, self._clock.now)
            then()

        # At one instant the lowest worker is first, also where SimPy's resources know no workers.
        way, clock, parts = self._way, self._clock, self._parts(worker)
        passed = partial(self._at_its_turn, worker, through)
        enters = begin + parts.latency
        clock.at(enters, transfer_rank(worker), lambda event: way.enter(parts, passed))
        return key

    def _at_its_turn(self, worker: int, act: Callable[[Happening], None]) -> None:
        self._clock.at(self._clock.now, transfer_rank(worker), act)

    def _ready(self, now: float, worker: int) -> float:
        """When it can begin to send: at once, unless it is down."""
        return max(now, float(self._workers.up_at[worker]))

    def _sends_together(self, now: float, worker: int, begin: float, end: float) -> None:
        workers, communication = self._workers, self._communication
        if communication is None:
            return
        if begin < now:
            outages = list(workers.outages_since.get(worker, ()))
            if workers.at_down_from[worker] < NEVER:
                outages.append((workers.at_down_from[worker], NEVER))
            communication.has_sent(worker, begin, min(now, end), outages)
        communication.sends_together(now, worker, end)

    def _parts(self, worker: int) -> Parts:
        if not self._transfers.varies:
            return self._transfers.parts(worker, 0)
        k = self._sent[worker]
        self._sent[worker] = k + 1
        return self._transfers.parts(worker, k)

    def break_off(self, now: float, worker: int) -> list[Ticket]:
        """The worker is gone, and what it was sending by itself, which is returned.

        An all-reduce goes on.
        """
        lost = [ticket for ticket in self.in_transit if ticket.worker == worker]
        for ticket in lost:
            self._trace_sent(self.in_transit.pop(ticket), now)
        return lost

    def close_trace(self, now: float) -> None:
        """The trace learns of what is still under way."""
        for key in list(self._open):
            self._trace_sent(key, now)

    def _trace_sent(self, key: object, end: float) -> None:
        sent = self._open.pop(key, None)
        if self._trace and sent and sent.start < end:
            self._trace.stretch("sending", sent.worker, sent.start, end, sent.version)
