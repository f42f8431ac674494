"""How do several pieces of work go side by side?  In processes of one thread each.

So they do not take each other's cores, and none of them survives whoever asked for them.  Whoever
wants the work done elsewhere, on other machines, say, writes another ``Runner``.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from simulator.mistakes import Mistake

Name = TypeVar("Name")
Work = TypeVar("Work")
Result = TypeVar("Result")

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


class Runner(Protocol):
    """Does pieces of work, which are known by their names, and yields each as it ends."""

    @property
    def jobs(self) -> int:
        """How many at a time."""

    def run(
        self, act: Callable[[Name, Work], Result], works: dict[Name, Work]
    ) -> Iterator[tuple[Name, Result]]:
        """Functions, work and results have to be such that processes can hand them over."""


@dataclass(frozen=True)
class Local:
    """On this machine, side by side."""

    jobs: int

    def run(
        self, act: Callable[[Name, Work], Result], works: dict[Name, Work]
    ) -> Iterator[tuple[Name, Result]]:
        return side_by_side(act, works, self.jobs)


def side_by_side(
    act: Callable[[Name, Work], Result], works: dict[Name, Work], jobs: int
) -> Iterator[tuple[Name, Result]]:
    """Each piece of work by its name, as it ends; ``jobs`` at a time, a single one right here."""
    if min(jobs, len(works)) <= 1:
        for name, work in works.items():
            yield name, act(name, work)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    pool = ProcessPoolExecutor(
        min(jobs, len(works)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(),),
    )
    try:
        with undisturbed():
            waiting = {pool.submit(act, name, work): name for name, work in works.items()}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    finally:
        # Whoever interrupts does not want to wait for what is under way.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Processes that begin here know no interrupts, from their first moment on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int) -> None:
    """A process of its own: one thread, and an end when its parent has one."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_THREAD}".strip()
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["STRAGGLE_CORES"] = "1"  # so that nothing in here starts processes of its own

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def cores() -> int:
    """How many this process may use: ``$STRAGGLE_CORES``, or all that it is given."""
    if told := os.environ.get("STRAGGLE_CORES"):
        if not (told.isdecimal() and int(told) > 0):
            raise Mistake(f"STRAGGLE_CORES = {told!r}: must be a whole number, 1 or more")
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
