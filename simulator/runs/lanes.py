"""How do several runs take the same steps at once?  As rows of the same arrays.

A lane holds runs of one method and one schedule that differ in their seeds, and in the numbers of
their rule.  A run that has ended leaves its row empty; when so many have that fewer rows would do,
the others close up.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.numerics.executor import Abreast, Executor, Kept
from simulator.numerics.learner import Learner, Numbers, Place
from simulator.runs.culprit import Turn
from simulator.runs.record import Run
from simulator.schedule import Step

if TYPE_CHECKING:
    from jax import Array

ROWS = (1, 2, 4, 8, 12)
"""A lane has so many rows, so that few sizes are ever compiled; longer ones are no faster."""
LONGEST = ROWS[-1]


class Lane:
    """Runs, and where each of them is."""

    def __init__(
        self, runs: Sequence[Run], numbers: Numbers, learner: Learner, executor: Executor
    ) -> None:
        self._learner, self._executor = learner, executor
        self._runs = list(runs)
        self._numbers = dict(numbers)
        self._kept: Kept = {}
        self._state: Any = ()
        self.place: Any = ()
        """Where the runs are now."""
        self.points: dict[int, Array] = {}
        """Where gradients are taken, by version, a row for each run."""
        self.turns: list[Turn] = []
        """The newest steps; JAX may still be computing where they led."""
        self._lie(np.arange(len(runs)))

    def start(self, initial: "NDArray[Any]") -> None:
        """Begin, each run at its own row."""
        padded = cast("Array", initial[self._order])
        self._state, self.place = self._learner.start(self._numbers, padded)
        self.points[0] = self.place.query

    def step(self, group: Sequence[Step]) -> list[Turn]:
        """Take a group of steps; each with its gradients, and with where it led."""
        values = self._executor.evaluate(self.abreast, group)
        self._state, places = self._learner.advance(self._numbers, self._state, values, group)
        for step, place in zip(group, places, strict=True):
            self.points[step.number] = place.query
        self.place = places[-1]
        for run in self.living:
            run.evaluated += sum(len(step.fresh) for step in group)
        self.turns = list(zip(group, values, places, strict=True))
        return self.turns

    @property
    def abreast(self) -> Abreast:
        """Its runs as an executor knows them."""
        return Abreast(self.roots, self.points, self.going, self._kept)

    @property
    def living(self) -> list[Run]:
        return [run for run, going in zip(self._runs, self.going, strict=False) if going]

    def row(self, run: Run) -> int:
        return next(at for at, other in enumerate(self._runs) if other is run)

    def root(self, run: Run) -> "Array":
        root: Array = self.roots[self.row(run)]
        return root

    def leave(self, run: Run) -> None:
        """This run has ended."""
        self.going[self.row(run)] = False

    def forget(self, versions: "set[int]") -> None:
        """Nobody will ask for gradients at these points again."""
        for version in versions:
            del self.points[version]

    def memory(self) -> dict[str, NDArray[Any]]:
        """All that it needs to go on another day, as plain arrays."""
        import jax

        points, kept = self.points, self._kept
        none = np.zeros((0, *np.shape(self.place.query)), self.place.query.dtype)
        leaves = enumerate(jax.tree.leaves(self._state))
        memory = {f"state/{number}": np.array(leaf) for number, leaf in leaves}
        memory["query"], memory["iterate"] = (np.array(where) for where in self.place)
        memory["versions"] = np.array(list(points), np.int64)
        memory["points"] = np.stack([np.asarray(point) for point in points.values()])
        memory["kept_tickets"] = np.array(list(kept), np.int64).reshape(-1, 3)
        memory["kept"] = np.stack([np.asarray(row) for row in kept.values()]) if kept else none
        return memory

    def remember(self, memory: "Mapping[str, NDArray[Any]]") -> None:
        """Be where that memory was; it has to be one of a lane like this, that has begun."""
        import jax

        leaves, structure = jax.tree.flatten(self._state)
        known = [memory[f"state/{at}"] for at in range(len(leaves))]
        self._state = jax.tree.unflatten(structure, known)
        self.place = Place(*(cast("Array", memory[name]) for name in Place._fields))
        self.points.clear()  # who measures episodes has the same dictionary
        self.points.update(zip(memory["versions"].tolist(), memory["points"], strict=True))
        tickets = (Ticket(*ticket) for ticket in memory["kept_tickets"].tolist())
        self._kept = dict(zip(tickets, memory["kept"], strict=True))

    def close_up(self) -> None:
        """Give up rows that nobody needs."""
        going = np.flatnonzero(self.going)
        if not len(going) or rows_for(len(going)) == len(self.going):
            return
        self._runs = [self._runs[at] for at in going]
        self.turns = []  # their rows are others
        self._lie(going)

    def _lie(self, chosen: "NDArray[np.intp]") -> None:
        """Keep these rows, and fill up with copies of the first of them."""
        import jax

        size = rows_for(len(chosen))
        order = np.concatenate([chosen, np.repeat(chosen[:1], size - len(chosen))])
        self._order = order
        self.going = np.arange(size) < len(chosen)
        """Which rows are runs that have not ended."""

        self._numbers, self._state, self.place, self.points, self._kept = jax.tree.map(
            lambda rows: np.asarray(rows)[order],
            (self._numbers, self._state, self.place, self.points, self._kept),
        )
        seeds = [run.seed for run in self._runs]
        seeds += seeds[:1] * (size - len(seeds))
        self.roots = jax.vmap(jax.random.key)(np.array(seeds, np.int64))


def rows_for(many: int) -> int:
    """The fewest rows that hold so many runs."""
    return next(size for size in ROWS if size >= many)
