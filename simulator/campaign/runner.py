"""Where are jobs done?  By a runner: this machine's processes, or the nodes of a cluster.

A runner needs no more than an act, its works by name, and a function for their reports.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

Work = TypeVar("Work")
Item: TypeAlias = Any
"""A report of a job, which may send any number of them; processes must be able to pickle it."""
Tell: TypeAlias = Callable[[Item], None]
Act: TypeAlias = Callable[[str, Work, Tell], None]
OnItem: TypeAlias = Callable[[str, Item], None]


class Runner(Protocol):
    """Does jobs, which are known by their names."""

    @property
    def jobs(self) -> int:
        """How many at a time."""

    def run(
        self,
        act: "Act[Work]",
        works: Mapping[str, Work],
        on_item: OnItem,
        kind: Callable[[Work], str] = lambda work: "",
    ) -> None:
        """Do all jobs; ``on_item`` is called in this process with every report.

        Jobs of one ``kind`` prefer one process, which has compiled their functions.  An interrupt
        is raised here, after ``on_item`` has had the last reports.
        """


Jobs: TypeAlias = int | Runner | None
"""Where a campaign runs: in so many processes here, in as many as pay (None), or by a runner."""
