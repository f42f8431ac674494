"""How do several runs take the same steps at once?  As rows of the same arrays.

A lane holds runs of one method and one schedule that differ in their seeds, and in the numbers of
their rule.  A run that has ended leaves its row empty.  When fewer rows suffice, the others close
up.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.mistakes import printable
from simulator.schedule import Step
from simulator.training.executor import Evaluated, Executor, RunContext, Stored
from simulator.training.learner import Learner, Numbers, Place
from simulator.training.record import End, Memory, Run

if TYPE_CHECKING:
    from jax import Array

ROWS = (1, 2, 4, 8, 12)
"""Sizes of lanes: few, so that few are compiled; longer lanes are no faster."""
LONGEST = ROWS[-1]


class Turn(NamedTuple):
    """A computed server step: its gradient, and the points after it; a row for each run."""

    step: Step
    gradient: NDArray[Any]
    environment_steps: NDArray[Any]
    query: NDArray[Any]
    iterate: NDArray[Any]

    def is_finite(self, row: int) -> bool:
        """Whether this run's points are finite."""
        return bool(np.isfinite(self.query[row]).all() and np.isfinite(self.iterate[row]).all())


class Lane:
    """Runs, and the present state of each."""

    def __init__(
        self,
        runs: Sequence[Run],
        numbers: Numbers,
        learner: Learner,
        executor: Executor,
        ended: Callable[[Run], None],
    ) -> None:
        """``ended`` is called with every run that ends."""
        self.executor, self._learner, self._ended = executor, learner, ended
        self._runs = list(runs)
        self._numbers = dict(numbers)
        self._stored: Stored = {}
        self._state: Any = ()
        self._computing: list[tuple[Step, Evaluated, Place]] = []
        self._version = self._evaluated = 0
        self.group: Sequence[Step] = ()
        """The steps of the newest call of ``compute``."""
        self.place: Any = ()
        """The points of the runs now."""
        self.points: dict[int, Array] = {}
        """The points of gradients, by version, a row for each run."""
        self._snapshot: Any = None
        self._select(np.arange(len(runs)))

    def start(self, initial: "Callable[[Array], Array]") -> None:
        """Begin, each run at the initial point of its root."""
        each = [np.asarray(initial(root)) for root in self.roots[: len(self._runs)]]
        padded = cast("Array", np.stack([each[at] for at in self._order]))
        self._state, self.place = self._learner.start(self._numbers, padded)
        self.points[0] = self.place.query
        for run in self.living:
            run.point = np.asarray(self.place.iterate)[self.row(run)]

    def compute(self, steps: Sequence[Step]) -> None:
        """Start to compute these steps; JAX goes on while Python returns."""
        self.group = steps
        values = self.executor.evaluate(self.context, steps)
        self._state, places = self._learner.advance(self._numbers, self._state, values, steps)
        for step, place in zip(steps, places, strict=True):
            self.points[step.number] = place.query
        self.place, self._version = places[-1], steps[-1].number
        self._evaluated += sum(len(step.fresh) for step in steps)
        self._computing = list(zip(steps, values, places, strict=True))

    def computed(self) -> list[Turn]:
        """Wait for the steps that were started last, and return them once."""
        begun, self._computing = self._computing, []
        return [
            Turn(
                step,
                np.asarray(value.gradient),
                np.asarray(value.environment_steps),
                *map(np.asarray, place),
            )
            for step, value, place in begun
        ]

    def record(self, turn: Turn) -> None:
        """Record one step of every run that goes on."""
        for run in self.living:
            row = self.row(run)
            run.point = turn.iterate[row]
            run.close(turn.step, int(turn.environment_steps[row]))

    def end(self, run: Run, end: End, message: str = "") -> None:
        run.end, run.message, run.evaluated = end, printable(message), self._evaluated
        self.going[self.row(run)] = False
        self._ended(run)

    def forget(self, versions: Collection[int]) -> None:
        """Drop points at which no gradient will be taken again."""
        for version in versions:
            del self.points[version]

    def close_up(self) -> None:
        """Give up rows that no run needs."""
        going = np.flatnonzero(self.going)
        if len(going) and rows_for(len(going)) < len(self.going):
            self._runs = [self._runs[at] for at in going]
            self._select(going)

    @property
    def context(self) -> RunContext:
        return RunContext(self.roots, self.points, self.going, self._stored)

    @property
    def living(self) -> list[Run]:
        """The runs that go on."""
        return [run for run, going in zip(self._runs, self.going, strict=False) if going]

    def row(self, run: Run) -> int:
        return next(at for at, other in enumerate(self._runs) if other is run)

    def root(self, run: Run) -> "Array":
        root: Array = self.roots[self.row(run)]
        return root

    def mark(self) -> None:
        """Mark a state from which the runs can continue: between two groups of steps."""
        self._snapshot = self._state, self.place, dict(self._stored), self._version, self._evaluated

    @property
    def is_marked(self) -> bool:
        """Whether there is a state to continue from: not before the first evaluation."""
        return self._snapshot is not None

    def memories(self) -> dict[int, dict[str, NDArray[Any]]]:
        """By row, all that a run needs to continue from the last mark."""
        import jax

        state, place, stored, newest, evaluated = self._snapshot
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(state)]
        query, iterate = map(np.asarray, place)
        points = {v: np.asarray(point) for v, point in self.points.items() if v <= newest}
        rows = {ticket: np.asarray(gradient) for ticket, gradient in stored.items()}
        none = np.zeros((0, query.shape[1]), query.dtype)
        memories = {}
        for at in map(self.row, self.living):
            memory = {f"state/{number}": leaf[at] for number, leaf in enumerate(leaves)}
            memory |= {"query": query[at], "iterate": iterate[at]}
            memory |= {"steps": np.array(newest), "evaluated": np.array(evaluated)}
            memory["versions"] = np.array(list(points), np.int64)
            memory["points"] = np.stack([point[at] for point in points.values()])
            memory["kept_tickets"] = np.array(list(rows), np.int64).reshape(-1, 3)
            memory["kept"] = np.stack([row[at] for row in rows.values()]) if rows else none
            memories[at] = memory
        return memories

    def remember(self, memories: Sequence[Memory]) -> None:
        """Restore the state of these memories: one for each run, all at one step."""
        import jax

        memory = {
            name: np.stack([memories[at][name] for at in self._order]) for name in memories[0]
        }
        leaves, structure = jax.tree.flatten(self._state)
        known = [memory[f"state/{at}"] for at in range(len(leaves))]
        self._state = jax.tree.unflatten(structure, known)
        self.place = Place(*(cast("Array", memory[name]) for name in Place._fields))
        self.points.clear()  # the ruler of episodes refers to this dictionary
        for at, version in enumerate(memory["versions"][0].tolist()):
            self.points[version] = cast("Array", memory["points"][:, at])
        for at, ticket in enumerate(memory["kept_tickets"][0].tolist()):
            self._stored[Ticket(*ticket)] = cast("Array", memory["kept"][:, at])
        self._version, self._evaluated = int(memory["steps"][0]), int(memory["evaluated"][0])
        for run in self.living:
            run.point = memory["iterate"][self.row(run)]

    def _select(self, chosen: "NDArray[np.intp]") -> None:
        """Keep these rows, and fill up with copies of the first of them."""
        import jax

        size = rows_for(len(chosen))
        order = np.concatenate([chosen, np.repeat(chosen[:1], size - len(chosen))])
        self._order = order
        self.going = np.arange(size) < len(chosen)
        """The rows of runs that have not ended."""
        arrays = self._numbers, self._state, self.place, self.points, self._stored
        self._numbers, self._state, self.place, self.points, self._stored = jax.tree.map(
            lambda rows: np.asarray(rows)[order], arrays
        )
        seeds = [run.seed for run in self._runs]
        seeds += seeds[:1] * (size - len(seeds))
        self.roots = jax.vmap(jax.random.key)(np.array(seeds, np.int64))


def lanes_of(
    runs: Sequence[Run],
    numbers: Mapping[str, Sequence[float]],
    learner: Learner,
    executor: Executor,
    ended: Callable[[Run], None],
) -> list[Lane]:
    lanes = []
    for start in range(0, len(runs), LONGEST):
        part = slice(start, start + LONGEST)
        own = {name: np.array(each[part], np.float64) for name, each in numbers.items()}
        lanes.append(Lane(runs[part], own, learner, executor, ended))
    return lanes


def rows_for(count: int) -> int:
    """The smallest size with room for ``count`` runs."""
    return next(size for size in ROWS if size >= count)
