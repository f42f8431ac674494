"""Where did a run go wrong?  At a gradient that has a name, and can be computed once more."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket

if TYPE_CHECKING:
    from jax import Array


class Failure(NamedTuple):
    """The server step, its gradient, and the point at which it was taken, as far as known."""

    step: int | None
    ticket: Ticket | None = None
    point: NDArray[Any] | None = None

    @property
    def told(self) -> str:
        """What is known of it, in brackets."""
        words = [] if self.step is None else [f"server step {self.step}"]
        if self.ticket is not None:
            worker, version, _ = self.ticket
            words += [f"worker {worker} at version {version}", f"ticket {name_of(self.ticket)}"]
        return f" ({', '.join(words)})" if words else ""


def failure_at(
    step: int | None, ticket: Ticket, points: "Mapping[int, Array]", row: int
) -> Failure:
    """A failure of this gradient, with the point where it was taken, if that is still known."""
    there = points.get(ticket.version)
    return Failure(step, ticket, None if there is None else np.array(np.asarray(there)[row]))


def name_of(ticket: Ticket) -> str:
    """A ticket in a word, for messages and command lines.

    >>> name_of(Ticket(worker=3, version=7, index=0)), ticket_of("3.7.0")
    ('3.7.0', Ticket(worker=3, version=7, index=0))
    """
    return ".".join(map(str, ticket))


def ticket_of(name: str) -> Ticket:
    """The reverse; a ValueError if it is none."""
    if not re.fullmatch(r"\d{1,9}\.\d{1,9}\.\d{1,9}", name, re.ASCII):
        raise ValueError("a ticket is WORKER.VERSION.INDEX, such as 3.7.0")
    return Ticket(*map(int, name.split(".")))
