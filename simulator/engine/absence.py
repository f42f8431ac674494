"""What does an outage do to a worker?  It loses everything, or it stands still and goes on."""

from simulator.engine.books import NEVER
from simulator.engine.limits import Ends
from simulator.engine.workers import Workers


def pause(workers: Workers, now: float, worker: int, until: float) -> float:
    """It stands still and goes on later; returns when its plan then ends."""
    workers.down_from[worker], workers.up_at[worker] = now, until
    workers.books.goes_down(worker, now, until)
    free_before, free = max(now, workers.at_free[worker]), until
    limits = workers.limits
    if workers.old_start[worker] < NEVER and workers.old_finish[worker] > now:
        finish = float(workers.old_finish[worker])
        free = _resumed(workers, worker, now, until, finish, limits.old_ends)
        workers.old_finish[worker] = free
        workers.books.computes_until(worker, now, free)
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
    if free < NEVER:
        workers.books.communicates(worker, max(0.0, start - free) - (start - free_before))
    else:
        workers.books.communicates(worker, free_before - start)
        if workers.trace:
            workers.trace.received(workers, worker, now)
    return workers.plan(worker, start)


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


def lose(workers: Workers, now: float, worker: int, until: float, *, sending: bool) -> None:
    """It is gone, with its order, its computation and all gradients that it holds.

    Also with what it was ``sending`` by itself; its part in an all-reduce goes on.
    """
    workers.down_from[worker], workers.up_at[worker] = now, until
    workers.absent[worker], workers.away = True, workers.away + 1
    workers.settle(now)
    start, books = workers.at_start[worker], workers.books
    if workers.trace:
        workers.trace.broken_off(workers, now, worker)
    if start <= now:
        books.busy[worker] += now - start
        books.broken[worker] += 1
    elif start < NEVER:
        workers.at_begun[worker] -= 1
        books.communicates(worker, max(now, workers.at_free[worker]) - start)
    if workers.old_start[worker] < NEVER:
        books.busy[worker] += now - workers.old_start[worker]
        books.broken[worker] += 1
        workers.old_start[worker], workers.olds = NEVER, workers.olds - 1
        books.computes_no_more(worker, now)
    workers.at_start[worker] = workers.at_finish[worker] = NEVER
    workers.at_left[worker], workers.at_free[worker] = 0, 0.0
    workers.old_finish[worker] = 0.0
    workers.stuck.discard(worker)
    workers.unmeasured.discard(worker)
    workers.limits.old_ends.pop(worker, None)
    if sending:
        books.stop_sending(worker, now)
    else:
        books.goes_down(worker, now, until)
    books.lose_held(worker)


def come_back(workers: Workers, now: float, worker: int) -> None:
    """The outage is over."""
    down_from = float(workers.down_from[worker])
    gone = now - down_from
    workers.books.was_down(worker, down_from, now)
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
