"""What is the gradient of recorded steps?  Of all episodes at one point, or each at its own.

Steps are differentiated in blocks, and as many blocks as hold steps that were played: the whole is
one compiled function, however long the episodes were.  Steps that come from the host are cut into
``pieces`` of a few fixed sizes.
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
"""At most so many steps, of any episodes, in a backward block at one point."""
Record: TypeAlias = tuple[NDArray[Any], ...]
"""Arrays with a row for each step."""

SIZES = (64, 256)
"""Rows of a backward pass: as many of the largest as fit, and the rest in the next that does."""


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
    many = jnp.sum(paths.lengths, dtype=jnp.int32)
    records = [_flat(record) for record in (paths.observations, paths.choices, scales)]

    def add(number: Array, total: Array) -> Array:
        start = number * block
        rows = jax.lax.dynamic_slice_in_dim(order, start, block)
        observations, choices, scales = (record[rows] for record in records)
        scales = jnp.where(start + jnp.arange(block) < many, scales, 0)
        return total + score(policy, point, observations, choices, scales)

    blocks = (many + (block - 1)) // block
    total: Array = jax.lax.fori_loop(jnp.int32(0), blocks, add, jnp.zeros_like(point))
    return total


def each_at_its_own(policy: Policy, points: Array, paths: Paths, scales: Array) -> Array:
    """A gradient for each ticket at its own point, over the blocks of time that it played.

    The blocks go one after another.  Several at once are no quicker, and the last bits of a
    gradient would depend on the tickets beside it.
    """
    rows, blocks = len(points), len(scales) // BLOCK
    played = jnp.arange(blocks) * BLOCK < paths.lengths[:, None]
    (order,) = jnp.nonzero(played.reshape(-1), size=rows * blocks, fill_value=0)
    records = [
        jnp.moveaxis(record.reshape(blocks, BLOCK, *record.shape[1:]), 2, 0)
        for record in (paths.observations, paths.choices, scales)
    ]

    def add(number: Array, totals: Array) -> Array:
        row, block = order[number] // blocks, order[number] % blocks
        found = score(policy, points[row], *(record[row, block] for record in records))
        return totals.at[row].add(found)

    many = jnp.sum(played, dtype=jnp.int32)
    totals: Array = jax.lax.fori_loop(jnp.int32(0), many, add, jnp.zeros_like(points))
    return totals


def _flat(record: Array) -> Array:
    return record.reshape(-1, *record.shape[2:])


def pieces(records: Iterable[Record]) -> Iterator[Record]:
    """Their rows in a row, cut to the fixed sizes as they come, and padded with zeros."""
    held: list[Record] = []
    many, largest = 0, SIZES[-1]
    for record in records:
        held.append(record)
        many += len(record[0])
        while many >= largest:
            whole = _joined(held)
            yield tuple(part[:largest] for part in whole)
            held, many = [tuple(part[largest:] for part in whole)], many - largest
    if many:
        size = next(size for size in SIZES if size >= many)
        yield tuple(_padded(part, size) for part in _joined(held))


def _joined(records: list[Record]) -> Record:
    return tuple(np.concatenate(parts) for parts in zip(*records, strict=True))


def _padded(rows: NDArray[Any], size: int) -> NDArray[Any]:
    return np.pad(rows, [(0, size - len(rows))] + [(0, 0)] * (rows.ndim - 1))
