"""When does sending take a worker's time?  Entries in the books for every kind of transfer.

Only seconds in which the worker neither computes nor is down count as communicating.
"""

from simulator.engine.books import NEVER
from simulator.engine.workers import Workers


def alone(workers: Workers, worker: int, now: float, seconds: float) -> None:
    """Account for an upload; one that hides behind the next computation takes no time."""
    if not workers.at_left[worker]:
        workers.books.sends(worker, now, now + seconds)


def together(workers: Workers, worker: int, now: float, begin: float, end: float) -> None:
    """Account for a worker's part in a collective, before its order ends.

    What it computes meanwhile, because that goes on although it is obsolete, counts as
    computing.
    """
    if workers.at_start[worker] == NEVER:
        busy_until = float(workers.old_finish[worker])
    else:
        busy_until = workers.at_finish[worker] if workers.finishes else now
        begin = max(begin, now)
    begin = max(begin, min(end, busy_until))
    if workers.pauses:
        begin = _sent_between_outages(workers, worker, begin, end)
    workers.books.sends(worker, begin, end)


def _sent_between_outages(workers: Workers, worker: int, begin: float, end: float) -> float:
    """Enter what it has sent up to its latest outage; returns from where on it sends since."""
    outages = list(workers.outages_since.get(worker, ()))
    if workers.down_from[worker] < NEVER:
        outages.append((float(workers.down_from[worker]), float(workers.up_at[worker])))
    for down, up in outages:
        if begin < down:
            workers.books.communicates(worker, min(down, end) - begin)
        begin = min(end, max(begin, up))
    return begin


def opened(workers: Workers, worker: int, begin: float) -> None:
    """Account for a transfer whose end is not known yet, as far as it hides behind nothing."""
    if workers.at_start[worker] < NEVER and workers.finishes:
        begin = max(begin, workers.at_finish[worker])
    workers.books.opens(worker, max(begin, float(workers.old_finish[worker])))


def closed(workers: Workers, worker: int, now: float) -> None:
    """The transfer is through; while the worker is down it counts as that."""
    workers.books.closes(worker, min(now, float(workers.down_from[worker])))


def ready(workers: Workers, now: float, worker: int) -> float:
    """When it can begin to send: at once, unless it is down."""
    return max(now, float(workers.up_at[worker]))
