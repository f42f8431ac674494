"""Which machine is this, and what computes on it?  In one line."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from simulator.system.machine import cores

PACKAGES = {"NumPy": "numpy", "SimPy": "simpy", "JAX": "jax", "MuJoCo": "mujoco"}


def machine() -> str:
    many = cores()
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {found}" for name, package in PACKAGES.items() if (found := _of(package))]
    return f"{many} core{'s' * (many > 1)}, {processor()}; {', '.join(versions)}"


def _of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Its name where the system tells, else its kind."""
    message = Path("/proc/cpuinfo")
    if sys.platform == "linux" and message.exists():
        for line in message.read_text(encoding="utf-8").splitlines():
            field, _, name = line.partition(":")
            if field.strip() == "model name":
                return name.strip()
    return platform.processor() or platform.machine()
