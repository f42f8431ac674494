"""TensorBoard: an event file per run, written by tensorboardX.

The wall time of an event is the simulated time, so the axis *relative* shows simulated seconds.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from simulator.tracking.sink import Group, Sink, SinkTable


class TensorboardTable(SinkTable):
    """TensorBoard's event files, in a folder."""

    kind: Literal["tensorboard"] = "tensorboard"
    directory: str | None = Field(default=None, description="[tensorboard, among the results]")
    package: ClassVar[str] = "tensorboardX"
    extra: ClassVar[str] = "tensorboard"

    def open(self, group: Group) -> Sink:
        folder = group.directory / "tensorboard"
        return Tensorboard(Path(self.directory) / group.name if self.directory else folder)


class Tensorboard:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._settings: dict[str, Mapping[str, Any]] = {}
        self._writers: dict[str, Any] = {}

    def begin(self, run: str, settings: Mapping[str, Any]) -> None:
        self._settings[run] = settings

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        writer = self._of(run, step)
        for name, value in metrics.items():
            writer.add_scalar(name, value, step, seconds)
        writer.flush()

    def end(self, run: str, summary: Mapping[str, Any]) -> None:
        self._of(run).add_text("outcome", _table(summary), 0, 0.0)
        self._writers.pop(run).close()  # a sweep has more runs than a process may have open files

    def attach(self, run: str, file: Path) -> None:
        """A PNG becomes an image; TensorBoard shows no other files."""
        if file.suffix != ".png":
            return
        from tensorboardX.proto.summary_pb2 import Summary

        data = file.read_bytes()
        width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        image = Summary.Image(encoded_image_string=data, width=width, height=height, colorspace=4)
        summary = Summary(value=[Summary.Value(tag=f"figures/{file.stem}", image=image)])
        self._of(run, 0).file_writer.add_summary(summary, 0, 0.0)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def _of(self, run: str, first: int | None = None) -> Any:
        """The file of a run; TensorBoard hides events of earlier files from step ``first`` on."""
        if run not in self._writers:
            from tensorboardX import SummaryWriter

            suffix = f".{time.time_ns()}"  # a second of its own would not tell two files apart
            writer = SummaryWriter(
                str(self._folder / run), purge_step=first, filename_suffix=suffix
            )
            if run in self._settings:
                _add_settings(writer, self._settings.pop(run))
            self._writers[run] = writer
        return self._writers[run]


def _add_settings(writer: Any, settings: Mapping[str, Any]) -> None:
    """As a text, and for the tab *HParams*, which compares the runs of a sweep."""
    from tensorboardX.summary import hparams

    writer.add_text("settings", _table(settings), 0, 0.0)
    plain = {k: v if isinstance(v, str | float | int) else str(v) for k, v in settings.items()}
    # TensorBoard would take the keys of one run's experiment for those of all.
    _experiment, start, _end = hparams(plain, {})
    writer.file_writer.add_summary(start, 0, 0.0)


def _table(values: Mapping[str, Any]) -> str:
    lines = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    return f"| key | value |\n| --- | --- |\n{lines}"
