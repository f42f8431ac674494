"""How is an interrupt heard, wherever it comes, and how long may its work still take?"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 3.0
"""Seconds until an interrupted command ends, whatever it still waits for."""
MOMENT = 0.3


@contextmanager
def all_heard() -> Iterator[None]:
    """Interrupt once more where Python had to ignore it: in the midst of collecting garbage, say.

    JAX has Python call it back then, and what is raised in such a call goes no further.
    """
    ignored = sys.unraisablehook

    def hear(unraisable: "sys.UnraisableHookArgs") -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            # A moment later: raised in here, it would be ignored as well.
            leaving = threading.Event()
            threading.Thread(target=_interrupt, args=(leaving,), daemon=True).start()
            leaving.set()
        else:
            ignored(unraisable)

    sys.unraisablehook = hear
    try:
        yield
    finally:
        sys.unraisablehook = ignored


def _interrupt(leaving: threading.Event) -> None:
    """The main thread, which wakes up even if it sleeps."""
    leaving.wait()
    time.sleep(MOMENT)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def end_soon(code: int) -> None:
    """Who interrupts shall not wait for ever: Python's pool of processes may, at its end, for what
    a process that was ended had half written.
    """
    watchdog = threading.Timer(PATIENCE, os._exit, [code])
    watchdog.daemon = True
    watchdog.start()
