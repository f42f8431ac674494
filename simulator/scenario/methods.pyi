"""Written by ``make stubs``: do not edit."""

from typing import Any, Literal

from algorithms.updates import Decay
from simulator.scenario.tables import MethodTable, TheoryTable

class RennalaNigt(MethodTable):
    """The first M gradients, normalised momentum step."""

    def __init__(
        self,
        *,
        batch: int = ...,
        initial_batch: int | None = ...,
        count: Literal["first-finished", "earliest-started"] = ...,
        step: float = ...,
        momentum: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class RennalaPg(MethodTable):
    """The first M gradients, plain ascent."""

    def __init__(
        self,
        *,
        batch: int = ...,
        initial_batch: int | None = ...,
        count: Literal["first-finished", "earliest-started"] = ...,
        step: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class MaleniaNigt(MethodTable):
    """Balanced counts from all workers, normalised step."""

    def __init__(
        self,
        *,
        batch: int = ...,
        initial_batch: int | None = ...,
        step: float = ...,
        momentum: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class MaleniaPg(MethodTable):
    """Balanced counts from all workers, plain ascent."""

    def __init__(
        self,
        *,
        batch: int = ...,
        initial_batch: int | None = ...,
        step: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class SynchronousNigt(MethodTable):
    """One gradient per worker, normalised step."""

    def __init__(
        self,
        *,
        step: float = ...,
        momentum: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class SynchronousPg(MethodTable):
    """One gradient per worker, plain ascent."""

    def __init__(
        self,
        *,
        step: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class SynchronousFedpg(MethodTable):
    """One gradient per worker, no look-ahead."""

    def __init__(
        self,
        *,
        step: float,
        momentum: float,
    ) -> None: ...

class Afedpg(MethodTable):
    """Each gradient on arrival, delay-aware normalised step."""

    def __init__(
        self,
        *,
        age: int | None = ...,
        depth: int | None = ...,
        importance: float | None = ...,
        step: float | Decay = ...,
        momentum: float | Decay = ...,
        direction: Literal["latest", "dispatch"] = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class AsynchronousPg(MethodTable):
    """Each gradient on arrival, plain ascent."""

    def __init__(
        self,
        *,
        age: int | None = ...,
        depth: int | None = ...,
        importance: float | None = ...,
        step: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class VanillaAsynchronousPg(MethodTable):
    """AFedPG without its look-ahead."""

    def __init__(
        self,
        *,
        step: float,
        momentum: float,
        age: int | None = ...,
        depth: int | None = ...,
        importance: float | None = ...,
    ) -> None: ...

class DelayAdaptivePg(MethodTable):
    """On arrival, shorter steps for old gradients."""

    def __init__(
        self,
        *,
        step: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class RingmasterPg(MethodTable):
    """On arrival, too old ones dropped, plain ascent."""

    def __init__(
        self,
        *,
        threshold: int = ...,
        stops: bool = ...,
        step: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class RingmasterNigt(MethodTable):
    """On arrival, too old ones dropped, normalised."""

    def __init__(
        self,
        *,
        threshold: int = ...,
        stops: bool = ...,
        step: float = ...,
        momentum: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class RingleaderPg(MethodTable):
    """On arrival, gradients of all workers in each step."""

    def __init__(
        self,
        *,
        step: float = ...,
        theory: TheoryTable | dict[str, Any] | None = ...,
    ) -> None: ...

class RingleaderNigt(MethodTable):
    """The same with a normalised momentum step."""

    def __init__(
        self,
        *,
        step: float,
        momentum: float,
    ) -> None: ...

class MindflayerPg(MethodTable):
    """Gradients that end within a time limit, plain ascent."""

    def __init__(
        self,
        *,
        attempts: int | list[int],
        limit: float | list[float],
        probability: float | list[float],
        step: float,
    ) -> None: ...

class MindflayerNigt(MethodTable):
    """Gradients that end within a time limit, normalised step."""

    def __init__(
        self,
        *,
        attempts: int | list[int],
        limit: float | list[float],
        probability: float | list[float],
        step: float,
        momentum: float,
    ) -> None: ...

class Fedbuff(MethodTable):
    """Several arrivals at a time, each of local steps."""

    def __init__(
        self,
        *,
        buffer: int,
        step: float,
        local_step: float,
        local_steps: int = ...,
    ) -> None: ...

class FedsvrpgM(MethodTable):
    """Rounds of local steps, importance weights."""

    def __init__(
        self,
        *,
        local_steps: int,
        step: float,
        local_step: float,
        momentum: float,
    ) -> None: ...

class FedhapgM(MethodTable):
    """Rounds of local steps, Hessian products."""

    def __init__(
        self,
        *,
        local_steps: int,
        step: float,
        local_step: float,
        momentum: float,
    ) -> None: ...

class LocalSgd(MethodTable):
    """M local steps in all, then the mean of the changes."""

    def __init__(
        self,
        *,
        batch: int,
        step: float,
        local_step: float,
    ) -> None: ...

class LocalSgdNigt(MethodTable):
    """M local steps in all, then a normalised step."""

    def __init__(
        self,
        *,
        batch: int,
        step: float,
        momentum: float,
        local_step: float,
    ) -> None: ...

class AsyncLocalPg(MethodTable):
    """Each worker's local steps on arrival, added."""

    def __init__(
        self,
        *,
        step: float,
        local_step: float,
        local_steps: int = ...,
    ) -> None: ...

class AsyncLocalNigt(MethodTable):
    """Each worker's local steps on arrival, normalised."""

    def __init__(
        self,
        *,
        step: float,
        momentum: float,
        local_step: float,
        local_steps: int = ...,
    ) -> None: ...

class AsyncBatchPg(MethodTable):
    """Each worker's batch on arrival, plain ascent."""

    def __init__(
        self,
        *,
        worker_batch: int,
        step: float,
    ) -> None: ...

class AsyncBatchNigt(MethodTable):
    """Each worker's batch on arrival, normalised step."""

    def __init__(
        self,
        *,
        worker_batch: int,
        step: float,
        momentum: float,
    ) -> None: ...

class RescaledPg(MethodTable):
    """Each gradient on arrival, weighted by its worker's time."""

    def __init__(
        self,
        *,
        step: float,
    ) -> None: ...

class RescaledNigt(MethodTable):
    """The same with a normalised momentum step."""

    def __init__(
        self,
        *,
        step: float,
        momentum: float,
    ) -> None: ...

class QueuedPg(MethodTable):
    """Episodes through a queue to a trainer, plain ascent."""

    def __init__(
        self,
        *,
        batch: int,
        step: float,
        group: int = ...,
        queue: int = ...,
        full: Literal["wait", "drop-oldest", "drop-newest"] = ...,
        depth: int | None = ...,
        age: int | None = ...,
        importance: float | None = ...,
        update: Literal["between", "during"] = ...,
    ) -> None: ...

class QueuedNigt(MethodTable):
    """Episodes through a queue to a trainer, normalised."""

    def __init__(
        self,
        *,
        batch: int,
        step: float,
        momentum: float,
        group: int = ...,
        queue: int = ...,
        full: Literal["wait", "drop-oldest", "drop-newest"] = ...,
        depth: int | None = ...,
        age: int | None = ...,
        importance: float | None = ...,
        update: Literal["between", "during"] = ...,
    ) -> None: ...
