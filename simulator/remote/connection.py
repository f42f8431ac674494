"""Which Ray cluster is it?  That of an address, or one that starts here and ends with us."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from simulator.mistakes import Mistake
from simulator.system.install import install_command
from simulator.system.machine import cores

ANSWER = 4.0
"""Seconds in which an address must answer."""
STARTS = 2
"""Attempts to start a cluster on this machine."""
MOST_PORT = 65535
SETTINGS = b"\x04"
"""The type of a frame of HTTP/2, its fourth byte."""
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0\0\0\0\0"
JOINING = 15.0
"""Seconds for joining a cluster that has answered."""
QUIET = {
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
"""Ray reads these variables when it is imported."""
PROBE = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False)"


def ray() -> Any:
    """The module Ray, silent."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.pop("RAY_BACKEND_LOG_LEVEL", None)  # Ray would write a line about it
    found = import_module("ray")
    logging.getLogger("ray").setLevel(logging.ERROR)
    return found


def connect(address: str | None, most: int | None) -> Any:
    """Ray, connected: to this address, or to a cluster of its own on this machine."""
    look(address)
    module = ray()
    if module.is_initialized():
        return module
    if address is not None:
        _join(address)
    own = {"address": "local", "num_cpus": most or cores()}
    options: dict[str, Any] = {"address": address} if address else own
    options |= {"include_dashboard": False if address is None else None}
    with _own_signals(), _quiet():
        for left in range(STARTS if address is None else 1)[::-1]:
            try:
                module.init(
                    **options,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    configure_logging=False,
                )
                break
            except Exception as error:  # of any class: on a busy machine Ray's programs time out
                module.shutdown()
                if not left:
                    reason = " ".join(str(error).split())
                    where = f"={address}" if address else ""
                    raise Mistake(f"--on ray{where}: cannot join the cluster: {reason}") from None
    return module


def look(address: str | None) -> None:
    """Refuse an address at which nothing answers, and a Python without Ray."""
    if find_spec("ray") is None:
        raise Mistake(f"--on ray: Ray is not installed; {install_command('ray')}")
    if address in (None, "auto"):
        return
    host, colon, port = str(address).rpartition(":")
    if not colon or not port.isdecimal() or int(port) > MOST_PORT:
        example = "HOST:PORT, such as 10.0.0.1:6379"
        raise Mistake(f"--on ray={address}: must be {example}; ray start --head prints it")
    try:
        reason = "" if _answers(host, int(port)) else "what answers is no Ray cluster"
    except OSError as error:
        reason = error.strerror or f"no answer within {ANSWER:g} s"
    if reason:
        remedy = "is it up? ray start --head --port=6379 starts one there"
        raise Mistake(f"--on ray={address}: {reason}; {remedy}")


def _answers(host: str, port: int) -> bool:
    """Whether a server answers as gRPC does: with settings of HTTP/2."""
    deadline = time.monotonic() + ANSWER
    with socket.create_connection((host, port), ANSWER) as server:
        if os.environ.get("RAY_USE_TLS") == "1":
            return True
        server.sendall(PREFACE)
        server.settimeout(max(0.1, deadline - time.monotonic()))
        return server.recv(4)[3:] == SETTINGS


def _join(address: str) -> None:
    """Refuse an address at which something else answers than a Ray cluster of these versions."""
    words = [sys.executable, "-c", PROBE, address]
    try:
        # In a process: Ray itself tries for minutes.
        subprocess.run(words, timeout=JOINING, capture_output=True, check=True)
    except subprocess.TimeoutExpired:
        raise Mistake(f"--on ray={address}: does not answer as a Ray cluster does") from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        reason = " ".join((lines or ["no reason given"])[-1].split())
        raise Mistake(f"--on ray={address}: cannot join the cluster: {reason}") from None


def check_installed(death: Exception) -> None:
    """Refuse a node that cannot import straggle; ``death`` is that of its actor."""
    if "ModuleNotFoundError" in str(death):
        raise Mistake("--on ray: a node has no straggle; install it on all nodes") from None


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray handles SIGTERM in a way of its own; keep that of the command."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        with suppress(ValueError):  # only the main thread may set handlers
            for number, handler in kept.items():
                signal.signal(number, handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the lines that Ray's programs write as they start."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
