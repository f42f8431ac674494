"""Malenia aggregation (arXiv 2509.24305, section 5): every worker counts the same, however fast.

Worker i contributes M_i >= 1 gradients and weighs 1/n whatever M_i is, so the estimate is
unbiased for the mean of *different* objectives J_i.  A round is over when the harmonic mean of
the counts is large enough for the variance: ((1/n) sum_i 1/M_i)^-1 >= M/n.
"""

from collections import Counter
from fractions import Fraction

from algorithms.aggregation.vocabulary import Aggregation, Batch, Cluster, Story, batch_sizes
from algorithms.tickets import Ticket


def malenia(batch: Batch, initial_batch: Batch | None = None) -> Aggregation:
    """The mean over workers of each worker's own mean, once the counts are balanced enough."""

    def story(cluster: Cluster) -> Story:
        for size in batch_sizes(initial_batch, batch):
            cluster.broadcast()
            tickets: list[Ticket] = []
            counts = Counts(cluster.workers)
            while not counts.suffice(size):
                ticket: Ticket = yield cluster.arrival(needs=counts.missing)
                tickets.append(ticket)
                counts.add(ticket.worker)
            yield cluster.all_reduce(tickets)
            cluster.step(tickets, [1 / (cluster.workers * counts[t.worker]) for t in tickets])

    return story


class Counts:
    """How many gradients each worker has contributed to this round.

    >>> counts = Counts(workers=2)
    >>> for worker in [0, 0, 1]: counts.add(worker)
    >>> counts.suffice(2), counts.suffice(3)   # 2 / (1/2 + 1/1) = 4/3 per worker: 8/3 in all
    (True, False)
    """

    def __init__(self, workers: int) -> None:
        self.missing = set(range(workers))
        self._counts = [0] * workers
        self._inverses = 0.0

    def __getitem__(self, worker: int) -> int:
        return self._counts[worker]

    def add(self, worker: int) -> None:
        self._counts[worker] = count = self._counts[worker] + 1
        self.missing.discard(worker)
        self._inverses += 1 / count - (1 / (count - 1) if count > 1 else 0)

    def suffice(self, batch: int) -> bool:
        """Whether n^2 >= batch * sum_i 1/M_i, exactly.

        Exact ties are common (equal speeds always end on one) and floats decide them at
        random.  So the running float only settles what is beyond its rounding error, and the
        few close calls are computed with fractions, one per distinct count.
        """
        if self.missing:
            return False
        goal = len(self._counts) ** 2
        estimate = batch * self._inverses
        if abs(goal - estimate) > 1e-6 * goal:
            return goal > estimate
        histogram = Counter(self._counts)
        return goal >= batch * sum(Fraction(many, count) for count, many in histogram.items())
