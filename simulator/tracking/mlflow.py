"""MLflow: a run for each of ours, on a server or in a folder.

The timestamp of a metric is the simulated time, and its step the server step.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from simulator.tracking.sink import Sink, SinkTable

LONGEST = 500
"""Characters of a parameter."""


class MlflowTable(SinkTable):
    """MLflow."""

    kind: Literal["mlflow"] = "mlflow"
    uri: str | None = Field(default=None, description="[$MLFLOW_TRACKING_URI, or mlruns there]")
    experiment: str = Field(default="straggle", description="where the runs appear")
    package: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "mlflow"

    def open(self, directory: Path) -> Sink:
        own = (directory / "mlruns").resolve().as_uri()
        return Mlflow(
            self.uri or os.environ.get("MLFLOW_TRACKING_URI") or own, self.experiment, directory
        )


class Mlflow:
    def __init__(self, uri: str, experiment: str, directory: Path) -> None:
        if uri.startswith("file:") or "://" not in uri:  # MLflow wants to be asked for a folder
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow import MlflowClient

        self._client, self._group = MlflowClient(tracking_uri=uri), directory.name
        known = self._client.get_experiment_by_name(experiment)
        self._experiment = (
            known.experiment_id if known else self._client.create_experiment(experiment)
        )
        self._runs: dict[str, str] = {}

    def begin(self, run: str, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            self._client.log_param(self._of(run), name, str(value)[:LONGEST])

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        moment = round(1000 * seconds)
        values = {"simulated_seconds": seconds, **metrics}
        found = [Metric(name, value, moment, step) for name, value in values.items()]
        self._client.log_batch(self._of(run), metrics=found)

    def end(self, run: str, summary: Mapping[str, Any]) -> None:
        for name, value in summary.items():
            self._client.set_tag(self._of(run), name, str(value))
        if run != "results":
            self._client.set_terminated(self._runs.pop(run))

    def attach(self, run: str, file: Path) -> None:
        self._client.log_artifact(self._of(run), str(file))

    def close(self) -> None:
        for each in self._runs.values():
            self._client.set_terminated(each)

    def _of(self, run: str) -> str:
        if run not in self._runs:
            name, tags = f"{self._group}/{run}", {"group": self._group}
            made = self._client.create_run(self._experiment, run_name=name, tags=tags)
            self._runs[run] = str(made.info.run_id)
        return self._runs[run]
