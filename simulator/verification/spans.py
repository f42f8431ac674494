"""How long was each worker at something, and not at something else?  Intervals, and their union."""

from typing import NamedTuple

import numpy as np

from simulator.cluster.law import Floats, Integers


class Spans(NamedTuple):
    """Intervals of workers, in any order; they may overlap, and one that ends first is empty."""

    worker: Integers
    begin: Floats
    end: Floats

    def until(self, end: float) -> "Spans":
        """What there is of them by then."""
        return Spans(self.worker, self.begin, np.minimum(self.end, end))


def joined(*some: Spans) -> Spans:
    """All of them."""
    return Spans(*(np.concatenate(columns) for columns in zip(*some, strict=True)))


def seconds(within: Spans, outside: Spans, workers: int) -> Floats:
    """Of each worker, those in at least one interval of ``within`` and in none of ``outside``.

    >>> at = np.zeros(2, int)
    >>> seconds(Spans(at, np.array([0.0, 1.0]), np.array([2.0, 5.0])),
    ...         Spans(at, np.array([3.0, 9.0]), np.array([4.0, 8.0])), workers=1)
    array([4.])
    """
    inside, beside = _real(within), _real(outside)
    both = joined(inside, beside)
    worker, moment = np.tile(both.worker, 2), np.concatenate([both.begin, both.end])
    order = np.lexsort((moment, worker))
    # How many intervals of each kind are open after a moment; after a worker's last one, none.
    counts = np.repeat([1, -1], len(both.worker))
    first = np.tile(np.arange(len(both.worker)) < len(inside.worker), 2)
    opened = np.cumsum(np.where(first, counts, 0)[order])
    hidden = np.cumsum(np.where(first, 0, counts)[order])
    lasting = np.diff(moment[order], append=0.0)
    told = (opened > 0) & (hidden == 0)
    return np.asarray(np.bincount(worker[order][told], lasting[told], workers), float)


def _real(spans: Spans) -> Spans:
    """Those that last."""
    lasting = spans.begin < spans.end
    return Spans(spans.worker[lasting], spans.begin[lasting], spans.end[lasting])
