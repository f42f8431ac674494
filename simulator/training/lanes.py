"""How do several runs take the same steps at once?  As rows of the same arrays.

A lane holds runs of one method and one schedule that differ in their seeds, and in the numbers of
their rule.  A run that has ended leaves its row empty.  When fewer rows would do, the others close
up.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.mistakes import printable
from simulator.schedule import Step
from simulator.training.executor import Abreast, Evaluated, Executor, Kept
from simulator.training.learner import Learner, Numbers, Place
from simulator.training.record import End, Memory, Run

if TYPE_CHECKING:
    from jax import Array

ROWS = (1, 2, 4, 8, 12)
"""A lane has so many rows, so that few sizes are ever compiled; longer lanes are no faster."""
LONGEST = ROWS[-1]


class Turn(NamedTuple):
    """A server step that has been computed: its gradient, and where it led; a row for each run."""

    step: Step
    gradient: NDArray[Any]
    environment_steps: NDArray[Any]
    query: NDArray[Any]
    iterate: NDArray[Any]

    def is_finite(self, row: int) -> bool:
        """Whether this run is at a point."""
        return bool(np.isfinite(self.query[row]).all() and np.isfinite(self.iterate[row]).all())


class Lane:
    """Runs, and where each of them is."""

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
        self._kept: Kept = {}
        self._state: Any = ()
        self._computing: list[tuple[Step, Evaluated, Place]] = []
        self._version = self._evaluated = 0
        self.group: Sequence[Step] = ()
        """The newest steps that it was to compute."""
        self.place: Any = ()
        """Where the runs are now."""
        self.points: dict[int, Array] = {}
        """Where gradients are taken, by version, a row for each run."""
        self._snapshot: Any = None
        self._lay(np.arange(len(runs)))

    # What happens to its runs

    def start(self, initial: "Callable[[Array], Array]") -> None:
        """Begin, each run at the initial point of its root."""
        each = [np.asarray(initial(root)) for root in self.roots[: len(self._runs)]]
        padded = cast("Array", np.stack([each[at] for at in self._order]))
        self._state, self.place = self._learner.start(self._numbers, padded)
        self.points[0] = self.place.query
        for run in self.living:
            run.point = np.asarray(self.place.iterate)[self.row(run)]

    def compute(self, steps: Sequence[Step]) -> None:
        """Begin to compute these steps; JAX goes on with that while Python returns."""
        self.group = steps
        values = self.executor.evaluate(self.abreast, steps)
        self._state, places = self._learner.advance(self._numbers, self._state, values, steps)
        for step, place in zip(steps, places, strict=True):
            self.points[step.number] = place.query
        self.place, self._version = places[-1], steps[-1].number
        self._evaluated += sum(len(step.fresh) for step in steps)
        self._computing = list(zip(steps, values, places, strict=True))

    def computed(self) -> list[Turn]:
        """Wait for the steps that were begun last, and hand them out once."""
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
        """Write down one step of every run that goes on."""
        for run in self.living:
            row = self.row(run)
            run.point = turn.iterate[row]
            run.close(turn.step, int(turn.environment_steps[row]))

    def end(self, run: Run, end: End, message: str = "") -> None:
        """This run has ended."""
        run.end, run.message, run.evaluated = end, printable(message), self._evaluated
        self.going[self.row(run)] = False
        self._ended(run)

    def forget(self, versions: Collection[int]) -> None:
        """No gradient will be taken at these points again."""
        for version in versions:
            del self.points[version]

    def close_up(self) -> None:
        """Give up rows that no run needs."""
        going = np.flatnonzero(self.going)
        if len(going) and rows_for(len(going)) < len(self.going):
            self._runs = [self._runs[at] for at in going]
            self._lay(going)

    # What it is asked

    @property
    def abreast(self) -> Abreast:
        """Its runs as an executor knows them."""
        return Abreast(self.roots, self.points, self.going, self._kept)

    @property
    def living(self) -> list[Run]:
        """The runs that go on."""
        return [run for run, going in zip(self._runs, self.going, strict=False) if going]

    def row(self, run: Run) -> int:
        return next(at for at, other in enumerate(self._runs) if other is run)

    def root(self, run: Run) -> "Array":
        root: Array = self.roots[self.row(run)]
        return root

    # How it survives

    def mark(self) -> None:
        """From here it could go on: between two groups of steps."""
        self._snapshot = self._state, self.place, dict(self._kept), self._version, self._evaluated

    def memories(self) -> dict[int, dict[str, NDArray[Any]]]:
        """Of each run, by its row, all that it needs to go on from the last mark."""
        import jax

        state, place, kept, newest, evaluated = self._snapshot
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(state)]
        query, iterate = map(np.asarray, place)
        points = {v: np.asarray(point) for v, point in self.points.items() if v <= newest}
        rows = {ticket: np.asarray(gradient) for ticket, gradient in kept.items()}
        none = np.zeros((0, query.shape[1]), query.dtype)
        found = {}
        for at in map(self.row, self.living):
            memory = {f"state/{number}": leaf[at] for number, leaf in enumerate(leaves)}
            memory |= {"query": query[at], "iterate": iterate[at]}
            memory |= {"steps": np.array(newest), "evaluated": np.array(evaluated)}
            memory["versions"] = np.array(list(points), np.int64)
            memory["points"] = np.stack([point[at] for point in points.values()])
            memory["kept_tickets"] = np.array(list(rows), np.int64).reshape(-1, 3)
            memory["kept"] = np.stack([row[at] for row in rows.values()]) if rows else none
            found[at] = memory
        return found

    def remember(self, memories: Sequence[Memory]) -> None:
        """Go back to where these memories were taken: one for each run, all at one step."""
        import jax

        memory = {
            name: np.stack([memories[at][name] for at in self._order]) for name in memories[0]
        }
        leaves, structure = jax.tree.flatten(self._state)
        known = [memory[f"state/{at}"] for at in range(len(leaves))]
        self._state = jax.tree.unflatten(structure, known)
        self.place = Place(*(cast("Array", memory[name]) for name in Place._fields))
        self.points.clear()  # where episodes are measured, this very dictionary is known
        for at, version in enumerate(memory["versions"][0].tolist()):
            self.points[version] = cast("Array", memory["points"][:, at])
        for at, ticket in enumerate(memory["kept_tickets"][0].tolist()):
            self._kept[Ticket(*ticket)] = cast("Array", memory["kept"][:, at])
        self._version, self._evaluated = int(memory["steps"][0]), int(memory["evaluated"][0])
        for run in self.living:
            run.point = memory["iterate"][self.row(run)]

    def _lay(self, chosen: "NDArray[np.intp]") -> None:
        """Keep these rows, and fill up with copies of the first of them."""
        import jax

        size = rows_for(len(chosen))
        order = np.concatenate([chosen, np.repeat(chosen[:1], size - len(chosen))])
        self._order = order
        self.going = np.arange(size) < len(chosen)
        """Which rows are runs that have not ended."""
        laid: Mapping[str, Any] = jax.tree.map(
            lambda rows: np.asarray(rows)[order],
            {
                "numbers": self._numbers,
                "state": self._state,
                "place": self.place,
                "points": self.points,
                "kept": self._kept,
            },
        )
        self._numbers, self._state, self.place = laid["numbers"], laid["state"], laid["place"]
        self.points, self._kept = laid["points"], laid["kept"]
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
    """All runs, as many to a lane as are any faster."""
    lanes = []
    for start in range(0, len(runs), LONGEST):
        part = slice(start, start + LONGEST)
        own = {name: np.array(each[part], np.float64) for name, each in numbers.items()}
        lanes.append(Lane(runs[part], own, learner, executor, ended))
    return lanes


def rows_for(count: int) -> int:
    """The fewest rows that hold so many runs."""
    return next(size for size in ROWS if size >= count)
