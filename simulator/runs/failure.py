"""Where did a run go wrong?  At a gradient that has a name, and can be computed once more."""

import re
from typing import Any, NamedTuple

from numpy.typing import NDArray

from algorithms.tickets import Ticket


class Failure(NamedTuple):
    """Where a run went wrong: at which server step, by which gradient, taken at which point."""

    step: int | None
    ticket: Ticket | None = None
    point: NDArray[Any] | None = None

    @property
    def told(self) -> str:
        """What there is to know of it, in brackets."""
        words = [] if self.step is None else [f"server step {self.step}"]
        if self.ticket is not None:
            worker, version, _ = self.ticket
            words += [f"worker {worker} at version {version}", f"ticket {name_of(self.ticket)}"]
        return f" ({', '.join(words)})" if words else ""


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
