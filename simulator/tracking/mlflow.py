"""MLflow: a run for each of ours, on a server or in a folder.

The timestamp of a metric is the simulated time, and its step the server step.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from simulator.tracking.sink import Group, Sink, SinkTable

LONGEST = 500
"""Characters of a parameter."""
MOST = 50_000
"""Runs that MLflow finds at a time."""
TOKEN, ID = "straggle_directory", "straggle_run"


class MlflowTable(SinkTable):
    """MLflow."""

    kind: Literal["mlflow"] = "mlflow"
    uri: str | None = Field(default=None, description="[$MLFLOW_TRACKING_URI, or mlruns there]")
    experiment: str = Field(default="straggle", description="where the runs appear")
    package: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "mlflow"

    def open(self, group: Group) -> Sink:
        own = (group.directory / "mlruns").resolve().as_uri()
        uri = self.uri or os.environ.get("MLFLOW_TRACKING_URI") or own
        return Mlflow(uri, self.experiment, group)


class Mlflow:
    def __init__(self, uri: str, experiment: str, group: Group) -> None:
        if uri.startswith("file:") or "://" not in uri:  # MLflow wants to be asked for a folder
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow import MlflowClient

        self._client, self._group = MlflowClient(tracking_uri=uri), group
        known = self._client.get_experiment_by_name(experiment)
        self._experiment = (
            known.experiment_id if known else self._client.create_experiment(experiment)
        )
        self._runs: dict[str, str] = {}
        self._earlier = self._found() if group.resumed else {}

    def begin(self, run: str, settings: Mapping[str, Any]) -> None:
        own = self._of(run, settings)
        for name, value in settings.items():
            self._client.log_param(own, name, str(value)[:LONGEST])

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        moment = round(1000 * seconds)
        values = {"simulated_seconds": seconds, **metrics}
        found = [Metric(name, value, moment, step) for name, value in values.items()]
        self._client.log_batch(self._of(run), metrics=found)

    def end(self, run: str, summary: Mapping[str, Any]) -> None:
        for name, value in summary.items():
            self._client.set_tag(self._of(run), name, str(value))
        self._client.set_terminated(self._runs.pop(run))

    def attach(self, run: str, file: Path) -> None:
        self._client.log_artifact(self._of(run), str(file))

    def close(self) -> None:
        for each in self._runs.values():
            self._client.set_terminated(each)

    def _of(self, run: str, settings: Mapping[str, Any] | None = None) -> str:
        if run not in self._runs:
            id_ = self._group.id_of(run, settings)
            if id_ in self._earlier:
                self._runs[run] = self._earlier[id_]
                self._client.update_run(self._runs[run], status="RUNNING")
            else:
                tags = {"group": self._group.name, TOKEN: self._group.token, ID: id_}
                name = f"{self._group.name}/{run}"
                made = self._client.create_run(self._experiment, run_name=name, tags=tags)
                self._runs[run] = str(made.info.run_id)
        return self._runs[run]

    def _found(self) -> dict[str, str]:
        """The runs of earlier commands, by their identities."""
        own = f"tags.{TOKEN} = '{self._group.token}'"
        runs = self._client.search_runs([self._experiment], own, max_results=MOST)
        return {run.data.tags[ID]: str(run.info.run_id) for run in runs}
