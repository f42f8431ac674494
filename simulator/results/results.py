"""What does a run leave behind?  A directory of plain files, and the way back into pandas.

    results/straggler/
      manifest.json       the resolved scenario and its hash, versions, how every run ended
      steps.parquet       a row per method, seed and server step; row 0 is the initial point
      workers.parquet     a row per method, seed and worker: what it did with its time
      tickets.parquet/    on request: a row per gradient that was started, a part per run
      parameters/         the final point of every run, as METHOD-SEED.npz
      failures/           where a run went wrong: the point of the gradient that did, likewise
      checkpoints/        while runs are under way: where they are
      figures/

Every file is replaced in one go, after each run: what is there can always be read.  A speed trace
that the scenario names is copied beside them, so that the directory is all that is needed.
"""

import json
import platform
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic_core import to_jsonable_python

from algorithms.tickets import Ticket
from simulator.cluster import Vector
from simulator.mistakes import Mistake
from simulator.results import intake
from simulator.results.ledger import Ledger
from simulator.results.seal import digest, seal
from simulator.runs.failure import name_of
from simulator.runs.record import Run
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.system.files import LOCK, replace
from simulator.system.side_by_side import cores

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 3
STEPS = ("method", "seed", "step", "time", "tickets", "gradients", "max_delay", "mean_delay")
WORKERS = ("method", "seed", "worker", "started", "used", "busy", "idle", "seconds")
"""Columns that everybody asks for."""
PACKAGES = ("straggle", "simpy", "numpy", "jax", "jaxlib", "gymnasium", "pandas", "scipy")


@dataclass(frozen=True)
class Results:
    """A result directory, read."""

    directory: Path
    manifest: dict[str, Any]
    steps: "pd.DataFrame"
    workers: "pd.DataFrame"
    runs: "pd.DataFrame"
    tickets: "pd.DataFrame | None"

    @cached_property
    def scenario(self) -> Scenario:
        tables = dict(self.manifest["scenario"])
        # Only what is said of these may be infinite, which JSON cannot say as a number.
        for name in {"cluster", "network"} & tables.keys():
            tables[name] = _with_infinities(tables[name])
        return intake.scenario(tables, self.directory)

    @property
    def vector(self) -> Vector:
        """What was sent over the network."""
        return Vector(**self.manifest["vector"])

    @property
    def schedule_only(self) -> bool:
        return bool(self.manifest["schedule_only"])

    def run(self, method: str, seed: int) -> Run:
        """What is needed to simulate the schedule of a run once more."""
        run = Run(method, seed)
        if self.scenario.cluster.per == "environment-step":
            run.lengths = self._lengths(method, seed)
        return run

    def _lengths(self, method: str, seed: int) -> dict[Ticket, int]:
        """How long the episodes were, which only the tickets tell."""
        tickets = self.tickets
        if tickets is None:
            raise Mistake(f"{self.directory}: has no tickets.parquet, which tells its times")
        mine = tickets[(tickets["method"] == method) & (tickets["seed"] == seed)]
        rows = mine[["worker", "version", "index"]].itertuples(index=False, name=None)
        lengths = mine["environment_steps"].fillna(0).tolist()
        return {Ticket(*row): int(length) for row, length in zip(rows, lengths, strict=True)}

    def failure(self, method: str, seed: int) -> tuple[Ticket, np.ndarray] | None:
        """Of a run that failed by a gradient: which, and the point where it was taken."""
        path = intake.inside(self.directory, self.directory / files_of(method, seed)[1])
        if not path.exists():
            return None
        # What workers with steps of their own are sent is more than a point (algorithms/local.py).
        sizes = self.vector.dimension, 3 * self.vector.dimension + 1
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
    import pandas as pd

    folder = Path(directory)
    if not folder.exists():
        raise Mistake(f"{folder}: no such directory")
    for name in ("manifest.json", "steps.parquet", "workers.parquet", "tickets.parquet"):
        intake.inside(folder, folder / name)
    manifest = _read(folder / "manifest.json", _manifest)
    tickets = folder / "tickets.parquet"
    # Before the first run has ended, the tables have no columns yet.
    steps, workers = (STEPS, WORKERS) if manifest["runs"] else ((), ())
    return Results(
        directory=folder,
        manifest=manifest,
        steps=_read(folder / "steps.parquet", lambda path: intake.table(path, steps)),
        workers=_read(folder / "workers.parquet", lambda path: intake.table(path, workers)),
        runs=pd.DataFrame(manifest["runs"]),
        tickets=_read(tickets, intake.tickets) if any(tickets.glob("*.parquet")) else None,
    )


def _read(path: Path, how: Callable[[Path], Any]) -> Any:
    """Read one of a result directory's files, or say in a line why not."""
    if not path.exists():
        raise Mistake(f"{path.parent}: not a result directory, it has no {path.name}")
    try:
        return how(path)
    except Mistake:
        raise
    except Exception as error:  # there is no end of what can be wrong with bytes
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Mistake(f"{path}: cannot be read: {reason}") from None


def _manifest(path: Path) -> dict[str, Any]:
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
        status = _manifest(directory / "manifest.json")["status"]
    except (OSError, ValueError, KeyError):
        return ""
    resumable = status in ("running", "interrupted")
    return f", or finish it with --resume {directory}" if resumable else ""


