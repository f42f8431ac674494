"""How are the recorded steps of tickets from the host differentiated?  In pieces of fixed sizes."""

from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from numpy.typing import NDArray

from simulator.objectives.backward import Record, pieces, score
from simulator.objectives.environments.playing.episode import Episode
from simulator.objectives.policies import Policy
from simulator.objectives.reinforce import Reinforce


class HostGradient:
    """The weighted gradient of tickets at one point; ``discounts`` of every possible step."""

    def __init__(self, policy: Policy, estimator: Reinforce, discounts: NDArray[Any]) -> None:
        self._policy, self._estimator, self._discounts = policy, estimator, discounts
        self._add = jax.jit(self._with_score, donate_argnums=0)

    def __call__(
        self, point: Array, tickets: Iterable[tuple[list[Episode], Any]]
    ) -> tuple[Array, int]:
        """The gradient from each ticket's episodes and weight, and the number of steps."""
        total, steps = jnp.zeros_like(point), 0

        def records() -> Iterator[Record]:
            nonlocal steps
            for episodes, weight in tickets:
                rewards, share = [episode.rewards for episode in episodes], weight / len(episodes)
                each = self._estimator.on_host(rewards, self._discounts)
                for episode, scales in zip(episodes, each, strict=True):
                    steps += len(scales)
                    yield episode.observations, episode.choices, share * scales

        for piece in pieces(records()):
            total = self._add(total, point, *piece)
        return total, steps

    def _with_score(self, total: Array, *arguments: Array) -> Array:
        return total + score(self._policy, *arguments)
