"""What is maximised, and what must an objective be able to compute?

Runs that share a schedule use the same tickets, each at its own points and with its own random
numbers.  So every operation takes R runs in one call: the first axis of roots, points and weights
is the run's.

An objective knows tickets only as rows ``(worker, version, index)`` of an integer array.  It
makes their random keys itself (``ticket_keys``), so a ticket's gradient is the same number in
any batch, in any order and under any method.  A row of weight 0 is padding: it costs nothing
and contributes nothing, not even a NaN.
"""

from collections.abc import Callable, Mapping
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

    ``request`` is the number of the episode that failed and ``ticket`` its ticket, where known.
    """

    def __init__(self, message: str, request: int | None = None) -> None:
        super().__init__(message)
        self.request = request
        self.ticket: Ticket | None = None


class Size(NamedTuple):
    """How large a point is: its numbers, and the bytes of each."""

    dimension: int
    itemsize: int


@runtime_checkable
class Values(Protocol):
    """What tickets are worth: gradients, or what workers send after steps of their own.

    Shapes: ``roots`` are (R,) keys, ``tickets`` (B, 3) int32, the same for all runs, ``weights``
    (R, B).
    """

    dimension: int

    def gradient(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """The weighted sum of the tickets' gradients at one point per run (R, d): (R, d).

        Also the number of environment steps that each run took, over the whole batch: (R,).
        """

    def gradients(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """Each ticket's gradient times its weight, each at its own of ``points`` (R, B, d).

        These are (R, B, d).  Also the environment steps of each, (R, B).
        """

    def sample(self, root: "Array", point: "Array", ticket: Ticket) -> "tuple[Array, int]":
        """One ticket's gradient in one run, the plain way: the oracle of the two above."""


class Exact(NamedTuple):
    """J and its gradient, known exactly: every step can be measured."""

    measure: "Callable[[Array], Mapping[str, Array]]"
    """The metrics at each of ``points`` (K, d), each (K,)."""
    ascent: "Callable[[Array], Array]"
    """The gradient of J at each of ``points`` (K, d)."""


class Played(NamedTuple):
    """One episode of a policy: its undiscounted return, and its length in steps."""

    total: float
    length: int


class Show(Protocol):
    """One worker's environment, drawn."""

    rate: float
    """How many steps a second has."""

    def play(
        self, point: NDArray[np.floating], seed: int, number: int, look: Callable[[], object]
    ) -> Played:
        """Play the episode of this number that ``Episodes.play`` does, if it is the worker's.

        ``look`` is called at the start and after every step.
        """

    def picture(self) -> NDArray[np.uint8]:
        """How the environment looks now."""

    def close(self) -> None: ...


class Episodes(NamedTuple):
    """What an objective can do whose tickets are episodes, which may differ in length."""

    worlds: int
    """How many environments the workers have; an evaluation plays in each of them in turn."""
    lengths: "Callable[[Array, Array, Array, Array], Array]"
    """``lengths(root, points, tickets, weights)``: how long each ticket's episode is, in one run.

    The environment steps that ``gradients`` counts, without a gradient: each at its own row of
    ``points`` (B, d), (B,) int32, 0 for padding.  No other weight matters.
    """
    play: "Callable[[Array, int, int], list[Played]]"
    """``play(point, seed, episodes)``: the episodes that ``evaluate`` plays at step 0 of this seed.

    There may be more than asked for: every environment has equally many.
    """
    show: Callable[[int], Show]
    """A worker's environment, to see its episodes; a ValueError if it has no picture."""


class Objective(Values, Protocol):
    """Something to maximise; ``exact``, ``local`` and ``episodes`` may be None."""

    metrics: Mapping[str, Direction]
    """What ``evaluate`` measures and which way is better; the first is the default target."""
    on_host: bool = False
    """Whether something besides JAX has to do with the points, and sees their numbers."""
    exact: Exact | None = None
    local: Callable[[Work], Values] | None = None
    """The values of tickets that are this local work: a worker takes several steps of its own."""
    episodes: Episodes | None = None

    def initial_point(self, root: "Array") -> "Array":
        """Where every method of one seed starts: (d,)."""

    def evaluate(
        self, roots: "Array", points: "Array", step: int, episodes: int, going: NDArray[np.bool_]
    ) -> "Mapping[str, Array]":
        """The metrics of each run at its row of ``points`` (R, d): each (R,).

        Their random numbers are their own: looking changes nothing.  The metrics of a run that is
        not ``going`` mean nothing.
        """


def ticket_keys(root: "Array", tickets: "Array") -> "Array":
    """One random key per ticket, from its identity alone."""
    import jax

    def key(row: "Array") -> "Array":
        worker, version, index = row
        fold = jax.random.fold_in
        return fold(fold(fold(root, worker), version), index)

    return jax.vmap(key)(tickets)
