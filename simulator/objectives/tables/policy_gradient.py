"""Which settings does a policy in an environment have in a scenario?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from annotated_types import Ge, Le, Len
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from simulator.objectives.costs import PLAYED, Cost, of_episodes
from simulator.objectives.environments.catalogue import OWN, located
from simulator.objectives.environments.variation import (
    ALIKE,
    FARTHEST_TARGET,
    Variation,
    policy_spaces,
)
from simulator.objectives.environments.wrappers import Wrapper, wrappers_of
from simulator.objectives.objective import Direction, Objective, Size
from simulator.objectives.policies import Policy
from simulator.objectives.reinforce import Baseline, Discounting, Reinforce
from simulator.objectives.tables.objective import Count, ObjectiveTable, Share
from simulator.objectives.tables.policy import AnyPolicy, PerceptronTable
from simulator.table import Table

if TYPE_CHECKING:
    from simulator.objectives.batched import Batched
    from simulator.objectives.hosted import Hosted

Pair: TypeAlias = Annotated[list[float], Len(2, 2)]


class TargetTable(Table):
    """The region of Reacher's targets."""

    radius: Pair = Field(
        default=[0.0, FARTHEST_TARGET], description="metres from the arm's shoulder"
    )
    angle: Pair = Field(default=[0.0, 360.0], description="degrees")

    @model_validator(mode="after")
    def _from_to(self) -> Self:
        (near, far), (begin, end) = self.radius, self.angle
        _demand(near <= far, "radius", _in_order(near, far))
        _demand(begin <= end, "angle", _in_order(begin, end))
        reach = f"must be from 0 to {FARTHEST_TARGET:g} metres, within the arm's reach"
        _demand(near >= 0 and far <= FARTHEST_TARGET, "radius", reach)
        _demand(begin >= -360 and end <= 360, "angle", "must be from -360 to 360 degrees")
        return self


def _in_order(begin: float, end: float) -> str:
    return f"must be from the smaller to the larger, such as [{end:g}, {begin:g}]"


def _demand(good: bool, key: str, message: str) -> None:
    if not good:
        raise PydanticCustomError("not_known", "{message}", {"key": key, "message": message})


class WorkerTable(Table):
    """The differences of one worker's environment."""

    options: dict[str, Any] = Field(default={}, description="its own environment_options")
    sign: Literal[1, -1] = Field(default=1, description="a factor of its observations")
    flag: Annotated[float, Ge(-1e6), Le(1e6)] | None = Field(
        default=None, description="a number that follows its observations"
    )
    mass: Annotated[float, Ge(1e-3), Le(1e3)] = Field(
        default=1.0, description="of a MuJoCo model: times as heavy"
    )
    gravity: Annotated[float, Ge(0), Le(1e3)] = Field(
        default=1.0, description="of one: times as strong"
    )
    target: TargetTable | None = Field(default=None, description="of Reacher: where targets lie")


class PolicyGradientTable(ObjectiveTable):
    """The return of a policy in an environment, by REINFORCE on real trajectories."""

    kind: Literal["policy-gradient"] = "policy-gradient"
    environment: str = Field(description="a gymnasium id; CartPole-v1 and Pendulum-v1 are ours")
    environment_options: dict[str, Any] = Field(default={}, description="its keyword arguments")
    wrappers: list[str | dict[str, Any]] = Field(
        default=[], description="of gymnasium, by class name, or of plug-ins; the innermost first"
    )
    policy: AnyPolicy = PerceptronTable()
    horizon: Count = Field(default=200, description="steps of an episode at most")
    discount: Share = 0.99
    episodes: Count = Field(default=1, description="episodes of a gradient")
    baseline: Baseline = Field(
        default="none", description="what is subtracted from the returns to go"
    )
    discounting: Discounting = Field(
        default="from-start", description="discount^h for reward h, or discount^(h - t)"
    )
    dtype: Literal["float32", "float64"] = "float32"

    workers: list[WorkerTable] = Field(
        default=[], description="one for each worker, where their environments differ"
    )

    metrics: ClassVar[Mapping[str, Direction]] = {"return": "higher"}
    plays: ClassVar[bool] = True

    @property
    def local(self) -> bool:
        return self.environment in OWN

    @property
    def decides(self) -> bool:
        return self.local

    @property
    def episode_steps(self) -> float:
        return self.episodes * max(1.0, PLAYED * self.horizon)

    @property
    def alike(self) -> bool:
        return not self.workers

    def check(self, workers: int) -> None:
        """Raise a one-line ValueError without such an environment, or a policy for it.

        Also for a baseline without other episodes.
        """
        self._estimator()
        self._policy(workers)

    def size(self, workers: int) -> Size:
        return Size(self._policy(workers).dimension, np.dtype(self.dtype).itemsize)

    def cost(self, size: Size, workers: int, episodes: int) -> Cost:
        own, width = self.environment in OWN, self.policy.width
        one = of_episodes(self.environment, own, self.horizon, width, size, episodes)
        return one.of_several(self.episodes)

    @property
    def variations(self) -> tuple[Variation, ...]:
        """Those of all workers, or one for all."""
        wrappers = self._wrappers()
        each = tuple(Variation.of(worker.model_dump()) for worker in self.workers) or ALIKE
        return tuple(replace(one, wrappers=wrappers) for one in each) if wrappers else each

    @property
    def gymnasium_id(self) -> str:
        """The environment's id, with the module of the plug-in that registers it."""
        return located(self.environment)

    def _wrappers(self) -> tuple[Wrapper, ...]:
        if self.wrappers and self.environment in OWN:
            remedy = f"name 'gymnasium:{self.environment}', which runs on the host"
            raise ValueError(f"wrappers: {self.environment} runs in JAX, without them; {remedy}")
        return wrappers_of(self.wrappers)

    def _policy(self, workers: int) -> Policy:
        if self.workers and len(self.workers) != workers:
            raise ValueError(
                f"workers has {len(self.workers)} entries: must be one per worker of the cluster, "
                f"{workers}, or none where all are alike"
            )
        size, actions = policy_spaces(self.gymnasium_id, self.environment_options, self.variations)
        return self.policy.maker()(size, actions, None)

    def _estimator(self) -> Reinforce:
        return Reinforce(
            discount=self.discount,
            episodes=self.episodes,
            baseline=self.baseline,
            discounting=self.discounting,
        )

    def build(self, workers: int) -> Objective:
        return self._build()

    def build_policy(self, workers: int) -> Policy:
        """The objective's policy.  JAX is needed only to measure standardised observations."""
        raw = self.policy.observations == "raw"
        return self._policy(workers) if raw else self._build().policy

    def _build(self) -> "Batched | Hosted":
        from simulator.objectives.policy_gradient import policy_gradient

        return policy_gradient(
            self.gymnasium_id,
            environment_options=self.environment_options,
            policy=self.policy.maker(),
            horizon=self.horizon,
            estimator=self._estimator(),
            dtype=self.dtype,
            observations=self.policy.observations,
            variations=self.variations,
        )
