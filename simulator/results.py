"""What does a run leave behind?  A directory of plain files, and the way back into pandas.

    results/straggler/
      manifest.json       the resolved scenario and its hash, versions, how every run ended
      steps.parquet       a row per method, seed and server step; row 0 is the initial point
      workers.parquet     a row per method, seed and worker: what it did with its time
      tickets.parquet     on request: a row per gradient that was started
      parameters/         the final point of every run, as METHOD-SEED.npz
      figures/

Every file is replaced in one go, after each run: what is there can always be read.
"""

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from simulator.mistakes import Mistake
from simulator.record import Run
from simulator.scenario import Scenario
from simulator.schedule import Computation, Step

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
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

    @property
    def scenario(self) -> Scenario:
        tables = dict(self.manifest["scenario"])
        # Only a worker's seconds may be infinite, which JSON cannot say as a number.
        tables["cluster"] = _with_infinities(tables["cluster"])
        return Scenario.model_validate(tables)

    def parameters(self, method: str, seed: int) -> np.ndarray:
        """The final point of a run."""
        path = self.directory / parameters_file(method, seed)
        return np.asarray(_read(path, lambda path: np.load(path, allow_pickle=False)["parameters"]))


def load(directory: str | Path) -> Results:
    """Read a result directory: ``load("results/straggler").steps`` is a data frame."""
    import pandas as pd

    folder = Path(directory)
    manifest = _read(folder / "manifest.json", _manifest)
    tickets = folder / "tickets.parquet"
    return Results(
        directory=folder,
        manifest=manifest,
        steps=_read(folder / "steps.parquet", pd.read_parquet),
        workers=_read(folder / "workers.parquet", pd.read_parquet),
        runs=pd.DataFrame(manifest["runs"]),
        tickets=_read(tickets, pd.read_parquet) if tickets.exists() else None,
    )


def _read(path: Path, how: Callable[[Path], Any]) -> Any:
    """Read one of a result directory's files, or say in a line why not."""
    if not path.exists():
        raise Mistake(f"{path.parent}: not a result directory, it has no {path.name}")
    try:
        return how(path)
    except (ValueError, OSError, EOFError, KeyError, TypeError, BadZipFile) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise Mistake(f"{path}: cannot be read: {reason}") from None


def _manifest(path: Path) -> dict[str, Any]:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(manifest, dict) or not isinstance(manifest.get("runs"), list):
        raise ValueError("not a manifest")
    if manifest.get("format") != FORMAT:
        raise ValueError(f"format {manifest.get('format')}, this straggle reads {FORMAT}")
    return manifest


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
        if any(directory.iterdir()):
            raise Mistake(f"--out {directory}: is not empty; name another directory or remove it")
        (directory / "parameters").mkdir()
    except OSError as error:
        raise Mistake(f"--out {directory}: cannot be written: {error.strerror}") from None
    return directory


@dataclass
class Writer:
    """Writes what is known so far, after each run."""

    directory: Path
    scenario: Scenario
    command: str
    dimension: int | None = None
    _steps: list["pd.DataFrame"] = field(default_factory=list)
    _workers: list["pd.DataFrame"] = field(default_factory=list)
    _tickets: list["pd.DataFrame"] = field(default_factory=list)
    _runs: list[dict[str, Any]] = field(default_factory=list)

    def add(self, run: Run, computations: Iterable[Computation] | None = None) -> None:
        """One more run, finished or cut short, and, if they are wanted, all its tickets."""
        import pandas as pd

        self._steps.append(pd.DataFrame(run.columns()))
        self._workers.append(_worker_rows(run))
        self._runs.append(_run_row(run))
        if computations is not None:
            self._tickets.append(_ticket_rows(run, computations))
        if run.point is not None:
            parameters = run.parameters()
            self.dimension = len(parameters)
            file = self.directory / parameters_file(run.method, run.seed)
            _replace(file, lambda path: _save_npz(path, parameters))
        self.write("running")

    def write(self, status: str) -> None:
        """Bring every file up to date; ``status`` is running, complete, failed or interrupted."""
        import pandas as pd

        tables = {"steps": self._steps, "workers": self._workers, "tickets": self._tickets}
        for name, frames in tables.items():
            if frames or name != "tickets":
                frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
                _replace(self.directory / f"{name}.parquet", frame.to_parquet)
        text = json.dumps(self.manifest(status), indent=2) + "\n"
        _replace(self.directory / "manifest.json", lambda path: path.write_text(text))

    def manifest(self, status: str) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "status": status,
            "command": self.command,
            "scenario": self.scenario.canonical(),
            "scenario_hash": self.scenario.fingerprint(),
            "dimension": self.dimension,
            "versions": {name: version(name) for name in PACKAGES},
            "python": platform.python_version(),
            "machine": platform.machine(),
            "runs": self._runs,
        }


def parameters_file(method: str, seed: int) -> Path:
    return Path("parameters") / f"{method}-{seed}.npz"


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
    gradients = ("started", "used", "recalled", "dropped", "unfinished")
    return {
        "method": run.method,
        "seed": run.seed,
        "end": run.end,
        "message": run.message,
        "seconds_to_target": run.reached,
        "simulated_seconds": accounts.time,
        "real_seconds": round(run.real_seconds, 3),
        "steps": len(run.closed),
        **{name: int(getattr(accounts, name).sum()) for name in gradients},
        "evaluated": run.evaluated,
        "idle_share": accounts.idle_share if accounts.time > 0 else None,
    }


def _ticket_rows(run: Run, computations: Iterable[Computation]) -> "pd.DataFrame":
    import pandas as pd

    rows = pd.DataFrame(
        [(*c.ticket, c.start, c.finish, c.outcome) for c in computations],
        columns=["worker", "version", "index", "start", "finish", "outcome"],
    )
    uses = pd.DataFrame(
        [(*t, step.number, w) for step in run.steps for t, w in _uses(step)],
        columns=["worker", "version", "index", "used_in_step", "weight"],
    ).astype({"used_in_step": "Int64"})
    rows = rows.merge(uses, how="left", on=["worker", "version", "index"])
    rows.insert(0, "method", run.method)
    rows.insert(1, "seed", run.seed)
    return rows


def _uses(step: Step) -> Iterable[tuple[Any, float]]:
    return zip(step.tickets, step.weights, strict=True)


def _save_npz(path: Path, parameters: np.ndarray) -> None:
    with path.open("wb") as file:
        np.savez(file, parameters=parameters)


def _replace(target: Path, write: Any) -> None:
    """Write beside the target, then put it in its place: never half a file."""
    beside = target.with_name(target.name + ".partial")
    write(beside)
    os.replace(beside, target)


def _with_infinities(value: Any) -> Any:
    """The reverse of how a scenario is written: the string ``inf`` is the number again."""
    if isinstance(value, Mapping):
        return {key: _with_infinities(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_infinities(item) for item in value]
    return float("inf") if value == "inf" else value
