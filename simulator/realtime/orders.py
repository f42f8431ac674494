"""Which order does each worker have?  Reports name their order by its number."""

from collections.abc import Collection, Sequence

from simulator.realtime.fleet import Fleet
from simulator.realtime.holdings import Holdings
from simulator.realtime.messages import Order, Terms
from simulator.realtime.recording import Recording
from simulator.realtime.transfers import Transfers


class Orders:
    """The orders of one run; it records them."""

    def __init__(
        self, fleet: Fleet, transfers: Transfers, holdings: Holdings, recording: Recording
    ) -> None:
        self._fleet, self._transfers, self._holdings = fleet, transfers, holdings
        self._recording = recording
        self._serial = [0] * recording.workers
        self._unaware = set[int]()
        """Workers whose order has ended, without a message yet."""

    def give(self, workers: Sequence[int], terms: Terms, now: float, version: int) -> None:
        """Order these workers to compute at the newest point."""
        needed, orders = self._holdings.needed, {}
        for worker in workers:
            self.end(worker, now)
            self._unaware.discard(worker)
            delay = self._transfers.download(worker, now, version)
            own = tuple(ticket for ticket in needed if ticket.worker == worker)
            orders[worker] = Order(self._serial[worker], version, delay, terms, own)
            self._recording.ordered(worker, now + delay, orders[worker])
        self._fleet.order(orders, self._holdings.points[version])

    def end(self, worker: int, now: float) -> None:
        """The worker learns that its order has ended with its next order, or by ``tell``."""
        self._serial[worker] += 1
        self._unaware.add(worker)
        self._recording.stops_receiving(worker, now)

    def tell(self, present: Collection[int]) -> None:
        """Tell the present workers whose order has ended."""
        for worker in self._unaware.intersection(present):
            self._fleet.release(worker, self._serial[worker])
        self._unaware.clear()

    def replaced(self, worker: int, serial: int) -> bool:
        """Whether the worker's order of this number has ended."""
        return serial < self._serial[worker]
