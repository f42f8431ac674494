"""How are the gradients of many episodes computed, where the environment runs on the host?

Episodes are played one by one in numpy; all their steps then go through compiled backward
passes of a few fixed sizes, so no batch, however long its episodes, compiles anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments import host
from simulator.objectives.environments.host import Episode
from simulator.objectives.environments.variation import ALIKE, Variation
from simulator.objectives.estimator import (
    episode_keys,
    evaluation_keys,
    score,
    start_and_noise,
)
from simulator.objectives.policies import Trunk, policy_for
from simulator.objectives.standard import Standard
from simulator.objectives.twin import plain_gradient

if TYPE_CHECKING:
    from jax import Array

Drawn: TypeAlias = tuple[NDArray[np.uint32], NDArray[Any]]
"""For each row, the seed of its first state and its policy's noise."""
SIZES = (64, 256, 1024)
"""Rows of a backward pass: as many of the largest as fit, and the rest in the next that does."""


class Hosted:
    """Episodes of one gymnasium environment and one policy architecture."""

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        hidden: Sequence[int],
        horizon: int,
        discount: float,
        dtype: str,
        trunk: Trunk = "shared",
        standard: Standard | None = None,
        variations: Sequence[Variation] = ALIKE,
    ) -> None:
        self.discount, self.discounts = discount, (discount ** np.arange(horizon)).astype(dtype)
        self.environment = host.open_environment(name, options, horizon)
        size, actions = host.spaces_of(self.environment, name)
        self.variations = tuple(variations)
        size += self.variations[0].flag is not None
        self.policy = policy_for(size, actions, hidden, trunk, standard)
        self._score = jax.jit(partial(score, self.policy))
        self._draw = jax.jit(self._seeds_and_noise)
        self._ticket_keys = jax.jit(episode_keys)
        self._evaluation_keys = jax.jit(evaluation_keys, static_argnums=2)

    def gradient(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        scales, used = self._used(weights)
        drawn = self._drawn(self._ticket_keys(root, tickets))
        episodes = self._episodes(np.asarray(point), drawn, used)
        total = self._backward(point, episodes, scales[used])
        return total, jnp.int32(sum(len(episode.rewards) for episode in episodes))

    def gradients(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        scales, used = self._used(weights)
        drawn = self._drawn(self._ticket_keys(root, tickets))
        totals = [jnp.zeros_like(points[0])] * len(scales)
        lengths = np.zeros(len(scales), np.int32)
        for row in used:
            episodes = self._episodes(np.asarray(points[row]), drawn, [row])
            totals[row] = self._backward(points[row], episodes, scales[[row]])
            lengths[row] = len(episodes[0].rewards)
        return jnp.stack(totals), jnp.asarray(lengths)

    def lengths(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "Array":
        _, used = self._used(weights)
        drawn, each = self._drawn(self._ticket_keys(root, tickets)), np.asarray(points)
        lengths = np.zeros(len(each), np.int32)
        for row in used:
            (episode,) = self._episodes(each[row], drawn, [row])
            lengths[row] = len(episode.rewards)
        return jnp.asarray(lengths)

    def play(
        self, root: "Array", step: "Array", point: "Array", *, episodes: int
    ) -> "tuple[Array, Array]":
        drawn = self._drawn(self._evaluation_keys(root, step, episodes))
        played = self._episodes(np.asarray(point), drawn, range(episodes))
        totals = [episode.rewards.sum() for episode in played]
        lengths = [len(episode.rewards) for episode in played]
        return jnp.asarray(totals, self.discounts.dtype), jnp.asarray(lengths, jnp.int32)

    def observations(self, root: "Array", episodes: int) -> NDArray[Any]:
        """All that is seen while the neutral policy plays: a zero vector's outputs are all 0."""
        neutral = np.zeros(self.policy.dimension, self.discounts.dtype)
        drawn = self._drawn(self._evaluation_keys(root, jnp.int32(0), episodes))
        played = self._episodes(neutral, drawn, range(episodes))
        return np.concatenate([episode.observations for episode in played])

    def sample(self, root: "Array", point: "Array", ticket: "Array") -> "tuple[Array, int]":
        drawn = self._drawn(episode_keys(root, ticket[None]))
        (episode,) = self._episodes(np.asarray(point), drawn, [0])
        gradient = plain_gradient(self.policy, point, *episode, discount=self.discount)
        return gradient, len(episode.rewards)

    def _used(self, weights: "Array") -> tuple[NDArray[Any], NDArray[Any]]:
        scales = np.asarray(weights, self.discounts.dtype)
        return scales, np.flatnonzero(scales)

    def _drawn(self, keys: "Array") -> Drawn:
        seeds, noise = self._draw(keys)
        return np.asarray(seeds), np.asarray(noise)

    def _episodes(self, point: NDArray[Any], drawn: Drawn, rows: Iterable[int]) -> list[Episode]:
        seeds, noise = drawn
        return [
            host.rollout(self.environment, self.policy, point, noise[row], int(seeds[row]))
            for row in rows
        ]

    def _seeds_and_noise(self, keys: "Array") -> "tuple[Array, Array]":
        steps, dtype = len(self.discounts), self.discounts.dtype
        draw = partial(start_and_noise, self.policy, steps=steps, dtype=dtype)
        starts, noise = jax.vmap(draw)(keys)
        return jax.vmap(partial(jax.random.bits, dtype=jnp.uint32))(starts), noise

    def _backward(self, point: "Array", episodes: list[Episode], weights: Any) -> "Array":
        """One flat weighted pass over all steps, in pieces of the fixed sizes."""
        total = jnp.zeros_like(point)
        if not episodes:
            return total
        to_go = [self._to_go(episode.rewards) for episode in episodes]
        scales = [weight * tail for weight, tail in zip(weights, to_go, strict=True)]
        observations = np.concatenate([episode.observations for episode in episodes])
        choices = np.concatenate([episode.choices for episode in episodes])
        for piece in pieces([observations, choices, np.concatenate(scales)]):
            total += self._score(point, *piece)
        return total

    def _to_go(self, rewards: NDArray[Any]) -> NDArray[Any]:
        discounted = rewards.astype(self.discounts.dtype) * self.discounts[: len(rewards)]
        return np.cumsum(discounted[::-1])[::-1]


def pieces(records: list[NDArray[Any]]) -> list[list[NDArray[Any]]]:
    """The same rows of every record, cut to the fixed sizes and padded with zeros."""
    parts, start, rows = [], 0, len(records[0])
    while start < rows:
        size = next((size for size in SIZES if size >= rows - start), SIZES[-1])
        parts.append([_padded(record[start : start + size], size) for record in records])
        start += size
    return parts


def _padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    return np.pad(rows, [(0, size - len(rows))] + [(0, 0)] * (rows.ndim - 1))
