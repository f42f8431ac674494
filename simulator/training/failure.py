"""At which gradient did a run fail?  Its name suffices to compute it once more."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.schedule import Step
from simulator.training.payloads import payload

if TYPE_CHECKING:
    from jax import Array


class Failure(NamedTuple):
    """The server step, its gradient and the gradient's point, as far as known."""

    step: int | None
    ticket: Ticket | None = None
    point: NDArray[Any] | None = None

    @property
    def described(self) -> str:
        """In brackets, to follow a message."""
        words = [] if self.step is None else [f"server step {self.step}"]
        if self.ticket is not None:
            worker, version, _ = self.ticket
            words += [f"worker {worker} at version {version}", f"ticket {name_of(self.ticket)}"]
        return f" ({', '.join(words)})" if words else ""


def failure_at(
    step: Step | None, ticket: Ticket, points: "Mapping[int, Array]", row: int
) -> Failure:
    """A failure of this gradient, with its point or payload if those are still in memory."""
    rows: Any = None
    if step is None:
        rows = points.get(ticket.version)
    elif step.versions <= points.keys():
        rows = payload(points, step, ticket)
    point = None if rows is None else np.array(np.asarray(rows)[row])
    return Failure(step and step.number, ticket, point)


def name_of(ticket: Ticket) -> str:
    """A ticket in a word, for messages and command lines.

    >>> name_of(Ticket(worker=3, version=7, index=0)), ticket_of("3.7.0")
    ('3.7.0', Ticket(worker=3, version=7, index=0))
    """
    return ".".join(map(str, ticket))


def ticket_of(name: str) -> Ticket:
    """The ticket of a name; a ValueError for other text."""
    if not re.fullmatch(r"\d{1,9}\.\d{1,9}\.\d{1,9}", name, re.ASCII):
        raise ValueError("a ticket is WORKER.VERSION.INDEX, such as 3.7.0")
    return Ticket(*map(int, name.split(".")))
