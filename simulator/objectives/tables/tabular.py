"""What may a scenario say of a policy in a finite Markov decision process?"""

from math import isqrt
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from simulator.objectives.constants import Constants
from simulator.objectives.costs import MODEL_STEP, Cost, of_model
from simulator.objectives.exact.mdps import Mdp, chain, garnet, generator, grid, of_workers
from simulator.objectives.exact.tabular_constants import constants_of
from simulator.objectives.objective import Size
from simulator.objectives.tables.discounted import DiscountedTable
from simulator.objectives.tables.types import Count

if TYPE_CHECKING:
    from simulator.objectives.exact.sampled import Sampled

LARGEST_TABLE = 2**27
"""Probabilities of all workers together: a gigabyte."""


class TabularTable(DiscountedTable):
    """The return of a tabular softmax policy in a finite MDP: value and gradient are exact."""

    kind: Literal["tabular"]
    mdp: Literal["garnet", "chain", "grid"] = "garnet"
    states: Annotated[int, Ge(2), Le(1000)] = 10
    actions: Annotated[int, Ge(2), Le(1000)] = 4
    branching: Count = Field(3, description="successors of a state and an action, of a garnet")
    heterogeneity: Annotated[float, Ge(0), Le(1)] = Field(
        0.0, description="how much of each worker's process is a garnet of its own"
    )

    def check(self, workers: int) -> None:
        """Raise a one-line ValueError where the numbers make no process."""
        garnets = self.mdp == "garnet" or self.heterogeneity
        if garnets and self.branching > self.states:
            remedy = f"at most states = {self.states}"
            raise ValueError(f"branching = {self.branching}: {remedy}")
        if self.mdp == "grid" and isqrt(self.states) ** 2 != self.states:
            near = isqrt(self.states)
            remedy = f"a grid is square: {near**2} or {(near + 1) ** 2}"
            raise ValueError(f"states = {self.states}: {remedy}")
        if self.mdp == "grid" and self.actions != 4:
            raise ValueError(f"actions = {self.actions}: a grid has 4, one for each direction")
        self._check_memory(workers if self.heterogeneity else 1)

    def _check_memory(self, processes: int) -> None:
        numbers = processes * self.states**2 * self.actions
        if numbers > LARGEST_TABLE:
            reason = f"{processes} x {self.states} x {self.actions} x {self.states} probabilities"
            raise ValueError(f"states = {self.states}: {reason} are more than {LARGEST_TABLE}")

    def size(self, workers: int) -> Size:
        """Of a point."""
        return Size(self.states * self.actions, np.dtype(self.dtype).itemsize)

    def cost(self, size: Size, workers: int, episodes: int) -> Cost:
        processes = workers if self.heterogeneity else 1
        table = 8.0 * processes * self.states**2 * self.actions
        return of_model(size, self.steps() * MODEL_STEP, 3 * table)

    def constants(self, workers: int) -> Constants:
        """What theory needs to know, from the bounds of ``tabular_constants``."""
        mdp = self._mdp(workers)
        return constants_of(mdp, discount=self.discount, horizon=self.steps())

    def build(self, workers: int) -> "Sampled":
        from simulator.objectives.exact.sampled import Sampled
        from simulator.objectives.exact.tabular import Tabular

        mdp = self._mdp(workers)
        return Sampled(Tabular(mdp, discount=self.discount, horizon=self.steps()))

    def _mdp(self, workers: int) -> Mdp:
        self.check(workers)
        seed, branching = self.problem_seed, self.branching
        return of_workers(self._common(), self.heterogeneity, workers, seed, branching)

    def _common(self) -> Mdp:
        if self.mdp == "chain":
            return chain(self.states, self.actions)
        if self.mdp == "grid":
            return grid(self.states)
        random = generator(self.problem_seed, 0)
        return garnet(random, self.states, self.actions, self.branching)
