"""How do signals end a command, at any moment?

SIGINT (Ctrl-C) and SIGTERM raise ``KeyboardInterrupt`` in the main thread.  A signal that was
ignored when the command began stays ignored: a script's job in the background is not interrupted.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

INTERRUPTED = 128 + signal.SIGINT
"""The exit code of an interrupted command, as shells have it."""
PATIENCE = 3.0
"""Seconds until an interrupted command is forced to end."""
MOMENT = 0.1
"""Seconds until an interrupt that could not be raised is sent again."""
TWICE = 0.5
"""Seconds in which a second signal counts as the first: ``timeout`` sends each of them twice."""


class Interrupts:
    """The signals of a command, handled within this context."""

    def __init__(self) -> None:
        self.signal: int | None = None
        """The first signal."""
        self._began = self._latest = 0.0
        self._pending = False
        self._repeated = False
        self._pauses: SimpleQueue[float | None] = SimpleQueue()

    def __enter__(self) -> "Interrupts":
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        self._hook, sys.unraisablehook = sys.unraisablehook, self._on_unraisable
        threading.Thread(target=self._repeat, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        """Ignore interrupts: the command ends anyway, and they would only print an error."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        sys.unraisablehook = self._hook
        self._pauses.put(None)

    @property
    def exit_code(self) -> int:
        """The exit code of a command that a signal has ended: 130 or 143."""
        return 128 + self.signal if self.signal else INTERRUPTED

    def raise_pending(self) -> None:
        """Raise an interrupt that could not be raised before: in an import, say."""
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def force_exit(self) -> None:
        """End soon: a process pool may block on a terminated worker's half-written result."""
        watchdog = threading.Timer(PATIENCE, os._exit, [self.exit_code])
        watchdog.daemon = True
        watchdog.start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now, repeated = time.monotonic(), self._repeated
        self._repeated = False
        if self.signal is None:
            self.signal, self._began = number, now
        elif not self._pending if repeated else now - self._latest < TWICE:
            return
        self._latest = now
        self._pending = _importing(frame) and now - self._began < PATIENCE
        if self._pending:
            self._pauses.put(MOMENT)
        else:
            raise KeyboardInterrupt

    def _on_unraisable(self, unraisable: "UnraisableHookArgs") -> None:
        """Interrupt again after Python ignored an interrupt in a callback or a destructor.

        JAX has such a callback in the garbage collector.
        """
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._pending = True
            self._pauses.put(MOMENT)
        else:
            self._hook(unraisable)

    def _repeat(self) -> None:
        """Send the signal again, from a thread: a signal's handler must not wait for a lock."""
        while (pause := self._pauses.get()) is not None:
            time.sleep(pause)
            self._repeated = True
            # To the main thread: that wakes it up.
            signal.pthread_kill(threading.main_thread().ident or 0, self.signal or signal.SIGINT)


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being imported: extension modules print or replace an interrupt."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


@contextmanager
def remedy(text: str) -> Iterator[None]:
    """Add a remedy to an interrupt of the block."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(*(interrupt.args or [text])) from None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Processes that start here ignore interrupts from their first moment on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
