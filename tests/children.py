"""Processes that tests start, with signals of their own.

A test that runs in the background (``nohup make test &``) ignores Ctrl-C, and its children would
inherit that.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from simulator.system import machine

STRAGGLE = "from simulator.cli import main; main()"


@contextmanager
def sigint(handler: Any) -> Iterator[None]:
    """Handle SIGINT like this; a process that starts here ignores it only if this does."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def start(
    words: Sequence[object],
    script: str = STRAGGLE,
    *,
    ignoring: bool = False,
    session: bool = False,
    **environment: str,
) -> "subprocess.Popen[str]":
    """Start a Python script with these words; it ignores SIGINT only if asked to."""
    handler = signal.SIG_IGN if ignoring else signal.default_int_handler
    with sigint(handler):
        return subprocess.Popen(
            [sys.executable, "-c", script, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=session,
            env={**os.environ, **environment},
        )


def ended(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """Wait for a process and check its exit code; what it wrote to standard error."""
    with process:
        _, said = process.communicate(timeout=300)
    assert process.returncode == code, said
    return said


SENDING = """
import functools, importlib, os, signal, sys
from simulator.cli import main

def sending(number, place, nth):
    module, _, name = place.partition(":")
    owner, *path = importlib.import_module(module), *name.split(".")
    for part in path[:-1]:
        owner = getattr(owner, part)
    honest = getattr(owner, path[-1])
    calls = []

    @functools.wraps(honest)
    def call(*arguments, **options):
        calls.append(1)
        if len(calls) == nth:
            os.killpg(0, number) if group else os.kill(os.getpid(), number)
        return honest(*arguments, **options)

    setattr(owner, path[-1], call)

number, place, nth, group = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
del sys.argv[1:5]
sending(number, place, nth)
main()
"""
"""The command, which sends a signal at the nth call of ``module:Class.function``.

To itself, or to its group, which then consists of it and what it has started.
"""


def start_sending(
    number: int,
    place: str,
    words: Sequence[object],
    nth: int = 1,
    group: bool = False,
    **options: Any,
) -> "subprocess.Popen[str]":
    arguments = [int(number), place, nth, int(group), *words]
    return start(arguments, SENDING, session=group, **options)


# Pieces of work


def variable(name, work, tell):
    tell(os.environ[name])


def cores(name, least, tell):
    """Tell how many cores there are, until they are so many."""
    tell(machine.cores())
    while machine.cores() < least:
        time.sleep(0.01)
    tell(machine.cores())


def die_once(name, place, tell):
    if place and not place.exists():
        place.touch()
        os._exit(7)
    tell("done")


def die(name, work, tell):
    if name == "a":
        os._exit(7)


def eat(name, amount, tell):
    """Take so many bytes of memory, slowly."""
    pages = [bytearray(b"x") * min(amount, 10**8) for _ in range(amount // 10**8)]
    time.sleep(2 if pages else 0)
    tell("done")


def fail(name, work, tell):
    tell(1 / work)


def wait_for(name, folder, tell):
    """Begin, and end when a file of this name is there."""
    tell("begun")
    while not (folder / name).exists():
        time.sleep(0.05)
    tell("done")


def node(actor):
    """The node of an actor of Ray."""
    import ray

    return ray.get_runtime_context().get_node_id()


NAP = 0.05


class Napper:
    """An actor of Ray whose tasks last a while."""

    def nap(self):
        time.sleep(NAP)
