"""How long does the k-th computation of worker i last?  Every duration is drawn and checked here.

Random durations are a pure function of (seed, stream, worker, k).  Worker i owns a SplitMix64
sequence whose start NumPy's ``SeedSequence`` chooses; its k-th word can be computed without the
ones before it, for a hundred thousand workers in one vector operation, and nothing is stored
but a short look-ahead for workers that start one computation after another.
"""

from typing import cast

import numpy as np

from simulator.cluster.law import Bits, Floats, Integers, Law

LOOK_AHEAD_NUMBERS = 2**19
"""Room for drawn-ahead durations (4 MiB), shared by all workers."""
LONGEST_SECONDS = 1e18
"""Beyond it, one second more makes no difference to a clock in floats."""


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
        try:
            self._base = law.base(workers) * scale
        except ValueError as error:
            raise InvalidDuration(f"{name}.{error}") from None
        except OverflowError:
            raise InvalidDuration(f"{name}: gives more seconds than a number holds") from None
        self._check(self._base, np.arange(workers))
        self.free = not self._base.any()
        """Whether all of them are zero."""
        self.never = np.flatnonzero(np.isinf(self._base))
        if law.varies:
            stream = int.from_bytes(name.encode(), "little")
            source = np.random.SeedSequence([seed, stream])
            self._keys = source.generate_state(workers, np.uint64).astype(np.uint64)
            self._width = max(4, min(64, LOOK_AHEAD_NUMBERS // workers))
            self._ahead = np.empty((workers, self._width))
            self._first = np.full(workers, -self._width, dtype=np.int64)
        self._constant = cast("memoryview[float]", self._base.data)

    def all(self, k: Integers) -> Floats:
        """One duration for every worker: its ``k[worker]``-th."""
        if not self.varies:
            return self._base
        return self._draw(np.arange(len(self._base)), k)

    def one(self, worker: int, k: int) -> float:
        """The ``k``-th duration of one worker."""
        if not self.varies:
            return self._constant[worker]
        offset = k - int(self._first[worker])
        if not 0 <= offset < self._width:
            offset = 0
            self._first[worker] = k
            ahead = np.arange(k, k + self._width)
            self._ahead[worker] = self._draw(np.full(self._width, worker), ahead)
        return float(self._ahead[worker, offset])

    def _draw(self, workers: Integers, k: Integers) -> Floats:
        seconds = self._law.vary(self._base[workers], random_words(self._keys[workers], k))
        self._check(seconds, workers)
        return seconds

    def _check(self, seconds: Floats, workers: Integers) -> None:
        """Computations last longer than zero and may never end; transfers may be free."""
        if self._name.startswith("network"):
            good = (seconds >= 0) & np.isfinite(seconds)
            remedy = "must be a finite number of seconds, 0 or more"
        else:
            good = seconds > 0
            remedy = "must be a positive number of seconds"
        if good.all() and not self._law.varies:
            good = (seconds <= LONGEST_SECONDS) | np.isinf(seconds)
            remedy = f"must be at most {LONGEST_SECONDS:g} seconds; inf never finishes"
        if not good.all():
            at = int(np.argmin(good))
            raise InvalidDuration(f"{self._name}[{workers[at]}] = {seconds[at]:g}: {remedy}")


def random_words(keys: Bits, k: Integers) -> Bits:
    """Word ``k`` of the SplitMix64 sequence that starts at each key (Steele et al., 2014)."""
    word = keys + (k.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Bits = word ^ (word >> np.uint64(31))
    return mixed
