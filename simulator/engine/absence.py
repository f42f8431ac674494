"""What does an outage do to a worker?  It loses everything, or it stands still and goes on."""

from simulator.engine.books import NEVER
from simulator.engine.limits import Ends
from simulator.engine.workers import Workers


def pause(workers: Workers, now: float, worker: int, until: float) -> float:
    """It stands still and goes on later; returns when its plan then ends."""
    if workers.communication:
        workers.communication.settle(now, worker)
    workers.down_from[worker], workers.up_at[worker] = now, until
    free, limits = until, workers.limits
    if workers.old_start[worker] < NEVER and workers.old_finish[worker] > now:
        finish = float(workers.old_finish[worker])
        free = _resumed(workers, worker, now, until, finish, limits.old_ends)
        workers.old_finish[worker] = free
    workers.at_free[worker] = free
    start = workers.at_start[worker]
    if start == NEVER:
        return NEVER
    if start <= now:
        finish = workers.at_finish[worker]
        finish = _resumed(workers, worker, now, until, finish, limits.ends)
        workers.at_finish[worker] = finish
        if finish == NEVER:
            workers.stuck.add(worker)
        return finish
    workers.at_start[worker] = workers.at_finish[worker] = NEVER
    workers.at_begun[worker] -= 1
    if free == NEVER and workers.trace:
        workers.trace.received(workers, worker, now)
    return workers.plan(now, worker, start)


def _resumed(
    workers: Workers,
    worker: int,
    now: float,
    until: float,
    finish: float,
    limited: dict[int, Ends],
) -> float:
    """When what would have ended at ``finish`` ends, if nothing is done until then."""
    if worker not in limited:
        return _done(workers, worker, now, until, finish)
    done, limit = limited[worker]
    done = _done(workers, worker, now, until, done)
    limited[worker] = ends = Ends(done, until + (limit - now))
    return ends.first


def _done(workers: Workers, worker: int, now: float, until: float, finish: float) -> float:
    if workers.pace is None or finish == NEVER or until == NEVER:
        return until + (finish - now)
    left = workers.pace.work(worker, finish) - workers.pace.work(worker, now)
    return workers.pace.finish(worker, until, left)


def lose(workers: Workers, now: float, worker: int, until: float) -> None:
    """It is gone, with its order, its computation and all gradients that it holds or sends.

    Its part in an all-reduce goes on.
    """
    if workers.communication:
        workers.communication.breaks_off(now, worker)
    workers.down_from[worker], workers.up_at[worker] = now, until
    workers.absent[worker], workers.away = True, workers.away + 1
    workers.settle(now)
    start, books = workers.at_start[worker], workers.books
    if workers.trace:
        workers.trace.broken_off(workers, now, worker)
    if start <= now:
        books.lose(worker, now - start)
    elif start < NEVER:
        workers.at_begun[worker] -= 1
    if workers.old_start[worker] < NEVER:
        books.lose(worker, now - float(workers.old_start[worker]))
        workers.old_start[worker], workers.olds = NEVER, workers.olds - 1
    workers.at_start[worker] = workers.at_finish[worker] = NEVER
    workers.at_left[worker], workers.at_free[worker] = 0, 0.0
    workers.old_finish[worker] = 0.0
    workers.stuck.discard(worker)
    workers.unmeasured.discard(worker)
    workers.limits.old_ends.pop(worker, None)
    books.lose_held(worker)


def come_back(workers: Workers, now: float, worker: int) -> None:
    """The outage is over."""
    down_from = float(workers.down_from[worker])
    gone = now - down_from
    workers.books.down[worker] += gone
    if workers.communication:
        workers.communication.settle(now, worker)
    if workers.pauses:
        workers.outages_since.setdefault(worker, []).append((down_from, now))
        if workers.at_start[worker] <= down_from:
            workers.paused[worker] += gone
        if workers.old_start[worker] <= down_from < workers.old_finish[worker]:
            workers.old_paused[worker] += gone
    workers.down_from[worker] = NEVER
    if workers.absent[worker]:
        workers.absent[worker], workers.away = False, workers.away - 1
    if workers.trace:
        workers.trace.stretch("down", worker, down_from, now, workers.at_version[worker])
