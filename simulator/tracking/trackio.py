"""Trackio: a run for each of ours, in a folder of this machine or on a Hugging Face space."""

from collections.abc import Mapping
from contextlib import redirect_stdout
from contextvars import copy_context
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from simulator.tracking.sink import Group, Sink, SinkTable


class TrackioTable(SinkTable):
    """Trackio."""

    kind: Literal["trackio"] = "trackio"
    project: str = Field(default="straggle", description="where the runs appear")
    space: str | None = Field(default=None, description="a Hugging Face space [this machine]")
    package: ClassVar[str] = "trackio"
    extra: ClassVar[str] = "trackio"

    def open(self, group: Group) -> Sink:
        return Trackio(self.project, self.space, group)


class Trackio:
    def __init__(self, project: str, space: str | None, group: Group) -> None:
        self._place: dict[str, Any] = {
            "project": project,
            "space_id": space,
            "group": group.name,
            "resume": "allow" if group.resumed else "never",
        }
        self._runs: dict[str, Any] = {}
        self._settings: dict[str, dict[str, Any]] = {}

    def begin(self, run: str, settings: Mapping[str, Any]) -> None:
        self._settings[run] = dict(settings)

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        self._of(run).log({"simulated_seconds": seconds, **metrics}, step=step)

    def end(self, run: str, summary: Mapping[str, Any]) -> None:
        """Runs are finished at the end of all, because Trackio prints as it does so."""
        numbers = {f"outcome/{k}": v for k, v in summary.items() if isinstance(v, int | float)}
        self._of(run).log(numbers)

    def attach(self, run: str, file: Path) -> None:
        """A PNG becomes an image; Trackio shows no other files."""
        if file.suffix == ".png":
            import trackio

            self._of(run).log({f"figures/{file.stem}": trackio.Image(str(file))})

    def close(self) -> None:
        with redirect_stdout(StringIO()):
            for each in self._runs.values():
                each.finish()

    def _of(self, run: str) -> Any:
        if run not in self._runs:
            import trackio

            # Trackio has one run in a context, and finishes it when another begins.
            with redirect_stdout(StringIO()):
                self._runs[run] = copy_context().run(
                    trackio.init,
                    **self._place,
                    name=f"{self._place['group']}/{run}",
                    config=self._settings.get(run, {}),
                )
        return self._runs[run]
