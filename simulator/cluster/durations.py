"""The duration of the k-th computation of worker i, drawn and checked.

Random durations are a pure function of (seed, stream, worker, k).  A short look-ahead speeds up
workers that start one computation after another.
"""

from typing import cast

import numpy as np

from simulator.cluster.fields import LONGEST_SECONDS
from simulator.cluster.law import Floats, Integers, Law, is_random, located, short_form
from simulator.cluster.random_words import keys, words

LOOK_AHEAD_NUMBERS = 2**18  # drawn-ahead durations of all workers (2 MiB)
PIECE = 8192  # durations drawn together, which fit the processor's cache


class InvalidDuration(ValueError):
    """A law gave a number that cannot be a duration."""


class Durations:
    """The durations of one kind (``compute``, ``upload`` or ``download``) in one run.

    >>> from simulator.cluster import Fixed
    >>> Durations(Fixed([1.0, 2.0]), workers=2, name="cluster.compute").one(worker=1, k=7)
    2.0
    """

    def __init__(
        self, law: Law, workers: int, *, name: str, seed: int = 0, scale: float = 1.0
    ) -> None:
        self._law, self._name = law, name
        self.varies = law.varies
        # A law that calls itself steady gets the same words in every run.
        chance = keys(seed if is_random(law) else 0, f"{name} base", workers)
        try:
            with np.errstate(over="ignore"):
                self._base = self._one_each(law.base(workers, chance), workers) * scale
        except InvalidDuration:
            raise
        except ValueError as error:
            raise InvalidDuration(located(name, law, error)) from None
        except OverflowError:
            raise InvalidDuration(f"{name}: gives more seconds than a number holds") from None
        self._workers = np.arange(workers)
        self._check(self.nominal, self._workers, drawn=False)
        if law.varies:
            self._keys = keys(seed, name, workers)
            self._width = max(2, min(64, LOOK_AHEAD_NUMBERS // workers))
            self._ahead = np.empty((workers, self._width))
            self._first = np.full(workers, -self._width, dtype=np.int64)
            for extreme in self.extremes():  # refuse a wrong law before the run
                self._check(self._one_each(extreme, workers), self._workers)
        else:
            self._constant = cast("memoryview[float]", self._base.data)
        self.free = not self._base.any()
        never = np.isinf(self._base) if self._base.ndim == 1 else np.isinf(self._base).any(1)
        self.never = np.flatnonzero(never)  # workers whose durations are all infinite

    def _one_each(self, seconds: Floats, workers: int) -> Floats:
        """Refuse a law without a number, or a row of numbers, for each worker."""
        array = np.asarray(seconds)
        if array.shape[:1] != (workers,) or array.dtype != np.float64:
            law = f"the law {type(self._law).__module__}.{type(self._law).__name__}"
            given = f"gives {array.dtype} of shape {array.shape}; give {workers} floats"
            raise InvalidDuration(f"{self._name}: {law} {given}, one for each worker")
        return array

    def all(self, k: Integers) -> Floats:
        if not self.varies:
            return self._base
        drawn = np.empty(len(self._base))
        for start in range(0, len(drawn), PIECE):
            piece = slice(start, start + PIECE)
            drawn[piece] = self._draw(self._workers[piece], k[piece])
        return drawn

    def one(self, worker: int, k: int) -> float:
        if not self.varies:
            return self._constant[worker]
        offset = k - int(self._first[worker])
        if not 0 <= offset < self._width:
            offset = 0
            self._first[worker] = k
            ahead = np.arange(k, k + self._width)
            self._ahead[worker] = self._draw(np.full(self._width, worker), ahead)
        return float(self._ahead[worker, offset])

    def each(self, workers: Integers, k: Integers) -> Floats:
        """Any durations at once: the ``k[i]``-th of ``workers[i]``."""
        return self._draw(workers, k) if self.varies else self._base[workers]

    def prepare(self, workers: Integers, k: Integers) -> None:
        """Draw ahead together for workers of which ``one`` will soon be called."""
        if not self.varies:
            return
        offset = k - self._first[workers]
        fresh = (offset < 0) | (offset >= self._width)
        workers, k = workers[fresh], k[fresh]
        if not workers.size:
            return
        rows, ahead = np.repeat(workers, self._width), np.arange(self._width)
        self._first[workers] = k
        drawn = self._draw(rows, (k[:, None] + ahead).ravel())
        self._ahead[workers] = drawn.reshape(-1, self._width)

    @property
    def nominal(self) -> Floats:
        """Each worker's seconds without chance."""
        return self._base if self._base.ndim == 1 else self._base[:, 0]

    def extremes(self) -> tuple[Floats, Floats]:
        """The shortest and the longest duration that each worker can draw."""
        workers = len(self._base)
        least, most = np.zeros(workers, np.uint64), np.full(workers, 2**64 - 1, np.uint64)
        with np.errstate(over="ignore"):
            return self._law.vary(self._base, least), self._law.vary(self._base, most)

    def quantile(self, share: float, workers: Integers) -> Floats:
        """The seconds that this share of each worker's computations does not exceed."""
        bits = np.full(len(workers), min(int(share * 2.0**64), 2**64 - 1), np.uint64)
        with np.errstate(over="ignore"):
            return self._law.vary(self._base[workers], bits)

    def _draw(self, workers: Integers, k: Integers) -> Floats:
        with np.errstate(over="ignore"):  # an overflow is a computation that never ends
            seconds = self._law.vary(self._base[workers], words(self._keys[workers], k))
        self._check(seconds, workers)
        return seconds

    def _check(self, seconds: Floats, workers: Integers, drawn: bool = True) -> None:
        """Computations last longer than zero and may never end; transfers may be free."""
        longest = np.inf if drawn else LONGEST_SECONDS
        if self._name.startswith(("network", "server")):
            good = (seconds >= 0) & np.isfinite(seconds)
            remedy = "must be a finite number of seconds, 0 or more"
        elif self.varies and not drawn:  # chance may add to 0
            good, remedy = seconds >= 0, "must be a positive number of seconds"
        else:
            good, remedy = seconds > 0, "must be a positive number of seconds"
        if good.all():
            good = (seconds <= longest) | np.isinf(seconds)
            remedy = f"must be at most {LONGEST_SECONDS:g} seconds; inf never finishes"
        if not good.all():
            at = int(np.argmin(good))
            place = self._place(int(workers[at]))
            raise InvalidDuration(f"{place} = {seconds[at]:g}: {remedy}")

    def _place(self, worker: int) -> str:
        """The path of a worker's seconds in a file, or the worker of a law."""
        given = short_form(self._law)
        if given is None:
            return f"{self._name} of worker {worker}"
        return f"{self._name}[{worker}]" if isinstance(given, list) else self._name
