"""What must an objective be able to compute?

Runs that share a schedule use the same tickets, each at its own points and with its own random
numbers.  So every operation takes R runs in one call: the first axis of roots, points and weights
is the run's.

An objective knows tickets only as rows ``(worker, version, index)`` of an integer array.  It
makes their random keys itself (``ticket_keys``), so a ticket's gradient is the same number in
any batch, in any order and under any method.  A row of weight 0 is padding: it costs nothing
and contributes nothing, not even a NaN.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket

if TYPE_CHECKING:
    from jax import Array

Direction = Literal["higher", "lower"]


class Broken(Exception):
    """An environment failed; ``request`` is the number of its episode, ``ticket`` its ticket."""

    def __init__(self, message: str, request: int | None = None) -> None:
        super().__init__(message)
        self.request = request
        self.ticket: Ticket | None = None


class Size(NamedTuple):
    """The numbers of a point, and the bytes of each."""

    dimension: int
    itemsize: int


@runtime_checkable
class Values(Protocol):
    """The values of tickets: gradients, or the results of workers' own steps.

    Shapes: ``roots`` are (R,) keys, ``tickets`` (B, 3) int32, the same for all runs, ``weights``
    (R, B).
    """

    dimension: int
    local: "Callable[[Work], Values] | None" = None
    """The values of tickets whose workers do this local work, of more than a gradient."""

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
        """One ticket's gradient in one run by plain code: the oracle of the two above."""


class Exact(NamedTuple):
    """J and its gradient, known exactly."""

    measure: "Callable[[Array], Mapping[str, Array]]"
    """The metrics at each of ``points`` (K, d), each (K,)."""
    ascent: "Callable[[Array], Array]"
    """The gradient of J at each of ``points`` (K, d)."""


class Played(NamedTuple):
    """One episode of a policy: its undiscounted return, and its length in steps."""

    total: float
    length: int


class Show(Protocol):
    """One worker's environment, drawn; ``rate`` is its steps per second."""

    rate: float

    def play(
        self, point: NDArray[np.floating], seed: int, number: int, on_state: Callable[[], object]
    ) -> Played:
        """Play the episode of this number of ``Episodes.play``, if it is the worker's.

        ``on_state`` is called at the start and after every step.
        """

    def picture(self) -> NDArray[np.uint8]:
        """The environment as it is now."""

    def close(self) -> None: ...


class Episodes(NamedTuple):
    """Operations of objectives whose tickets are episodes, which may differ in length."""

    worlds: int
    """The number of environments; an evaluation plays in each of them in turn."""
    lengths: "Callable[[Array, Array, Array, Array], Array]"
    """``lengths(root, points, tickets, weights)``: the length of each ticket's episode in one run.

    The environment steps that ``gradients`` counts, without a gradient: each at its own row of
    ``points`` (B, d), (B,) int32, 0 for padding.  No other weight matters.
    """
    play: "Callable[[Array, int, int], list[Played]]"
    """``play(point, seed, episodes)``: the episodes that ``evaluate`` plays at step 0 of this seed.

    There may be more of them: every environment has equally many.
    """
    show: Callable[[int], Show]
    """A worker's environment, drawn; a ValueError if it has no picture."""


class Objective(Values, Protocol):
    """A function to maximise; ``exact``, ``local`` and ``episodes`` may be None."""

    metrics: Mapping[str, Direction]
    """The metrics of ``evaluate``, and which way is better; the first is the default target."""
    on_host: bool = False
    """Whether code outside JAX reads the numbers of points."""
    exact: Exact | None = None
    episodes: Episodes | None = None

    def initial_point(self, root: "Array") -> "Array":
        """The start of every method on this seed: (d,)."""

    def evaluate(
        self, roots: "Array", points: "Array", step: int, episodes: int, going: NDArray[np.bool_]
    ) -> "Mapping[str, Array]":
        """The metrics of each run at its row of ``points`` (R, d): each (R,).

        Evaluations have random numbers of their own, so they change no run.  The metrics of a run
        that is not ``going`` mean nothing.
        """


def ticket_keys(root: "Array", tickets: "Array") -> "Array":
    """One random key per ticket, from its identity alone."""
    import jax

    def key(row: "Array") -> "Array":
        worker, version, index = row
        fold = jax.random.fold_in
        return fold(fold(fold(root, worker), version), index)

    return jax.vmap(key)(tickets)


def run_by_run(of_one: Callable[..., Any], *, shared: tuple[int, ...] = ()) -> Callable[..., Any]:
    """The same for several runs, one after another; all arguments but the shared have their axis.

    ``jax.vmap`` computes the runs side by side, but XLA then sums in another order: a run's last
    bits would depend on the runs beside it.
    """
    import jax

    def of_all(*arguments: Any) -> Any:
        barrier: Any = jax.lax.optimization_barrier

        def of_run(own: list[Any]) -> Any:
            # The barriers make XLA compile a single run as it compiles one of several.
            rest = iter(barrier(own))
            given = (x if at in shared else next(rest) for at, x in enumerate(arguments))
            return barrier(of_one(*given))

        return jax.lax.map(of_run, [x for at, x in enumerate(arguments) if at not in shared])

    return of_all
