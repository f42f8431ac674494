"""Whose gradients may still come?  So the points of the other versions can be forgotten."""

from collections import Counter
from collections.abc import Iterable

from algorithms.tickets import Ticket


class Outstanding:
    """How many orders stand, and how many finished gradients wait, at each version."""

    def __init__(self) -> None:
        self._orders: Counter[int] = Counter()
        self._held: Counter[int] = Counter()
        self._retired: list[int] = []

    def order_all(self, version: int, workers: int) -> None:
        self.release_all()
        self._orders = Counter({version: workers})

    def order_one(self, before: int, version: int) -> None:
        """A worker whose last order was at ``before`` now works at ``version``."""
        self._orders[version] += 1
        if self._orders[before] > 0:
            self._orders[before] -= 1
            self._retire(before)

    def release_all(self) -> None:
        standing, self._orders = self._orders, Counter()
        for version in standing:
            self._retire(version)

    def hold(self, version: int) -> None:
        """A gradient is done, and will be used."""
        self._held[version] += 1

    def close(self, version: int, tickets: Iterable[Ticket]) -> list[int]:
        """These were used in the step that ends ``version``; says what that retires."""
        for ticket in tickets:
            self._held[ticket.version] -= 1
        for used in {ticket.version for ticket in tickets} | {version}:
            self._retire(used)
        retired, self._retired = self._retired, []
        return retired

    def _retire(self, version: int) -> None:
        if not self._orders[version] and not self._held[version]:
            del self._orders[version], self._held[version]
            self._retired.append(version)
