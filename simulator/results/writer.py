"""How are results written?  File by file after each run, with a seal."""

import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic_core import to_jsonable_python

from simulator import plugins
from simulator.cluster import Vector
from simulator.results.columns import Columns, groups, join, rows, words, write
from simulator.results.directory import events_of, files_of
from simulator.results.intake import FORMAT
from simulator.results.results import Results
from simulator.results.seal import digest, seal
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.system.files import replace, save_arrays
from simulator.system.machine import cores
from simulator.training.failure import name_of
from simulator.training.record import Run

PACKAGES = ("straggle", "simpy", "numpy", "jax", "jaxlib", "gymnasium", "pandas", "scipy")
"""Packages whose versions the manifest records, because numbers may depend on them."""


class Written(NamedTuple):
    """A run's row in the manifest, and its rows of steps and workers."""

    row: dict[str, Any]
    steps: Columns
    workers: Columns


@dataclass
class Writer:
    """Writes all files after each run."""

    directory: Path
    scenario: Scenario
    command: str
    vector: Vector
    schedule_only: bool = False
    tickets: bool = False
    real: dict[str, Any] | None = None
    """The circumstances of runs in real time, for the manifest; None if they are simulated."""
    _written: dict[tuple[str, int], Written] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)
    _resumed: int = 0
    _manifest: str = ""

    def go_on(self, outcome: Results) -> None:
        """Take over the finished runs of an earlier command."""
        sealed = outcome.manifest.get("files", {})
        whole = [row for row in outcome.manifest["runs"] if self._is_whole(row, sealed)]
        steps, workers = (
            _by_run(table) for table in (outcome.step_columns, outcome.worker_columns)
        )
        for row in whole:
            name = row["method"], row["seed"]
            self._written[name] = Written(row, steps[name], workers[name])
        known = [file for run in self.done for file in files_of(*run)]
        self._digests = {file: sealed[file] for file in known if file in sealed}
        self._resumed = int(outcome.manifest.get("resumed", 0)) + 1

    def _is_whole(self, row: Mapping[str, Any], sealed: Collection[str]) -> bool:
        """Whether a run ended, and all its files are written and sealed."""
        *_, tickets = files_of(row["method"], row["seed"])
        recorded = tickets in sealed and (self.directory / tickets).is_file()
        return _ended(row) and (recorded or not self.tickets)

    @property
    def done(self) -> set[tuple[str, int]]:
        """Methods and seeds of the runs that have ended."""
        return {run for run, written in self._written.items() if _ended(written.row)}

    def row(self, method: str, seed: int) -> dict[str, Any]:
        """A run's row in the manifest."""
        return self._written[method, seed].row

    @property
    def wanted(self) -> list[tuple[str, int]]:
        """Methods and seeds of all runs, in the order of the files."""
        scenario = self.scenario
        return [(label, seed) for seed in scenario.seeds for label in scenario.methods]

    @property
    def ends(self) -> set[str]:
        """The different ends of the runs so far."""
        return {written.row["end"] for written in self._written.values()}

    @property
    def _in_order(self) -> list[Written]:
        return [self._written[run] for run in self.wanted if run in self._written]

    def add(self, run: Run) -> None:
        """Add a run, finished or interrupted, whose tickets are written already."""
        written = Written(_run_row(run), run.columns(), _worker_rows(run))
        self._written[run.method, run.seed] = written
        parameters, failed, tickets = files_of(run.method, run.seed)
        if run.point is not None:
            self._save(parameters, parameters=run.parameters())
        if run.failure is not None and run.failure.point is not None:
            ticket = np.array(run.failure.ticket, np.int64)
            self._save(failed, point=run.failure.point, ticket=ticket)
        if self.tickets:
            self._digests[tickets] = digest(self.directory / tickets)
        if self.real is not None:
            events = events_of(run.method, run.seed)
            self._digests[events] = digest(self.directory / events)
        self.write("running")

    def _save(self, name: str, **arrays: np.ndarray) -> None:
        file = self.directory / name
        file.parent.mkdir(exist_ok=True)
        replace(file, lambda path: save_arrays(path, arrays))
        self._digests[name] = digest(file)

    def write(self, status: str) -> None:
        """Bring every file up to date; ``status`` is running, complete, failed or interrupted."""
        for name, columns in {"steps": self._steps(), "workers": self._workers()}.items():
            file = self.directory / f"{name}.parquet"
            replace(file, partial(write, columns))
            self._digests[file.name] = digest(file)
        self._write_manifest(status)

    def finish(self) -> Results:
        """Write all runs, when no more will be added, and return them."""
        missing, failed = len(self.wanted) > len(self.done), self.ends & {"stalled", "failed"}
        self.write("interrupted" if missing else "failed" if failed else "complete")
        return self.results()

    def _write_manifest(self, status: str) -> None:
        manifest = self.manifest(status)
        self._manifest = json.dumps(manifest | {"seal": seal(manifest)}, indent=2) + "\n"
        replace(self.directory / "manifest.json", lambda path: path.write_text(self._manifest))

    def results(self) -> Results:
        """The results as they were written last, without reading a file."""
        manifest = json.loads(self._manifest)
        return Results(self.directory, manifest, self._steps(), self._workers())

    def _steps(self) -> Columns:
        return join([written.steps for written in self._in_order])

    def _workers(self) -> Columns:
        return join([written.workers for written in self._in_order])

    def manifest(self, status: str) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "status": status,
            "command": self.command,
            "scenario": self.scenario.canonical(),
            "scenario_hash": self.scenario.fingerprint(),
            "settings": {
                label: to_jsonable_python(settings_of(self.scenario, label))
                for label in self.scenario.methods
            },
            "schedule_only": self.schedule_only,
            "tickets": self.tickets,
            "vector": self.vector._asdict(),
            "versions": installed_versions(),
            "plugins": plugins.used(self.scenario.canonical()),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": cores(),
            "resumed": self._resumed,
            "runs": [written.row for written in self._in_order],
            **({} if self.real is None else {"real": self.real}),
            "files": dict(sorted(self._digests.items())),
        }


