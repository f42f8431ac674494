"""What does theory need to know of an objective?  Its constants, and how well each is known.

Theory's step lengths and batches, and its predictions, are made of four numbers.  Few problems
know all of them exactly, so each says what it is: ``exact``, a ``bound`` that holds on the whole
space (or on the set it names), or an ``estimate`` that nothing guarantees.
"""

from typing import Literal, NamedTuple, TypeAlias

Status: TypeAlias = Literal["exact", "bound", "estimate"]


class Constant(NamedTuple):
    """A number, how well it is known, and in a few words why."""

    value: float
    status: Status
    reason: str = ""


class Constants(NamedTuple):
    """Of J, the mean over workers, from its initial point.

    ``smoothness`` (L_g) and ``hessian_smoothness`` (L_h) are Lipschitz constants of the gradient
    and the Hessian; ``deviation`` (sigma): E|g - grad J_i|^2 <= sigma^2 for one gradient of any
    worker; ``gap`` (Delta): how far J lies below its maximum at the start.
    """

    smoothness: Constant
    hessian_smoothness: Constant
    deviation: Constant
    gap: Constant
