"""How do several jobs run side by side on this machine?  In processes of one thread each.

So they do not compete for cores, and none of them outlives its parent.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from simulator.campaign.dispatch import Slot, dispatch
from simulator.campaign.runner import Act, OnItem, Work
from simulator.system.interrupts import Interrupts, undisturbed
from simulator.system.machine import Share, cores, grant
from simulator.system.messages import printed

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
GONE = EOFError, ConnectionResetError
"""Raised by the connection to a process that has ended."""


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
            kinds = {name: kind(work) for name, work in works.items()}
            dispatch(act, works, on_item, kinds, Processes(jobs))
            return
        for name, work in works.items():
            act(name, work, lambda item, name=name: on_item(name, item))  # type: ignore[misc]


def one_thread() -> None:
    """Let JAX compute in one thread, if it has not started yet."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_THREAD}".strip()


class Processes:
    """So many processes."""

    remedy = "with --jobs 1 it is done in the command's own process"

    def __init__(self, count: int) -> None:
        self._all = [Process() for _ in range(count)]

    def free(self, left: int) -> Sequence[Slot]:
        # As the last jobs end, their cores go to those under way.
        for process in self._all:
            process.share.value = max(1, cores() // min(len(self._all), left))
        return [process for process in self._all if not process.doing]

    def taken(self) -> Sequence["Process"]:
        return [process for process in self._all if process.doing]

    def wait(self, seconds: float | None = None) -> Sequence[Slot]:
        from multiprocessing.connection import wait

        ready = wait([process.connection for process in self.taken()], seconds)
        return [process for process in self._all if process.connection in ready]

    def replace(self, dead: Slot) -> None:
        self._all = [Process() if process is dead else process for process in self._all]

    def end(self) -> None:
        for process in self._all:
            process.end()


class Process:
    """A process that does one job after the other; its messages are pairs (kind, item)."""

    kind: str | None

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

    def begin(self, act: "Act[Work]", name: str, work: Work) -> None:
        self.doing = name
        with suppress(BrokenPipeError):  # it has died, which hear() finds out
            self.connection.send((act, name, work))

    def hear(self, on_item: OnItem) -> bool:
        try:
            message = self.connection.recv()
        except GONE:
            return False
        self.doing = heard(message, self.doing, on_item)
        return True

    def fate(self) -> str:
        self._process.join()
        code = self._process.exitcode
        reason = " (killed, as if memory ran out)" if code == -signal.SIGKILL else ""
        return f"with exit code {code}{reason}"

    def interrupt(self) -> None:
        if self._process.is_alive():
            self._process.terminate()

    def end(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join()


def heard(message: tuple[str, Any], doing: str, on_item: OnItem) -> str:
    """Take a message of the job that a slot is doing; returns what it is doing then."""
    kind, item = message
    if kind == "item":
        on_item(doing, item)
        return doing
    if kind == "error":
        error, trace = item
        raise error from RuntimeError(f"\n{trace}")
    return ""


def _serve(connection: Any, parent: int, share: Share) -> None:
    """The main function of a process: one thread, until its parent ends."""
    one_thread()
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
