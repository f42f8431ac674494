"""How long is an episode that starts now?  For clusters with time per environment step.

Episodes are played when they start, for their length alone; the gradient is computed later, and
only if it is used.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from algorithms.tickets import Ticket
from simulator.objectives.objective import Episodes
from simulator.training.executor import chunks, padded_tickets
from simulator.training.record import Run

if TYPE_CHECKING:
    from jax import Array


class Ruler:
    """Measures the episodes of one run, and records their lengths in it.

    Its ``points`` are those of a lane with this run alone.
    """

    def __init__(self, episodes: Episodes, run: Run, points: "dict[int, Array]") -> None:
        self._lengths, self._run, self._points = episodes.lengths, run, points

    @cached_property
    def _root(self) -> "Array":
        import jax

        return jax.random.key(self._run.seed)

    def lengths(self, tickets: Sequence[Ticket]) -> list[int]:
        """The environment steps of each ticket's episode, at the point of its version."""
        known = self._run.lengths
        assert known is not None
        if all(ticket in known for ticket in tickets):  # in a replay
            return [known[ticket] for ticket in tickets]
        found: list[int] = []
        for chunk in chunks(len(tickets)):
            rows, weights = padded_tickets(tickets[chunk])
            points = [np.asarray(self._points[ticket.version])[0] for ticket in tickets[chunk]]
            points += [points[0]] * (len(weights) - len(points))
            given = cast("tuple[Array, ...]", (np.stack(points), rows, weights))
            lengths = self._lengths(self._root, *given)
            found += np.asarray(lengths)[: len(tickets[chunk])].tolist()
        known.update(zip(tickets, found, strict=True))
        return found
