"""Do driver and nodes compute the same?  Only with the same versions and the same sources."""

import hashlib
import platform
import socket
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import algorithms
import simulator
from simulator.mistakes import Mistake
from simulator.results.writer import PACKAGES

OPTIONAL = "mujoco"
"""A package of an extra, which a node may lack."""
NONE = "none"
MOST = 4
"""Differences that a message lists."""


class Traits(NamedTuple):
    """The software of a machine."""

    node: str
    versions: dict[str, str]
    sources: str
    """A digest of straggle's own files."""


@cache
def traits() -> Traits:
    """Those of this process."""
    versions = {name: _version(name) for name in (*PACKAGES, OPTIONAL)}
    versions["Python"] = platform.python_version()
    return Traits(socket.gethostname(), versions, _digest())


def check(node: Traits, own: Traits) -> None:
    """Refuse a node whose results might differ from those of the driver, which has ``own``."""
    found = [
        f"{name} {node.versions[name]} (here {here})"
        for name, here in own.versions.items()
        if node.versions.get(name, NONE) != here and not (name == OPTIONAL and here == NONE)
    ]
    if found:
        more = f", and {len(found) - MOST} more" if len(found) > MOST else ""
        raise Mistake(
            f"--on ray: node {node.node} has {', '.join(found[:MOST])}{more}; "
            "install the same versions on all nodes"
        )
    if node.sources != own.sources:
        raise Mistake(
            f"--on ray: node {node.node} has other sources of straggle {own.versions['straggle']}; "
            "install the same commit on all nodes"
        )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return NONE


def _digest() -> str:
    digest = hashlib.sha256()
    for package in (algorithms, simulator):
        folder = Path(str(package.__file__)).parent
        for file in sorted(folder.rglob("*.py")):
            digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]
