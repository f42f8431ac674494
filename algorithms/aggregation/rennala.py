"""Rennala aggregation (arXiv 2509.24305, section 4): the first M gradients, whoever they are from.

Fast workers contribute several, a straggler perhaps none, and nobody is waited for.  The mean is
unbiased when the workers share one objective and durations do not depend on the samples.
"""

from algorithms.aggregation.vocabulary import Aggregation, Batch, Cluster, Story, batch_sizes
from algorithms.tickets import Ticket


def rennala(batch: Batch, initial_batch: Batch | None = None) -> Aggregation:
    """The mean of the first ``batch`` gradients at one point, from whoever finishes them."""

    def story(cluster: Cluster) -> Story:
        for size in batch_sizes(initial_batch, batch):
            cluster.broadcast()
            tickets: list[Ticket] = []
            while len(tickets) < size:
                tickets.append((yield cluster.arrival()))
            yield cluster.all_reduce(tickets)
            cluster.step(tickets, [1 / size] * size)

    return story
