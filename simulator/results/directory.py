"""Which directory do results go into, and which files has it?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator.mistakes import Mistake
from simulator.results import intake
from simulator.system.files import LOCK, alone_in


def files_of(method: str, seed: int) -> tuple[str, str, str]:
    """The files of a run's final point, of the point where it failed, and of its tickets."""
    run = f"{method}-{seed}"
    return f"parameters/{run}.npz", f"failures/{run}.npz", f"tickets.parquet/{run}.parquet"


def events_of(method: str, seed: int) -> str:
    """The file of a real run's events."""
    return f"events.parquet/{method}-{seed}.parquet"


def free_directory(wanted: Path) -> Path:
    """``wanted``, or the first of ``wanted-2``, ``wanted-3``, ... that does not exist."""
    candidate, number = wanted, 1
    while candidate.exists():
        number += 1
        candidate = wanted.with_name(f"{wanted.name}-{number}")
    return candidate


@contextmanager
def own_directory(out: Path | None, name: str) -> Iterator[Path]:
    """``out``, or a new directory below ``results/``, for this process alone."""
    directory = claim_directory(out or free_directory(Path("results") / name))
    with alone_in(directory):
        yield claim_directory(directory)  # again: another process may have been quicker


def claim_directory(directory: Path) -> Path:
    """Make a directory for results; refuses one that holds any file."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(path.name != LOCK for path in directory.iterdir()):
            problem = "is not empty; name another directory or remove it"
            raise Mistake(f"--out {directory}: {problem}{_resume_hint(directory)}")
    except OSError as error:
        problem = f"cannot be written: {error.strerror}; name a directory"
        raise Mistake(f"--out {directory}: {problem}") from None
    return directory


def _resume_hint(directory: Path) -> str:
    try:
        status = intake.manifest(directory / "manifest.json")["status"]
    except (OSError, ValueError, KeyError):
        return ""
    resumable = status in ("running", "interrupted")
    return f", or finish it with --resume {directory}" if resumable else ""
