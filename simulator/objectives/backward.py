"""How are recorded steps differentiated?  All episodes at one point, or each at its own.

Steps are differentiated in blocks, and only blocks with played steps: one compiled function serves
episodes of any length.  Steps from the host are cut into ``pieces`` of a few fixed sizes.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from simulator.objectives.environments.rollout import Paths
from simulator.objectives.policies import Policy

BLOCK = 32
"""Steps in time of a backward block: short episodes cost little, and it still fills the cores."""
ROWS = 512
"""Most steps, of any episodes, in a backward block at one point."""
Record: TypeAlias = tuple[NDArray[Any], ...]
"""Arrays with a row for each step."""

SIZES = (64, 256)
"""Rows of a backward pass: passes of the largest size, and one of the size that fits the rest."""


def score(
    policy: Policy, point: Array, observations: Array, choices: Array, scales: Array
) -> Array:
    """The sum over steps of scale * grad log pi(choice | observation), in one backward pass."""

    def surrogate(point: Array) -> Array:
        return jnp.sum(scales * policy.log_density(point, observations, choices))

    gradient: Array = jax.grad(surrogate)(point)
    return gradient


def at_one_point(policy: Policy, point: Array, paths: Paths, scales: Array) -> Array:
    """The gradient at one point: episodes end early, so only played steps are gathered."""
    played = (jnp.arange(len(scales))[:, None] < paths.lengths).reshape(-1)
    block = min(ROWS, BLOCK * len(paths.lengths))
    room = -(-played.size // block) * block
    (order,) = jnp.nonzero(played, size=room, fill_value=0)
    count = jnp.sum(paths.lengths, dtype=jnp.int32)
    records = [
        record.reshape(-1, *record.shape[2:])
        for record in (paths.observations, paths.choices, scales)
    ]

    def add(number: Array, total: Array) -> Array:
        start = number * block
        rows = jax.lax.dynamic_slice_in_dim(order, start, block)
        observations, choices, scales = (record[rows] for record in records)
        scales = jnp.where(start + jnp.arange(block) < count, scales, 0)
        return total + score(policy, point, observations, choices, scales)

    blocks = (count + (block - 1)) // block
    total: Array = jax.lax.fori_loop(jnp.int32(0), blocks, add, jnp.zeros_like(point))
    return total


def each_at_its_own(policy: Policy, points: Array, paths: Paths, scales: Array) -> Array:
    """A gradient for each ticket at its own point, over the blocks of its episodes.

    The rows of one ticket's episodes are neighbours.  The blocks follow one another.  Several at
    once are no quicker, and would make the last bits of a gradient depend on the tickets beside it.
    """
    rows, blocks = len(paths.lengths), len(scales) // BLOCK
    episodes = rows // len(points)
    played = jnp.arange(blocks) * BLOCK < paths.lengths[:, None]
    (order,) = jnp.nonzero(played.reshape(-1), size=rows * blocks, fill_value=0)
    records = [
        jnp.moveaxis(record.reshape(blocks, BLOCK, *record.shape[1:]), 2, 0)
        for record in (paths.observations, paths.choices, scales)
    ]

    def add(number: Array, totals: Array) -> Array:
        row, block = order[number] // blocks, order[number] % blocks
        ticket = row // episodes
        gradient = score(policy, points[ticket], *(record[row, block] for record in records))
        return totals.at[ticket].add(gradient)

    count = jnp.sum(played, dtype=jnp.int32)
    totals: Array = jax.lax.fori_loop(jnp.int32(0), count, add, jnp.zeros_like(points))
    return totals


def pieces(records: Iterable[Record]) -> Iterator[Record]:
    """The rows of all records, cut to the fixed sizes as they come, the last padded with zeros."""
    held: list[Record] = []
    count, largest = 0, SIZES[-1]
    for record in records:
        held.append(record)
        count += len(record[0])
        while count >= largest:
            whole = _joined(held)
            yield tuple(part[:largest] for part in whole)
            held, count = [tuple(part[largest:] for part in whole)], count - largest
    if count:
        spare = next(size for size in SIZES if size >= count) - count
        yield tuple(
            np.pad(part, [(0, spare)] + [(0, 0)] * (part.ndim - 1)) for part in _joined(held)
        )


def _joined(records: list[Record]) -> Record:
    return tuple(np.concatenate(parts) for parts in zip(*records, strict=True))
