"""How do several jobs run side by side?  In processes of one thread each.

So they do not compete for cores, and none of them outlives its parent.  A process that dies is
replaced, and its job is done again.  Jobs on other machines would be another ``Runner``.
"""

import os
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from simulator.mistakes import Mistake
from simulator.system.interrupts import Interrupts, undisturbed
from simulator.system.machine import Share, cores, grant
from simulator.system.messages import printed

Work = TypeVar("Work")
Item: TypeAlias = Any
"""A report of a job, which may send any number of them; processes must be able to pickle it."""
Tell: TypeAlias = Callable[[Item], None]
Act: TypeAlias = Callable[[str, Work, Tell], None]
OnItem: TypeAlias = Callable[[str, Item], None]

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
DEATHS = 2
"""A job may be tried in so many processes."""
PATIENCE = 2.0
"""Seconds that an interrupted job has for its last report."""


class Runner(Protocol):
    """Does jobs, which are known by their names."""

    @property
    def jobs(self) -> int:
        """How many at a time."""

    def run(
        self,
        act: "Act[Work]",
        works: Mapping[str, Work],
        on_item: OnItem,
        kind: Callable[[Work], str] = lambda work: "",
    ) -> None:
        """Do all jobs; ``on_item`` is called in this process with every report.

        Jobs of one ``kind`` prefer one process, which has compiled their functions.  An interrupt
        is raised here, after ``on_item`` has had the last reports.
        """


@dataclass(frozen=True)
class Local:
    """Processes on this machine."""

    jobs: int

    def run(
        self,
        act: "Act[Work]",
        works: Mapping[str, Work],
        on_item: OnItem,
        kind: Callable[[Work], str] = lambda work: "",
    ) -> None:
        jobs = min(self.jobs, len(works))
        if jobs > 1:
            _in_processes(act, works, on_item, jobs, {name: kind(works[name]) for name in works})
            return
        for name, work in works.items():
            act(name, work, lambda item, name=name: on_item(name, item))  # type: ignore[misc]


def _in_processes(
    act: "Act[Work]",
    works: Mapping[str, Work],
    on_item: OnItem,
    jobs: int,
    kinds: Mapping[str, str],
) -> None:
    from multiprocessing.connection import wait

    waiting, deaths = list(works), dict.fromkeys(works, 0)
    processes = [_Process() for _ in range(jobs)]
    try:
        while left := len(waiting) + sum(bool(process.doing) for process in processes):
            for process in processes:
                # As the last jobs end, their cores go to those under way.
                process.share.value = max(1, cores() // min(jobs, left))
                if not process.doing and waiting:
                    name = _next(waiting, kinds, process, processes)
                    waiting.remove(name)
                    process.kind = kinds[name]
                    process.begin(act, name, works[name])
            ready = wait([process.connection for process in processes if process.doing])
            for at, process in enumerate(processes):
                if process.connection in ready and not process.hear(on_item):
                    name = process.doing
                    deaths[name] += 1
                    if deaths[name] >= DEATHS:
                        raise Mistake(
                            f"{name}: the process that did it died {DEATHS} times, the last time "
                            f"with exit code {process.exit_code}; with --jobs 1 it is done in the "
                            "command's own process"
                        )
                    waiting.insert(0, name)
                    processes[at] = _Process()
    except KeyboardInterrupt:
        _interrupt(processes, on_item)
        raise
    finally:
        for process in processes:
            process.end()


def _next(
    waiting: list[str],
    kinds: Mapping[str, str],
    process: "_Process",
    processes: "list[_Process]",
) -> str:
    """A job of the kind that the process did last, else of a kind that no process has, else any."""
    taken = {each.kind for each in processes}
    left = Counter(kinds[name] for name in waiting)

    def rank(name: str) -> tuple[bool, bool, int]:
        kind = kinds[name]
        return kind != process.kind, kind in taken, -left[kind]

    return min(waiting, key=rank)


def _interrupt(processes: "list[_Process]", on_item: OnItem) -> None:
    """Interrupt all jobs, and take their last reports."""
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.interrupt()
    for process in processes:
        while process.doing and process.connection.poll(max(0.0, deadline - time.monotonic())):
            with suppress(KeyboardInterrupt):
                if not process.hear(on_item):
                    break


class _Process:
    """A process that does one job after the other; its messages are pairs (kind, item)."""

    kind: str | None
    """Of the job that it does, or did last."""

    def __init__(self) -> None:
        import multiprocessing

        spawn = multiprocessing.get_context("spawn")
        self.connection, other_end = spawn.Pipe()
        self.doing, self.kind = "", None
        self.share: Share = spawn.RawValue("i", 1)
        """The cores that it may use."""
        args = (other_end, os.getpid(), self.share)
        self._process = spawn.Process(target=_serve, args=args, daemon=True)
        with undisturbed():
            self._process.start()
        other_end.close()

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def begin(self, act: "Act[Work]", name: str, work: Work) -> None:
        self.doing = name
        with suppress(BrokenPipeError):  # it has died, which hear() finds out
            self.connection.send((act, name, work))

    def hear(self, on_item: OnItem) -> bool:
        """Take one message; False if the process is dead."""
        try:
            kind, item = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return False
        if kind == "item":
            on_item(self.doing, item)
            return True
        self.doing = ""
        if kind == "error":
            error, trace = item
            raise error from RuntimeError(f"\n{trace}")
        return True

    def interrupt(self) -> None:
        if self._process.is_alive():
            self._process.terminate()

    def end(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join()


def _serve(connection: Any, parent: int, share: Share) -> None:
    """The main function of a process: one thread, until its parent ends."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_THREAD}".strip()
    os.environ["OMP_NUM_THREADS"] = "1"
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    grant(share)
    gone = (EOFError, BrokenPipeError, ConnectionResetError)
    with suppress(*gone, KeyboardInterrupt), Interrupts(), printed():
        while True:
            act, name, work = connection.recv()
            try:
                act(name, work, lambda item: connection.send(("item", item)))
            except BaseException as error:
                trace = "".join(traceback.format_exception(error))
                connection.send(("error", (_portable(error), trace)))
                if isinstance(error, KeyboardInterrupt):
                    return
            else:
                connection.send(("done", None))


def _portable(error: BaseException) -> BaseException:
    """The error, if it can be pickled; else one with its message."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
