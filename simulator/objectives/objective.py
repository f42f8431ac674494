"""What is maximised, and what must an objective be able to compute?

An objective knows tickets only as rows ``(worker, version, index)`` of an integer array.  It
makes their random keys itself (``ticket_keys``), so a ticket's gradient is the same number in
any batch, in any order and under any method.  A row of weight 0 is padding: it costs nothing
and contributes nothing, not even a NaN.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket

if TYPE_CHECKING:
    from jax import Array

Direction = Literal["higher", "lower"]


class Broken(Exception):
    """A number could not be computed: an environment failed.

    Where that is known, it did so while it played this request, or for this ticket.
    """

    def __init__(self, told: str, request: int | None = None) -> None:
        super().__init__(told)
        self.request = request
        self.ticket: Ticket | None = None


class Size(NamedTuple):
    """How large a point is: its numbers, and the bytes of each."""

    dimension: int
    itemsize: int


class Values(Protocol):
    """What tickets are worth: gradients, or what workers send after steps of their own.

    Shapes: ``point`` is (d,), ``tickets`` (B, 3) int32, ``weights`` (B,); ``root`` a key.
    """

    dimension: int

    def gradient(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """The weighted sum of the tickets' gradients, all at one point, in one backward pass.

        Also the number of environment steps that took, over the whole batch.
        """

    def gradients(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """Each ticket's gradient times its weight, each at its own row of ``points`` (B, d).

        Also the environment steps of each, (B,).
        """

    def sample(self, root: "Array", point: "Array", ticket: Ticket) -> "tuple[Array, int]":
        """One ticket's gradient, computed the plain way: the oracle of the two above."""


class Objective(Values, Protocol):
    """Something to maximise."""

    metrics: Mapping[str, Direction]
    """What ``evaluate`` measures and which way is better; the first is the default target."""

    def initial_point(self, root: "Array") -> "Array":
        """Where every method of one seed starts."""

    def evaluate(
        self, root: "Array", point: "Array", step: int, episodes: int
    ) -> "dict[str, Array]":
        """The metrics at a point.  Its random numbers are its own: looking changes nothing."""


@runtime_checkable
class ForAll(Protocol):
    """Values that several runs ask for in one call, for the same tickets.

    Before every shape comes an axis of R runs, but for ``tickets``: ``roots`` are (R,) keys, a
    point for each run is (R, d), weights are (R, B).
    """

    def gradient_for_all(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """``gradient`` of each run: (R, d), and the environment steps (R,)."""

    def gradients_for_all(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """``gradients`` of each run, at ``points`` (R, B, d): (R, B, d), and (R, B)."""


@runtime_checkable
class PlayingForAll(Objective, ForAll, Protocol):
    """An objective that looks at the points of several runs in one call, too."""

    def evaluate_for_all(
        self, roots: "Array", points: "Array", step: int, episodes: int, going: NDArray[np.bool_]
    ) -> "dict[str, Array]":
        """``evaluate`` of each run, at its row of ``points`` (R, d): the metrics, each (R,).

        What is said of a run that is not ``going`` means nothing.
        """


@runtime_checkable
class MaybeOnHost(Protocol):
    """An objective that may hand its points to programs besides JAX."""

    @property
    def on_host(self) -> bool: ...


class Played(NamedTuple):
    """One episode of a policy: its undiscounted return, and its length in steps."""

    total: float
    length: int


@runtime_checkable
class Playing(Objective, Protocol):
    """An objective whose tickets are episodes, which may differ in length."""

    def lengths(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "Array":
        """The environment steps of each ticket's episode at its own row of ``points``, (B,) int32.

        What ``gradients`` would say, without a gradient; 0 for padding, and no other weight
        matters.
        """


@runtime_checkable
class Exact(Objective, Protocol):
    """An objective that knows J and its gradient exactly, so that every step can be measured."""

    def measure(self, points: "Array") -> "dict[str, Array]":
        """The metrics at each row of ``points`` (B, d), each (B,)."""

    def ascent(self, points: "Array") -> "Array":
        """The exact gradient of J at each row, (B, d)."""


@runtime_checkable
class Local(Objective, Protocol):
    """An objective of which a worker can take several steps of its own."""

    def worked(self, work: Work) -> Values:
        """The same, as seen by the server: a ticket is worth what this work sends."""


def ticket_keys(root: "Array", tickets: "Array") -> "Array":
    """One random key per ticket, from its identity alone."""
    import jax

    def key(row: "Array") -> "Array":
        worker, version, index = row
        fold = jax.random.fold_in
        return fold(fold(fold(root, worker), version), index)

    return jax.vmap(key)(tickets)