@dataclass
class Writer:
    """Writes what is known so far, after each run."""

    directory: Path
    scenario: Scenario
    command: str
    vector: Vector
    schedule_only: bool = False
    tickets: bool = False
    _steps: list["pd.DataFrame"] = field(default_factory=list)
    _workers: list["pd.DataFrame"] = field(default_factory=list)
    _runs: list[dict[str, Any]] = field(default_factory=list)
    _digests: dict[str, str] = field(default_factory=dict)
    _resumed: int = 0

    def go_on(self, outcome: Results) -> None:
        """Take over what was finished there; runs that were cut short are left out."""
        sealed = outcome.manifest.get("files", {})
        self._runs = [row for row in outcome.manifest["runs"] if self._is_whole(row, sealed)]
        done = self.done
        self._steps = [_of_runs(outcome.steps, done)]
        self._workers = [_of_runs(outcome.workers, done)]
        known = [file for run in done for file in files_of(*run)]
        self._digests = {file: sealed[file] for file in known if file in sealed}
        self._resumed = int(outcome.manifest.get("resumed", 0)) + 1

    def _is_whole(self, row: Mapping[str, Any], sealed: Collection[str]) -> bool:
        """Whether a run ended, and all was written that there is to write of it, and sealed."""
        *_, tickets = files_of(row["method"], row["seed"])
        recorded = tickets in sealed and (self.directory / tickets).is_file()
        return _ended(row) and (recorded or not self.tickets)

    @property
    def done(self) -> set[tuple[str, int]]:
        """The runs that have ended, by method and seed."""
        return {(row["method"], row["seed"]) for row in self._runs if _ended(row)}

    @property
    def ends(self) -> set[str]:
        """How the runs ended so far."""
        return {row["end"] for row in self._runs}

    def add(self, run: Run) -> None:
        """One more run, finished or cut short."""
        import pandas as pd

        self._steps.append(pd.DataFrame(run.columns()))
        self._workers.append(_worker_rows(run))
        self._runs.append(_run_row(run))
        parameters, failed, _ = files_of(run.method, run.seed)
        if run.point is not None:
            self._save(parameters, parameters=run.parameters())
        if run.failure is not None and run.failure.point is not None:
            ticket = np.array(run.failure.ticket, np.int64)
            self._save(failed, point=run.failure.point, ticket=ticket)
        self.write("running")

    def _save(self, name: str, **arrays: np.ndarray) -> None:
        file = self.directory / name
        file.parent.mkdir(exist_ok=True)
        replace(file, lambda path: _save_npz(path, arrays))
        self._digests[name] = digest(file)

    def ledger(self, run: Run) -> Ledger:
        """Where the tickets of a run go."""
        return Ledger(self.directory / "tickets.parquet", run)

    def recorded(self, run: Run) -> None:
        """Its tickets are written."""
        *_, tickets = files_of(run.method, run.seed)
        self._digests[tickets] = digest(self.directory / tickets)
        self._write_manifest("running")

    def write(self, status: str) -> None:
        """Bring every file up to date; ``status`` is running, complete, failed or interrupted."""
        import pandas as pd

        for name, frames in {"steps": self._steps, "workers": self._workers}.items():
            frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
            file = self.directory / f"{name}.parquet"
            replace(file, frame.to_parquet)
            self._digests[file.name] = digest(file)
        self._write_manifest(status)

    def _write_manifest(self, status: str) -> None:
        manifest = self.manifest(status)
        text = json.dumps(manifest | {"seal": seal(manifest)}, indent=2) + "\n"
        replace(self.directory / "manifest.json", lambda path: path.write_text(text))

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
            "versions": {name: version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": cores(),
            "resumed": self._resumed,
            "runs": self._runs,
            "files": dict(sorted(self._digests.items())),
        }


def files_of(method: str, seed: int) -> tuple[str, str, str]:
    """Where the final point of a run is, the point where it failed, and its tickets."""
    run = f"{method}-{seed}"
    return f"parameters/{run}.npz", f"failures/{run}.npz", f"tickets.parquet/{run}.parquet"


def _ended(row: Mapping[str, Any]) -> bool:
    return bool(row["end"] != "interrupted")


def _of_runs(frame: "pd.DataFrame", runs: Collection[tuple[str, int]]) -> "pd.DataFrame":
    """The rows of these runs."""
    if not runs:
        return frame.iloc[:0]
    mine = [run in runs for run in zip(frame["method"], frame["seed"], strict=True)]
    return frame[mine]


def _worker_rows(run: Run) -> "pd.DataFrame":
    import pandas as pd

    accounts = run.accounts
    assert accounts is not None
    counts = {name: values for name, values in accounts._asdict().items() if name != "time"}
    rows = len(accounts.started)
    who = {"method": [run.method] * rows, "seed": run.seed, "worker": np.arange(rows)}
    return pd.DataFrame({**who, **counts, "seconds": accounts.time})


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


def _save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _with_infinities(value: Any) -> Any:
    """The reverse of how a scenario is written: the string ``inf`` is the number again."""
    if isinstance(value, Mapping):
        return {key: _with_infinities(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_infinities(item) for item in value]
    return float("inf") if value == "inf" else value
