"""How do several pieces of work go side by side?  In processes of one thread each.

So they do not take each other's cores, and none of them outlives the process that asked for them.
A process that dies is replaced, and its piece of work is done once more.  Work on other machines
is another ``Runner``.
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
"""What a piece of work has to tell, several times or never: data that processes can hand over."""
Tell: TypeAlias = Callable[[Item], None]
Act: TypeAlias = Callable[[str, Work, Tell], None]
OnItem: TypeAlias = Callable[[str, Item], None]

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
DEATHS = 2
"""So many processes may die at one piece of work."""
PATIENCE = 2.0
"""Seconds that interrupted work has to say how far it came."""


class Runner(Protocol):
    """Does pieces of work, which are known by their names."""

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
        """Do them all; ``on_item`` is called here with what each piece tells, as it comes.

        Pieces of one ``kind`` go to one process if they can: it has compiled what they need.
        After an interrupt, which goes on from here, ``on_item`` may be called for a moment longer.
        """


@dataclass(frozen=True)
class Local:
    """On this machine, side by side."""

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
    """Each process that is free gets another piece."""
    from multiprocessing.connection import wait

    waiting, deaths = list(works), dict.fromkeys(works, 0)
    processes = [_Process() for _ in range(jobs)]
    try:
        while left := len(waiting) + sum(bool(process.doing) for process in processes):
            for process in processes:
                # As the last pieces end, their cores go to those under way.
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
                        raise Mistake(_died(name, process))
                    waiting.insert(0, name)
                    processes[at] = _Process()
    except KeyboardInterrupt:
        _last_words(processes, on_item)
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
    """A piece of the kind that the process did last, else of one that is nobody's, else any."""
    taken = {each.kind for each in processes}
    left = Counter(kinds[name] for name in waiting)

    def rank(name: str) -> tuple[bool, bool, int]:
        kind = kinds[name]
        return kind != process.kind, kind in taken, -left[kind]

    return min(waiting, key=rank)


def _died(name: str, process: "_Process") -> str:
    return (
        f"{name}: the process that did it died {DEATHS} times, the last time with exit code "
        f"{process.exit_code}; with --jobs 1 it is done in the command's own process"
    )


def _last_words(processes: "list[_Process]", on_item: OnItem) -> None:
    """Interrupt the work, and hear how far each piece has come."""
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        process.interrupt()
    for process in processes:
        while process.doing and process.connection.poll(max(0.0, deadline - time.monotonic())):
            with suppress(KeyboardInterrupt):
                if not process.hear(on_item):
                    break


class _Process:
    """A process that does one piece of work after the other; its messages are (kind, item)."""

    kind: str | None
    """Of the piece that it does, or did last."""

    def __init__(self) -> None:
        import multiprocessing

        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self.doing, self.kind = "", None
        self.share: Share = spawn.RawValue("i", 1)
        """The cores that it may use."""
        args = (theirs, os.getpid(), self.share)
        self._process = spawn.Process(target=_serve, args=args, daemon=True)
        with undisturbed():
            self._process.start()
        theirs.close()

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def begin(self, act: "Act[Work]", name: str, work: Work) -> None:
        """Hand over a piece of work."""
        self.doing = name
        with suppress(BrokenPipeError):  # that it has died is seen when it is listened to
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
        elif kind == "done":
            self.doing = ""
        else:
            self.doing = ""
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
    """The life of a process."""
    _begin(parent)
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
    """The error, if another process can read it; else one with its words."""
    import pickle

    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _begin(parent: int) -> None:
    """A process of its own: one thread, and an end when its parent has one."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {ONE_THREAD}".strip()
    os.environ["OMP_NUM_THREADS"] = "1"

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
