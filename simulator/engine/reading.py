"""What has everybody done by now?  The books, with what is still under way added."""

import numpy as np

from simulator.engine.books import NEVER
from simulator.engine.workers import Workers
from simulator.schedule import Accounts


def accounts(workers: Workers, now: float) -> Accounts:
    """What everybody has done so far."""
    workers.settle(now)
    books, old = workers.books, workers.old_start < NEVER
    started = workers.begun - ((now < workers.start) & (workers.start < NEVER))
    used = np.array(books.used, np.int64)
    busy = np.array(books.computing) + books.broken_off + workers.elapsed(now)
    busy[old] += workers.old_elapsed(now, old)
    down = books.down + np.maximum(now - workers.down_from, 0)
    communicating = np.zeros(len(busy))
    if workers.communication:
        workers.communication.settle_all(now)
        communicating += workers.communication.seconds
    return Accounts(
        time=now,
        started=started,
        used=used,
        recalled=books.recalled.copy(),
        dropped=books.dropped.copy(),
        lost=books.lost.copy(),
        unfinished=started - used - books.recalled - books.dropped - books.lost,
        busy=busy,
        communicating=communicating,
        down=down,
        idle=now - busy - communicating - down,
        wasted=books.broken_off + books.spoilt,
    )
