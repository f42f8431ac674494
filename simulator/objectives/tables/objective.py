"""Which members must the table of an objective have?

Theory's step lengths, batches and predictions depend on four numbers of an objective.  Few problems
know all of them exactly, so each has a status: ``exact``, a ``bound`` that holds on the whole space
(or on the set it names), or an ``estimate`` without a guarantee.
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
    """A number, its status, and the reason in a few words."""

    value: float
    status: Status
    reason: str = ""


class Constants(NamedTuple):
    """Constants of J, the mean over workers.

    ``smoothness`` (L_g) and ``hessian_smoothness`` (L_h) are Lipschitz constants of the gradient
    and the Hessian; ``deviation`` (sigma): E|g - grad J_i|^2 <= sigma^2 for one gradient of any
    worker; ``gap`` (Delta): the maximum of J minus J at the initial point.
    """

    smoothness: Constant
    hessian_smoothness: Constant
    deviation: Constant
    gap: Constant


class ObjectiveTable(Table):
    """The settings of an objective in a scenario; a column ``kind`` names it."""

    kind: str

    metrics: ClassVar[Mapping[str, Direction]]
    """The metrics of an evaluation, and which way is better; the first is the usual target."""
    plays: ClassVar[bool] = False
    """Whether a ticket takes environment steps; then the objective has ``episodes``."""
    exact: ClassVar[bool] = False
    """Whether J, its gradient and its constants are known; then the objective has ``exact``."""

    @property
    def local(self) -> bool:
        """Whether a worker can take several steps of its own; then the objective has ``local``."""
        return False

    @property
    def alike(self) -> bool:
        """Whether all workers have the same objective."""
        return True

    @property
    def decides(self) -> bool:
        """Whether samples are decisions of a policy, which may change in the midst of them."""
        return False

    @property
    def episode_steps(self) -> float:
        """Expected environment steps of a gradient."""
        return 1.0

    def check(self, workers: int) -> None:
        """Raise a one-line ValueError for mistakes that the types of the columns allow."""

    @abstractmethod
    def size(self, workers: int) -> Size:
        """The size of a point, without JAX."""

    @abstractmethod
    def build(self, workers: int) -> Objective:
        """The objective itself; this imports JAX."""

    def constants(self, workers: int) -> Constants:
        """The constants of an exact objective for theory."""
        raise NotImplementedError

    def cost(self, size: Size, workers: int, episodes: int) -> Cost:
        """Seconds and bytes on this machine, with ``episodes`` in an evaluation."""
        return of_model(size)


class ExactTable(ObjectiveTable):
    """An objective of ``Sampled``: exact, and open to steps of the workers' own."""

    exact: ClassVar[bool] = True

    @property
    def local(self) -> bool:
        return True


class DiscountedTable(ExactTable):
    """A process that ``problem_seed`` draws, with trajectories of ``horizon`` steps."""

    discount: Annotated[float, Gt(0), Le(0.9999)] = 0.9
    horizon: Count | None = Field(
        default=None,
        description="steps of a trajectory; by default the first with discount^horizon <= 1e-4",
    )
    problem_seed: Annotated[int, Ge(0), Lt(2**32)] = 0
    dtype: Literal["float64"] = "float64"

    metrics: ClassVar[Mapping[str, Direction]] = {"value": "higher", "gradient_norm": "lower"}

    @property
    def decides(self) -> bool:
        return True

    def steps(self) -> int:
        """The steps of a trajectory."""
        return self.horizon or ceil(log(1e-4) / log(self.discount))
