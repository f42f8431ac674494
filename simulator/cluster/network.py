"""What does a message cost?  Per-worker transfer times, and the collective made of them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from simulator.cluster.law import Law
from simulator.cluster.laws.fixed import Fixed

Collective = Literal["max", "gather"]


NO_TIME = Fixed(0.0)


@dataclass(frozen=True)
class Transfer:
    """Seconds to move one vector of dimension d: ``law * d**dimension_power``."""

    law: Law = NO_TIME
    dimension_power: float = 0.0

    def scale(self, dimension: int) -> float:
        return math.pow(dimension, self.dimension_power)


FREE = Transfer()


@dataclass(frozen=True)
class Network:
    """Transfers to the server (``upload``) and from it (``download``); free unless said.

    ``collective`` says how the uploads of an all-reduce combine: ``max`` starts them all when
    the batch is full; with ``gather`` each starts when its worker's own last gradient is done.
    """

    upload: Transfer = FREE
    download: Transfer = FREE
    collective: Collective = "max"

    def collective_end(self, full: float, uploads: Iterable[tuple[float, float]]) -> float:
        """When the all-reduce of a batch that is full now ends.

        ``uploads`` holds, per participant, when its last gradient was done and how long its
        upload takes.
        """
        if self.collective == "max":
            return full + max(seconds for _, seconds in uploads)
        return max(full, *(done + seconds for done, seconds in uploads))
