"""What has everybody done by now?  The books, with what is still under way added."""

import numpy as np

from simulator.engine.books import NEVER
from simulator.engine.workers import Workers
from simulator.schedule import Accounts


def accounts(workers: Workers, now: float) -> Accounts:
    """What everybody has done so far."""
    workers.settle(now)
    books = workers.books
    computing, finishing = workers.start <= now, workers.old_start < NEVER
    planned = ~computing & (workers.start < NEVER)
    down = books.down + np.maximum(now - workers.down_from, 0)
    at_work = workers.elapsed(now, slice(None))
    at_work[finishing] += workers.old_elapsed(now, finishing)
    busy = books.busy + at_work
    communicating = books.communicating_by(now, workers.down_from)
    free = np.maximum(now, workers.free[planned])
    communicating[planned] -= np.maximum(workers.start[planned] - free, 0)
    started = workers.begun - planned
    dropped, lost = books.obsolete + books.refused, books.broken + books.gone
    recalled = started - books.done - books.obsolete - books.broken - computing - finishing
    return Accounts(
        time=now,
        started=started,
        used=books.done - books.refused - books.gone - books.waiting,
        recalled=recalled,
        dropped=dropped,
        lost=lost,
        unfinished=books.waiting + computing + finishing,
        busy=busy,
        communicating=communicating,
        down=down,
        idle=now - busy - communicating - down,
        wasted=books.busy - books.spent_well,
    )
