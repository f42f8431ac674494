"""What must the table of an objective say, and what may it leave out?

Theory's step lengths and batches, and its predictions, are made of four numbers of an objective.
Few problems know all of them exactly, so each says what it is: ``exact``, a ``bound`` that holds on
the whole space (or on the set it names), or an ``estimate`` that nothing guarantees.
"""

from abc import abstractmethod
from collections.abc import Mapping
from math import ceil, log
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field

from simulator.objectives.costs import Cost, of_model
from simulator.objectives.objective import Direction, Objective, Size
from simulator.table import Table

Count: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Share: TypeAlias = Annotated[float, Gt(0), Le(1)]
Status: TypeAlias = Literal["exact", "bound", "estimate"]


class Constant(NamedTuple):
    """A number, how well it is known, and in a few words why."""

    value: float
    status: Status
    reason: str = ""


class Constants(NamedTuple):
    """Of J, the mean over workers, from its initial point.

    ``smoothness`` (L_g) and ``hessian_smoothness`` (L_h) are Lipschitz constants of the gradient
    and the Hessian; ``deviation`` (sigma): E|g - grad J_i|^2 <= sigma^2 for one gradient of any
    worker; ``gap`` (Delta): how far J lies below its maximum at the start.
    """

    smoothness: Constant
    hessian_smoothness: Constant
    deviation: Constant
    gap: Constant


class ObjectiveTable(Table):
    """What a scenario says of its objective; a column ``kind`` names it."""

    kind: str

    metrics: ClassVar[Mapping[str, Direction]]
    """What is measured, and which way is better; the first is the usual target."""
    plays: ClassVar[bool] = False
    """Whether a ticket takes environment steps; then what is built has ``episodes``."""
    exact: ClassVar[bool] = False
    """Whether J, its gradient and its constants are known; then what is built has ``exact``."""

    @property
    def local(self) -> bool:
        """Whether a worker can take several steps of its own; then what is built has ``local``."""
        return False

    @property
    def episode_steps(self) -> float:
        """How many environment steps a gradient is expected to take."""
        return 1.0

    def check(self, workers: int) -> None:
        """Raise a one-line ValueError for what the types of the columns cannot refuse."""

    @abstractmethod
    def size(self, workers: int) -> Size:
        """Of a point, without JAX."""

    @abstractmethod
    def build(self, workers: int) -> Objective:
        """The objective itself; this imports JAX."""

    def constants(self, workers: int) -> Constants:
        """What theory needs to know, of an exact one."""
        raise NotImplementedError

    def cost(self, size: Size, workers: int, episodes: int) -> Cost:
        """What numbers cost this machine, where an evaluation takes so many episodes."""
        return of_model(size)


class ExactTable(ObjectiveTable):
    """What ``Sampled`` makes an objective of: exact, and open to steps of the workers' own."""

    exact: ClassVar[bool] = True

    @property
    def local(self) -> bool:
        return True


class DiscountedTable(ExactTable):
    """A process that ``problem_seed`` draws, and trajectories of it that end."""

    discount: Annotated[float, Gt(0), Le(0.9999)] = 0.9
    horizon: Count | None = Field(
        default=None,
        description="steps of a trajectory; by default so many that discount^horizon <= 1e-4",
    )
    problem_seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    dtype: Literal["float64"] = "float64"

    metrics: ClassVar[Mapping[str, Direction]] = {"value": "higher", "gradient_norm": "lower"}

    def steps(self) -> int:
        """Of a trajectory."""
        return self.horizon or ceil(log(1e-4) / log(self.discount))
