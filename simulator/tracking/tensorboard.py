"""TensorBoard: an event file per run, written by tensorboardX.

The wall time of an event is the simulated time, so the axis *relative* shows simulated seconds.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from simulator.tracking.sink import Sink, SinkTable


class TensorboardTable(SinkTable):
    """TensorBoard's event files, in a folder."""

    kind: Literal["tensorboard"] = "tensorboard"
    directory: str | None = Field(default=None, description="[tensorboard, among the results]")
    package: ClassVar[str] = "tensorboardX"
    extra: ClassVar[str] = "tensorboard"

    def open(self, directory: Path) -> Sink:
        folder = directory / "tensorboard"
        return Tensorboard(Path(self.directory) / directory.name if self.directory else folder)


class Tensorboard:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def begin(self, run: str, settings: Mapping[str, Any]) -> None:
        lines = "\n".join(f"| {name} | {value} |" for name, value in settings.items())
        self._of(run).add_text("settings", f"| key | value |\n| --- | --- |\n{lines}", 0, 0.0)

    def log(self, run: str, step: int, seconds: float, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self._of(run).add_scalar(name, value, step, seconds)
        self._of(run).flush()

    def end(self, run: str, summary: Mapping[str, Any]) -> None:
        lines = "\n".join(f"| {name} | {value} |" for name, value in summary.items())
        self._of(run).add_text("outcome", f"| key | value |\n| --- | --- |\n{lines}", 0, 0.0)

    def attach(self, run: str, file: Path) -> None:
        """A PNG becomes an image; TensorBoard shows no other files."""
        if file.suffix != ".png":
            return
        from tensorboardX.proto.summary_pb2 import Summary

        data = file.read_bytes()
        width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
        image = Summary.Image(encoded_image_string=data, width=width, height=height, colorspace=4)
        summary = Summary(value=[Summary.Value(tag=f"figures/{file.stem}", image=image)])
        self._of(run).file_writer.add_summary(summary, 0, 0.0)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def _of(self, run: str) -> Any:
        if run not in self._writers:
            from tensorboardX import SummaryWriter

            self._writers[run] = SummaryWriter(str(self._folder / run))
        return self._writers[run]
