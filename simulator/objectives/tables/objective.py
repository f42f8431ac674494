"""What must the table of an objective say, and what may it leave out?"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from simulator.objectives.constants import Constants
from simulator.objectives.costs import Cost, of_model
from simulator.objectives.objective import Direction, Objective, Size
from simulator.table import Table


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
