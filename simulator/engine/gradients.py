"""The gradients that steps use: each once, and those that a story keeps again.

Usually a gradient arrives after the last step.  Where a server takes time, or keeps or mixes
gradients, it may have arrived before: from the first such moment on, the version at which each
arrives is noted.
"""

from collections.abc import Collection, Sequence
from typing import TypeAlias

from algorithms.tickets import Ticket
from simulator.dialogue import NONE, Dialogue
from simulator.engine.refreshes import Refreshes
from simulator.engine.totals import Totals
from simulator.schedule import Mixture

Taken: TypeAlias = tuple[
    int, frozenset[Ticket], frozenset[Ticket], dict[Ticket, Mixture] | None, list[int] | None
]
"""The number used so far, and of the step: gradients used again, kept ones, mixtures, and the
versions at which the others arrived."""


class Gradients:
    """The gradients of one simulation that have been sent, kept, or used."""

    def __init__(
        self, totals: Totals, refreshes: Refreshes, dialogue: Dialogue, *, dated: bool
    ) -> None:
        self._totals, self._refreshes, self._dialogue = totals, refreshes, dialogue
        self.sent: dict[Ticket, float] = {}
        """Sent and not used yet, and the seconds that each took."""
        self.used, self._kept = 0, NONE
        self._arrivals: dict[Ticket, int] | None = {} if dated else None
        self._dated_from = 0  # the version at which the gradients before them arrived

    def arrive(self, ticket: Ticket, version: int) -> None:
        if self._arrivals is not None:
            self._arrivals[ticket] = version

    def date(self, version: int) -> None:
        """Note versions at arrival from now on."""
        if self._arrivals is None:
            self._arrivals, self._dated_from = {}, version

    def drop(self, ticket: Ticket) -> float | None:
        """The seconds of a gradient that no step will use; None if its worker still holds it."""
        if self._arrivals:
            self._arrivals.pop(ticket, None)
        return self.sent.pop(ticket, None)

    def fresh(self, tickets: Sequence[Ticket]) -> int:
        """The number of those that no step has used before."""
        return len(tickets) - len(self._kept.intersection(tickets)) if self._kept else len(tickets)

    def take(self, version: int, tickets: list[Ticket], keep: Collection[Ticket]) -> Taken:
        """Use gradients in the step from this version."""
        fresh, again = tickets, NONE
        if self._kept and (again := self._kept.intersection(tickets)):
            fresh = [ticket for ticket in tickets if ticket not in again]
        used, done, sent = self._totals.used, self._totals.done, self.sent
        try:
            for ticket in fresh:
                worker = ticket[0]
                used[worker] = count = used[worker] + 1
                if count > done[worker]:
                    self._dialogue.never_arrived(version, ticket)
                if sent:
                    sent.pop(ticket, None)
        except IndexError:
            self._dialogue.never_arrived(version, ticket)
        self.used += len(fresh)
        kept, mixtures, arrived = NONE, None, None
        if keep:
            kept = frozenset(keep)
        self._kept = kept
        if self._arrivals is not None:
            arrived = [self._arrivals.pop(ticket, self._dated_from) for ticket in fresh]
            mixtures = self._refreshes.taken(fresh)
        return self.used, again, kept, mixtures, arrived
