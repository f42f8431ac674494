"""The description of the server: the seconds of its updates."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from simulator.cluster.durations import Durations
from simulator.cluster.law import Law, is_random
from simulator.cluster.laws.steady import Fixed
from simulator.cluster.network import Vector

Per: TypeAlias = Literal["step", "gradient", "byte"]
NO_TIME = Fixed(0.0)


@dataclass(frozen=True)
class Server:
    """The server computes its updates one at a time, each in ``seconds``.

    They are seconds of a ``step``, of each new ``gradient`` in it, or of each ``byte`` of a point.

    >>> from simulator.cluster import Fixed, Vector
    >>> Server(Fixed(0.5), per="gradient").updates(seed=0, vector=Vector()).seconds(3, gradients=4)
    2.0
    """

    seconds: Law = NO_TIME
    per: Per = "step"

    @property
    def random(self) -> bool:
        return is_random(self.seconds)

    def updates(self, *, seed: int, vector: Vector) -> "Updates":
        durations = Durations(self.seconds, 1, name="server.seconds", seed=seed)
        return Updates(durations, self.per, vector.bytes)


AT_ONCE = Server()


class Updates:
    """The updates of one run: the duration of the k-th is a function of (seed, k)."""

    def __init__(self, durations: Durations, per: Per, size: int) -> None:
        self._durations, self._per, self._size = durations, per, size
        self.free = durations.free
        """Whether they take no time."""

    def seconds(self, k: int, gradients: int) -> float:
        """The seconds of the update that makes version ``k`` to the next."""
        if self.free:
            return 0.0
        count = {"step": 1, "gradient": gradients, "byte": self._size}[self._per]
        return self._durations.one(0, k) * count
