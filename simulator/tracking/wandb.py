"""Weights & Biases: a run for each of ours, in a group; ``WANDB_MODE=offline`` needs no account."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from simulator.tracking.sink import Group, Sink, SinkTable


class WandbTable(SinkTable):
    """Weights & Biases."""

    kind: Literal["wandb"] = "wandb"
    project: str = Field(default="straggle", description="where the runs appear")
    entity: str | None = Field(default=None, description="a team, in place of your own account")
    package: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "wandb"

    def open(self, group: Group) -> Sink:
        return Wandb(self.project, self.entity, group)


class Wandb:
    def __init__(self, project: str, entity: str | None, group: Group) -> None:
        self._place: dict[str, Any] = {
            "project": project,
            "entity": entity,
            "group": group.name,
            "dir": str(group.directory),
            "resume": "allow" if group.resumed else None,
        }
        self._group = group
        self._runs: dict[str, Any] = {}

    def begin(self, run: str, settings: Mapping[str, Any]) -> None:
        self._of(run, settings).config.update(dict(settings))

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        self._of(run).log({"server_step": step, "simulated_seconds": seconds, **metrics})

    def end(self, run: str, summary: Mapping[str, Any]) -> None:
        self._of(run).summary.update(dict(summary))
        self._runs.pop(run).finish()

    def attach(self, run: str, file: Path) -> None:
        import wandb

        artifact = wandb.Artifact(f"{self._group.name}-{file.stem}", file.suffix[1:] or "file")
        artifact.add_file(str(file))
        self._of(run).log_artifact(artifact)

    def close(self) -> None:
        for each in self._runs.values():
            each.finish()

    def _of(self, run: str, settings: Mapping[str, Any] | None = None) -> Any:
        if run not in self._runs:
            os.environ.setdefault("WANDB_SILENT", "true")
            import wandb

            found = wandb.init(
                **self._place,
                id=self._group.id_of(run, settings),
                name=f"{self._group.name}/{run}",
                reinit="create_new",
                settings=wandb.Settings(silent=True, console="off"),
            )
            found.define_metric("*", step_metric="simulated_seconds")
            self._runs[run] = found
        return self._runs[run]
