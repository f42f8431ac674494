"""Which directory do results go into, and what is where in it?"""

from pathlib import Path
from typing import Any

from simulator.mistakes import Mistake
from simulator.results import intake
from simulator.system.files import LOCK

FORMAT = 3


def files_of(method: str, seed: int) -> tuple[str, str, str]:
    """Where the final point of a run is, the point where it failed, and its tickets."""
    run = f"{method}-{seed}"
    return f"parameters/{run}.npz", f"failures/{run}.npz", f"tickets.parquet/{run}.parquet"


def manifest_of(path: Path) -> dict[str, Any]:
    """A manifest as plain data, as far as it is one."""
    return intake.manifest(path, FORMAT)


def free_directory(wanted: Path) -> Path:
    """``wanted``, or the first of ``wanted-2``, ``wanted-3``, ... that does not exist."""
    candidate, number = wanted, 1
    while candidate.exists():
        number += 1
        candidate = wanted.with_name(f"{wanted.name}-{number}")
    return candidate


def claim_directory(directory: Path) -> Path:
    """Make a directory for results; one that already holds something is never touched."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(path.name != LOCK for path in directory.iterdir()):
            told = "is not empty; name another directory or remove it"
            raise Mistake(f"--out {directory}: {told}{_may_go_on(directory)}")
    except OSError as error:
        told = f"cannot be written: {error.strerror}; name a directory"
        raise Mistake(f"--out {directory}: {told}") from None
    return directory


def _may_go_on(directory: Path) -> str:
    """How to finish what was begun there, if that is possible."""
    try:
        status = manifest_of(directory / "manifest.json")["status"]
    except (OSError, ValueError, KeyError):
        return ""
    resumable = status in ("running", "interrupted")
    return f", or finish it with --resume {directory}" if resumable else ""
