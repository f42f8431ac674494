"""The limits of a run."""

from typing import NamedTuple, Protocol, runtime_checkable

from simulator.engine.totals import NEVER


@runtime_checkable
class Ends(Protocol):
    """The limits of a run; None is no limit."""

    @property
    def seconds(self) -> float | None: ...
    @property
    def steps(self) -> float | None: ...
    @property
    def gradients(self) -> float | None: ...


class Stop(NamedTuple):
    """The limits of a run: the first one ends it, simulated ``seconds`` inclusive."""

    seconds: float = NEVER
    steps: float = NEVER
    gradients: float = NEVER

    @classmethod
    def of(cls, ends: Ends) -> "Stop":
        limits = ends.seconds, ends.steps, ends.gradients
        return cls(*(NEVER if limit is None else limit for limit in limits))


ENDLESS = Stop()
