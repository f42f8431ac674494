"""How is a campaign done on a cluster?  Agents do the jobs; the driver keeps the results.

A node that dies costs the jobs that it was doing; a node that joins gets some.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from simulator.campaign.dispatch import dispatch
from simulator.campaign.runner import Act, OnItem, Work
from simulator.campaign.task import Job
from simulator.remote.agent import setup
from simulator.remote.agents import Agents, capacity
from simulator.remote.away import Arrived
from simulator.remote.connection import connect, look
from simulator.system.files import replace


@dataclass(frozen=True)
class Ray:
    """A Ray cluster: that at ``address``, or one that starts on this machine.

    ``most`` limits the jobs at a time.  ``shared`` lets nodes write to the driver's folder if they
    see it; otherwise all files come back through Ray.
    """

    address: str | None = None
    most: int | None = None
    shared: bool = True

    def found(self) -> "Ray":
        """This runner, if Ray is installed and a cluster answers at the address."""
        look(self.address)
        if self.address is not None:
            connect(self.address, self.most)
        return self

    @property
    def jobs(self) -> int:
        """The cores of the cluster, as far as they are used."""
        return max(1, capacity(connect(self.address, self.most), self.most))

    def run(
        self,
        act: "Act[Work]",
        works: Mapping[str, Work],
        on_item: OnItem,
        kind: Callable[[Work], str] = lambda work: "",
    ) -> None:
        if not works:
            return
        ray = connect(self.address, self.most)
        kinds = {name: kind(work) for name, work in works.items()}
        with _token(_folder_of(works) if self.shared else None) as token:
            agents = Agents(ray, self.most, setup(), token)
            dispatch(act, works, _unpacked(on_item), kinds, agents)


def _folder_of(works: Mapping[str, Any]) -> Path | None:
    """The folder in which the jobs write, if there is one."""
    for work in works.values():
        if isinstance(work, Job):
            return work.files.folder if work.files else work.checkpoints and work.checkpoints.parent
    return None


@contextmanager
def _token(folder: Path | None) -> Iterator[Path | None]:
    """A file by which a node finds that it sees the folder."""
    if folder is None or not folder.is_dir():
        yield None
        return
    token = folder.absolute() / f".straggle-{uuid4().hex}"
    token.touch()
    try:
        yield token
    finally:
        token.unlink(missing_ok=True)


def _unpacked(on_item: OnItem) -> OnItem:
    """Write the files that arrive, and pass the other reports on."""

    def taken(name: str, item: Any) -> None:
        if not isinstance(item, Arrived):
            on_item(name, item)
            return
        file = item.folder / item.name
        file.parent.mkdir(parents=True, exist_ok=True)
        replace(file, lambda path: path.write_bytes(item.contents))

    return taken
