"""Which files does a run write, and how do they become data frames?

    results/straggler/
      manifest.json       the resolved scenario and its hash, versions, how every run ended
      steps.parquet       a row per method, seed and server step; row 0 is the initial point
      workers.parquet     a row per method, seed and worker: its account
      tickets.parquet/    on request: a row per started gradient, a part per run
      events.parquet/     of runs in real time: the events of each story, and all transfers
      parameters/         the final point of every run, as METHOD-SEED.npz
      failures/           the point of the gradient by which a run failed, likewise
      checkpoints/        of runs under way
      figures/

Every file is replaced in one go, after each run, so it can always be read.  The files that
the scenario names are copied beside them, so the directory is complete.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.tickets import Ticket
from simulator import plugins
from simulator.cluster import Vector
from simulator.mistakes import Mistake, check_argument
from simulator.results import intake
from simulator.results.columns import Columns, rows
from simulator.results.directory import events_of, files_of
from simulator.results.events import COLUMNS as EVENT_COLUMNS
from simulator.results.events import Happenings, happenings
from simulator.results.ledger import COLUMNS
from simulator.scenario.data_files import PARTS
from simulator.scenario.scenario import Scenario, with_infinities
from simulator.training.payloads import sizes_of_payloads
from simulator.training.record import Run

if TYPE_CHECKING:
    import pandas as pd

STEPS = (
    *("method", "seed", "step", "time", "tickets", "gradients"),
    *("max_delay", "mean_delay", "arrival_delay", "training_seconds"),
)
WORKERS = ("method", "seed", "worker", "started", "used", "busy", "idle", "seconds")
"""Columns that other modules need."""


@dataclass(frozen=True)
class Results:
    """A result directory, read."""

    directory: Path
    manifest: dict[str, Any]
    step_columns: Columns
    worker_columns: Columns

    @cached_property
    def steps(self) -> "pd.DataFrame":
        """A row per method, seed and server step."""
        return _frame(self.step_columns)

    @cached_property
    def workers(self) -> "pd.DataFrame":
        """A row per method, seed and worker."""
        return _frame(self.worker_columns)

    @cached_property
    def runs(self) -> "pd.DataFrame":
        """A row per method and seed."""
        import pandas as pd

        return pd.DataFrame(self.manifest["runs"])

    @cached_property
    def ticket_columns(self) -> Columns | None:
        """A row per started gradient; None if they were not recorded."""
        folder = self.directory / "tickets.parquet"
        if not any(folder.glob("*.parquet")):
            return None
        columns: Columns = _read(folder, intake.tickets)
        return columns

    @cached_property
    def tickets(self) -> "pd.DataFrame | None":
        """A row per started gradient, if they were recorded."""
        columns = self.ticket_columns
        return None if columns is None else _frame(columns).astype(COLUMNS)

    @cached_property
    def scenario(self) -> Scenario:
        demand_plugins(self.directory, self.manifest)
        tables = dict(self.manifest["scenario"])
        # Only these may have infinite numbers, which JSON cannot write as numbers.
        for name in {*PARTS} & tables.keys():
            tables[name] = with_infinities(tables[name])
        return intake.scenario(tables, self.directory)

    @property
    def vector(self) -> Vector:
        return Vector(**self.manifest["vector"])

    @property
    def schedule_only(self) -> bool:
        return bool(self.manifest["schedule_only"])

    @property
    def real(self) -> bool:
        """Whether the runs happened in real time."""
        return self.manifest.get("real") is not None

    def happenings(self, method: str, seed: int) -> Happenings:
        """The events of a real run's story, and the transfers and absences of its workers."""
        path = intake.inside(self.directory, self.directory / events_of(method, seed))
        workers = self.scenario.cluster.workers
        found: Happenings = _read(
            path, lambda path: happenings(intake.table(path, EVENT_COLUMNS), workers)
        )
        return found

    def run(self, method: str, seed: int) -> Run:
        """A run for ``schedules.replay``."""
        run = Run(method, seed)
        if self.scenario.cluster.per == "environment-step":
            run.lengths = self._lengths(method, seed)
        return run

    def _lengths(self, method: str, seed: int) -> dict[Ticket, int]:
        """The lengths of the episodes, which only the tickets have."""
        tickets = self.ticket_columns
        if tickets is None:
            raise Mistake(f"{self.directory}: has no tickets.parquet, which tells its times")
        own = rows(tickets, (tickets["method"] == method) & (tickets["seed"] == seed))
        names = zip(*(own[name].tolist() for name in ("worker", "version", "index")), strict=True)
        lengths = np.nan_to_num(own["environment_steps"]).tolist()
        return {Ticket(*name): int(length) for name, length in zip(names, lengths, strict=True)}

    def failure(self, method: str, seed: int) -> tuple[Ticket, np.ndarray] | None:
        """The gradient by which a run failed, and its point."""
        path = intake.inside(self.directory, self.directory / files_of(method, seed)[1])
        if not path.exists():
            return None
        # Local work starts from more than a point (algorithms/local.py).
        size = self.vector.dimension
        sizes = size, 3 * size + 1, *sizes_of_payloads(size)
        point = _read(path, lambda path: intake.point(path, "point", *sizes))
        return _read(path, intake.ticket), point

    def parameters(self, method: str, seed: int) -> np.ndarray:
        """The final point of a run."""
        path = intake.inside(self.directory, self.directory / files_of(method, seed)[0])
        size = self.vector.dimension
        point: np.ndarray = _read(path, lambda path: intake.point(path, "parameters", size))
        return point


def load(directory: str | Path) -> Results:
    """Read a result directory: ``load("results/straggler").steps`` is a data frame."""
    remedy = "give the path of a result directory, such as results.directory"
    check_argument("load: directory", directory, (str, Path), remedy)
    folder = Path(directory)
    if not folder.exists():
        raise Mistake(f"{folder}: no such directory")
    for name in ("manifest.json", "steps.parquet", "workers.parquet", "tickets.parquet"):
        intake.inside(folder, folder / name)
    manifest = manifest_in(folder)
    # Before the first run has ended, the tables have no columns yet.
    steps, workers = (STEPS, WORKERS) if manifest["runs"] else ((), ())
    results = Results(
        directory=folder,
        manifest=manifest,
        step_columns=_read(folder / "steps.parquet", lambda path: intake.table(path, steps)),
        worker_columns=_read(folder / "workers.parquet", lambda path: intake.table(path, workers)),
    )
    _ = results.ticket_columns  # read now, to refuse damaged files at once
    return results


def manifest_in(folder: Path) -> dict[str, Any]:
    """The manifest of a result directory, without its tables."""
    manifest: dict[str, Any] = _read(folder / "manifest.json", intake.manifest)
    return manifest


def demand_plugins(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse results whose plug-ins are not loaded, or in other versions."""
    try:
        plugins.demand(manifest.get("plugins", {}))
    except Mistake as mistake:
        raise mistake.within(str(folder / "manifest.json")) from None


def _frame(columns: Columns) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(columns)


def _read(path: Path, reader: Callable[[Path], Any]) -> Any:
    """Read a file of a result directory; any error becomes a Mistake of one line."""
    if not path.exists():
        raise Mistake(f"{path.parent}: not a result directory, it has no {path.name}")
    try:
        return reader(path)
    except Mistake:
        raise
    except Exception as error:  # damaged files make their readers raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Mistake(f"{path}: cannot be read: {reason}") from None