@cache
def installed_versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


def _ended(row: Mapping[str, Any]) -> bool:
    return bool(row["end"] != "interrupted")


def _by_run(columns: Columns) -> dict[tuple[str, int], Columns]:
    parts = groups(columns, ("method", "seed"))
    return {(str(method), int(seed)): rows(columns, at) for (method, seed), at in parts.items()}


def _worker_rows(run: Run) -> Columns:
    accounts = run.accounts
    assert accounts is not None
    counts = {name: values for name, values in accounts._asdict().items() if name != "time"}
    count = len(accounts.started)
    return {
        "method": words(run.method, count),
        "seed": np.full(count, run.seed, np.int64),
        "worker": np.arange(count),
        **counts,
        "seconds": np.full(count, accounts.time, np.float64),
    }


def _run_row(run: Run) -> dict[str, Any]:
    accounts = run.accounts
    assert accounts is not None
    gradients = ("started", "used", "recalled", "dropped", "lost", "unfinished")
    seconds = ("busy", "communicating", "down", "idle", "wasted")
    ran = accounts.time > 0
    return {
        "method": run.method,
        "seed": run.seed,
        "end": run.end,
        "message": run.message,
        **_where_it_failed(run),
        "seconds_to_target": run.reached,
        "simulated_seconds": accounts.time,
        "real_seconds": round(run.real_seconds, 3),
        "steps": run.steps,
        **{name: int(getattr(accounts, name).sum()) for name in gradients},
        "evaluated": run.evaluated,
        **{
            f"{name}_share": accounts.share(getattr(accounts, name)) if ran else None
            for name in seconds
        },
    }


def _where_it_failed(run: Run) -> dict[str, Any]:
    step, ticket = (run.failure.step, run.failure.ticket) if run.failure else (None, None)
    return {"failed_step": step, "failed_ticket": ticket and name_of(ticket)}
