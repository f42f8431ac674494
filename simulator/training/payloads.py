"""At which points is a gradient taken, and where was its sample drawn?

Most gradients are drawn and taken at their ticket's own point.  With ``Step.importance`` they are
taken at the step's point, and with ``Step.mixtures`` their workers acted by several points.  Both
are local work (``algorithms/local.py``): a function of a payload, which joins these points.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work, mixed, mixed_reweighted, reweighted
from algorithms.tickets import Ticket
from simulator.objectives.objective import Values
from simulator.schedule import Step

if TYPE_CHECKING:
    from jax import Array

NEVER = 2.0
"""The share from which an unused piece acts: a computation ends at 1."""


class Kind(NamedTuple):
    """What a gradient's payload consists of."""

    pieces: int = 1
    """Points by which the worker acted, with unused ones: a power of four, so few are compiled."""
    weighted: bool = False
    """Whether the gradient is taken at another point, with a weight."""

    @property
    def work(self) -> Work:
        if self.pieces == 1:
            return reweighted
        return mixed_reweighted(self.pieces) if self.weighted else mixed(self.pieces)


PLAIN = Kind()


class ByKind:
    """The values of an objective's tickets, for each kind of gradient."""

    def __init__(self, values: Values) -> None:
        self._values = {PLAIN: values}

    def __getitem__(self, kind: Kind) -> Values:
        if kind not in self._values:
            local: Callable[[Work], Values] | None = self._values[PLAIN].local
            assert local is not None, "refused when the scenario was checked"
            self._values[kind] = local(kind.work)
        return self._values[kind]


def kind_of(step: Step, ticket: Ticket) -> Kind:
    """The kind of one of the step's gradients.

    >>> step = Step(2, 1.0, [Ticket(0, 0, 0)], [1.0], 1, None, importance=2.0)
    >>> kind_of(step, step.tickets[0])
    Kind(pieces=1, weighted=True)
    """
    pieces = len(step.mixture(ticket))
    half = ((pieces - 1).bit_length() + 1) // 2
    return Kind(4**half, step.importance is not None)


def places_by_kind(step: Step) -> dict[Kind, list[int]]:
    """The places of the step's gradients, by their kind."""
    if not step.mixtures:
        return {Kind(weighted=step.importance is not None): [*range(len(step.tickets))]}
    places: dict[Kind, list[int]] = {}
    for at, ticket in enumerate(step.tickets):
        places.setdefault(kind_of(step, ticket), []).append(at)
    return places


def kind_of_size(numbers: int, dimension: int) -> Kind:
    """The kind whose payload has so many numbers: no two kinds have the same size.

    >>> [kind_of_size(size, 10) for size in (10, 21, 44)]
    [Kind(pieces=1, weighted=False), Kind(pieces=1, weighted=True), Kind(pieces=4, weighted=False)]
    """
    if numbers in (dimension, 2 * dimension + 1):
        return Kind(1, numbers > dimension)
    pieces = numbers // (dimension + 1)
    weighted = pieces.bit_count() > 1
    return Kind(pieces - weighted, weighted)


def sizes_of_payloads(dimension: int) -> tuple[int, ...]:
    """The sizes of the payloads that differ from a point, up to 4096 pieces.

    >>> sizes_of_payloads(10)[:3]
    (21, 44, 55)
    """
    pieces = [4**power + weighted for power in range(1, 7) for weighted in (0, 1)]
    return 2 * dimension + 1, *(count * (dimension + 1) for count in pieces)


def payload(points: "Mapping[int, Array]", step: Step, ticket: Ticket) -> "Array | NDArray[Any]":
    """The point of a plain gradient, or the payload of its work; a row for each run."""
    if step.importance is None and not step.mixtures:
        return points[ticket.version]
    kind, mixture = kind_of(step, ticket), step.mixture(ticket)
    if kind == PLAIN:
        return points[ticket.version]
    parts = [np.asarray(points[version]) for version, _ in mixture]
    shares = [share for _, share in mixture]
    if kind.pieces > 1:
        spare = kind.pieces - len(mixture)
        parts += [parts[0]] * spare
        parts += [_constant(parts[0], share) for share in (*shares, *[NEVER] * spare)]
    if step.importance is not None:
        parts += [np.asarray(points[step.version]), _constant(parts[0], step.importance)]
    return np.concatenate(parts, axis=1)


def _constant(like: NDArray[Any], number: float) -> NDArray[Any]:
    return np.full((len(like), 1), number, like.dtype)
