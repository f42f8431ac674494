"""How is a job done on another machine?  With the files that it needs, in a folder of its own.

A node that sees the driver's folder, on a shared disk, works there like a local process.
"""

import getpass
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from simulator.campaign.perform import Done
from simulator.campaign.runner import Act, Tell
from simulator.campaign.task import Job
from simulator.scenario.data_files import name_of_copy, with_files
from simulator.system.files import PARTIAL
from simulator.training.checkpoint import Keeper

Contents = dict[str, bytes]
"""Files by their names."""


class Arrived(NamedTuple):
    """A report: a file that a job has written, for the driver's folder."""

    folder: Path
    name: str
    contents: bytes


class Named(NamedTuple):
    """A file that a scenario names."""

    name: str
    contents: bytes


class Packed(NamedTuple):
    """An act and its job with all that it needs elsewhere."""

    act: "Act[Job]"
    job: Job
    token: Path | None
    """A file that only nodes on a shared disk see."""
    files: dict[str, Named]
    """The files that the scenario names, by the paths of their keys."""
    checkpoints: Contents
    """Of runs that were interrupted before."""


def pack(act: "Act[Job]", job: Job, token: Path | None) -> Packed:
    """What travels to a node."""
    scenario = job.tasks[0].scenario()
    files = {path: Named(file.name, file.read_bytes()) for path, file in scenario.files.items()}
    kept = {
        file.name: file.read_bytes()
        for task in job.tasks
        if job.checkpoints and job.checkpoints.is_dir()
        for file in job.checkpoints.glob(f"{task.key}.?.npz")
    }
    return Packed(act, job, token, files, kept)


def perform(name: str, packed: Packed, tell: Tell) -> None:
    """Do a packed job, in a process of a node."""
    act, job = packed.act, packed.job
    if packed.token and packed.token.exists():
        act(name, job, tell)
        return
    with _folder() as folder:
        act(name, _moved(packed, folder), lambda item: _send(item, job, folder, tell))


def _send(item: Any, job: Job, folder: Path, tell: Tell) -> None:
    """Report an item; the files of a run go ahead of its end."""
    if isinstance(item, Done):
        if job.files:
            for file in _send_files(folder / "files", job.files.folder, "*", tell):
                file.unlink()  # the next run of the job has others
        if job.checkpoints and item.end == "interrupted":
            _send_files(_checkpoints(), job.checkpoints, f"{item.key}.?.npz", tell)
        elif job.checkpoints:
            Keeper(_checkpoints(), item.key, "").clear()
    tell(item)


def _send_files(source: Path, target: Path, names: str, tell: Tell) -> list[Path]:
    """Report the whole files of these names; returns them."""
    found = [file for file in sorted(source.rglob(names)) if file.is_file()]
    whole = [file for file in found if not file.name.endswith(PARTIAL)]
    for file in whole:
        tell(Arrived(target, str(file.relative_to(source)), file.read_bytes()))
    return whole


def _moved(packed: Packed, folder: Path) -> Job:
    """The job, with its files in this folder."""
    job = packed.job
    names = {path: name_of_copy(path, file.name) for path, file in packed.files.items()}
    _write(folder, {names[path]: file.contents for path, file in packed.files.items()})
    tasks = [
        task._replace(tables=with_files(task.tables, names), folder=folder) if names else task
        for task in job.tasks
    ]
    if job.checkpoints:
        _checkpoints().mkdir(exist_ok=True)
        _write(_checkpoints(), packed.checkpoints)
    (folder / "files").mkdir()
    return job._replace(
        tasks=tasks,
        checkpoints=_checkpoints() if job.checkpoints else None,
        files=job.files._replace(folder=folder / "files") if job.files else None,
    )


def _write(folder: Path, files: Contents) -> None:
    for name, contents in files.items():
        (folder / name).write_bytes(contents)


def _checkpoints() -> Path:
    """Where a node keeps checkpoints: a job that comes back to it continues."""
    return Path(tempfile.gettempdir()) / f"straggle-checkpoints-{getpass.getuser()}"


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="straggle-job-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
