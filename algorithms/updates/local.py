"""The server's part of local steps; the workers' part is in ``algorithms/local.py``."""

from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias

from annotated_types import Ge, Le

from algorithms.local import Work, ascent, hessian_aided, mean_of, pack, progress, variance_reduced
from algorithms.updates.normalised import nigt
from algorithms.updates.rule import Length, Rule, Weight, sgd

if TYPE_CHECKING:
    from jax import Array

LocalSteps: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]


def fedbuff(step: Length, local_step: Length, local_steps: LocalSteps = 1) -> Rule:
    """FedBuff's server: theta + step * (the weighted sum of the clients' progress)."""
    return sgd(step)._replace(work=ascent(local_steps, local_step))


def local_nigt(
    step: Length, momentum: Weight, local_step: Length, local_steps: LocalSteps = 1
) -> Rule:
    """A normalised momentum step along the clients' progress."""
    return nigt(step, momentum)._replace(work=ascent(local_steps, local_step))


def local_sgd(step: Length, local_step: Length) -> Rule:
    """Local SGD's server: theta + step * (the mean of the workers' progress)."""
    return sgd(step)._replace(work=progress(local_step))


def local_sgd_nigt(step: Length, momentum: Weight, local_step: Length) -> Rule:
    """A normalised momentum step along the mean of the workers' progress."""
    return nigt(step, momentum)._replace(work=progress(local_step))


def batched_sgd(step: Length, worker_batch: LocalSteps) -> Rule:
    """Plain ascent along each worker's mean of ``worker_batch`` gradients."""
    return sgd(step)._replace(work=mean_of(worker_batch))


def batched_nigt(step: Length, momentum: Weight, worker_batch: LocalSteps) -> Rule:
    """A normalised momentum step along each worker's mean of ``worker_batch`` gradients."""
    return nigt(step, momentum)._replace(work=mean_of(worker_batch))


class Rounds(NamedTuple):
    """The present and previous points, the last round's direction, and the number of rounds."""

    point: "Array"
    previous: "Array"
    direction: "Array"
    rounds: "Array"


def fedsvrpg_m(step: Length, local_step: Length, momentum: Weight, local_steps: LocalSteps) -> Rule:
    """FedSVRPG-M's server: a round's direction is the mean of all local steps.

    With K = ``local_steps``, eta = ``local_step``, lambda = ``step``, beta = ``momentum``::

        u_{r+1}     = (1/(eta K)) mean_i (theta_{r,K}^i - theta_r)
        theta_{r+1} = theta_r + lambda u_{r+1}

    The first round has no direction yet, so its beta counts as 1.
    """
    work = variance_reduced(local_steps, local_step)
    return _rounds(work, step, local_step, momentum, local_steps)


def fedhapg_m(step: Length, local_step: Length, momentum: Weight, local_steps: LocalSteps) -> Rule:
    """FedSVRPG-M with Hessian-vector products instead of importance weights."""
    work = hessian_aided(local_steps, local_step)
    return _rounds(work, step, local_step, momentum, local_steps)


def _rounds(work: Work, step: float, local_step: float, momentum: float, local_steps: int) -> Rule:
    def init(point: "Array") -> Rounds:
        import jax.numpy as jnp

        return Rounds(point, point, jnp.zeros_like(point), jnp.zeros((), jnp.int32))

    def query(state: Rounds) -> "Array":
        import jax.numpy as jnp

        beta = jnp.where(state.rounds == 0, 1.0, momentum)
        return pack(state.point, state.previous, state.direction, beta)

    def update(state: Rounds, progress: "Array", dispatched: "int | Array") -> Rounds:
        import jax.numpy as jnp

        direction = progress / (local_step * local_steps)
        length = jnp.asarray(step, state.point.dtype)
        return Rounds(state.point + length * direction, state.point, direction, state.rounds + 1)

    return Rule(init, query, lambda state: state.point, update, work)
