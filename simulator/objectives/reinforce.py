"""How much does each step of an episode count?  (arXiv 2509.24305, section 2)

A ticket is K episodes, and its gradient is their mean

    g = (1/K) sum_k sum_t (G_k(t) - b_k(t)) grad log pi(a_t | s_t)

G_k(t) is the return to go: the discounted rewards of episode k from step t on.  The baseline b_k(t)
is 0, or the mean of G_j(t) over the ticket's other episodes, which is 0 after their end.  It does
not depend on episode k, so it changes no expectation.  A gradient stays a function of its point and
its ticket.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Baseline: TypeAlias = Literal["none", "leave-one-out"]
Discounting: TypeAlias = Literal["from-start", "from-action"]
"""Whether reward h is multiplied by discount^h, or by discount^(h - t) for the action of step t."""
LONELY = "compares a gradient's episodes with each other: set episodes = 2 or more"


@dataclass(frozen=True, kw_only=True)
class Reinforce:
    """The settings of the estimator; ``episodes`` is K."""

    discount: float = 0.99
    episodes: int = 1
    baseline: Baseline = "none"
    discounting: Discounting = "from-start"

    def __post_init__(self) -> None:
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount = {self.discount}: must be above 0 and at most 1")
        if self.episodes < 1:
            raise ValueError(f"episodes = {self.episodes}: must be at least 1")
        if self.compares and self.episodes == 1:
            raise ValueError(f"baseline = {self.baseline!r}: {LONELY}")

    @property
    def compares(self) -> bool:
        return self.baseline == "leave-one-out"

    def discounts(self, steps: int, dtype: str) -> NDArray[Any]:
        """The factor of each reward, counted from the start."""
        return (self.discount ** np.arange(steps)).astype(dtype)

    def against_others(self, to_go: Any) -> Any:
        """Returns to go (…, K) less the mean of the others, in NumPy or JAX."""
        others = to_go.sum(axis=-1, keepdims=True) - to_go
        return to_go - others / (self.episodes - 1)

    def on_host(
        self, rewards: Sequence[NDArray[Any]], discounts: NDArray[Any]
    ) -> list[NDArray[Any]]:
        """The scales of the steps of one ticket's episodes, without 1/K."""
        to_go = [self._to_go(each, discounts) for each in rewards]
        if not self.compares:
            return to_go
        table = np.zeros((max(map(len, to_go)), len(to_go)), discounts.dtype)
        for row, each in enumerate(to_go):
            table[: len(each), row] = each
        scales = self.against_others(table)
        return [scales[: len(each), row] for row, each in enumerate(to_go)]

    def _to_go(self, rewards: NDArray[Any], discounts: NDArray[Any]) -> NDArray[Any]:
        if self.discounting == "from-start":
            discounted = rewards.astype(discounts.dtype) * discounts[: len(rewards)]
            return np.cumsum(discounted[::-1])[::-1]
        backwards = accumulate(
            reversed(rewards.tolist()), lambda later, reward: reward + self.discount * later
        )
        return np.array([*backwards], discounts.dtype)[::-1]

    def by_hand(self, rewards: Sequence[Sequence[float]]) -> list[list[float]]:
        """The same scales by their definition, without a recursion: the oracle of the fast ways."""
        to_go = [[self._sum(each, t) for t in range(len(each))] for each in rewards]
        if not self.compares:
            return to_go
        return [
            [own - _mean_at(t, to_go[:k] + to_go[k + 1 :]) for t, own in enumerate(each)]
            for k, each in enumerate(to_go)
        ]

    def _sum(self, rewards: Sequence[float], t: int) -> float:
        begin = 0 if self.discounting == "from-start" else t
        return sum(self.discount ** (h - begin) * rewards[h] for h in range(t, len(rewards)))


def _mean_at(t: int, to_go: Sequence[Sequence[float]]) -> float:
    return sum(each[t] for each in to_go if t < len(each)) / len(to_go)
