"""Which sinks are there?  Those of this folder, and of plug-ins."""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Annotated, Any, TypeAlias

from simulator.mistakes import Mistake, did_you_mean
from simulator.system.install import install_command, install_packages
from simulator.table import OneOf
from simulator.tracking.mlflow import MlflowTable
from simulator.tracking.sink import SinkTable
from simulator.tracking.tensorboard import TensorboardTable
from simulator.tracking.trackio import TrackioTable
from simulator.tracking.wandb import WandbTable

SINKS: dict[str, type[SinkTable]] = {
    "tensorboard": TensorboardTable,
    "wandb": WandbTable,
    "mlflow": MlflowTable,
    "trackio": TrackioTable,
}


def _with_kind(value: Any) -> Any:
    """A name alone is a sink with its defaults."""
    return {"kind": value} if isinstance(value, str) else value


AnySink: TypeAlias = Annotated[SinkTable, OneOf("kind", SINKS.keys, SINKS.__getitem__, _with_kind)]


def sinks_of(tables: Sequence[SinkTable], names: Iterable[str] = ()) -> list[SinkTable]:
    """The sinks of a scenario and of ``--track``; a Mistake if a package is not installed."""
    found = list(tables)
    for name in names:
        if name not in SINKS:
            raise Mistake(f"--track {name!r}: no such sink; {did_you_mean(name, SINKS)}")
        if all(table.kind != name for table in found):
            found.append(SINKS[name](kind=name))
    for table in found:
        if table.package and find_spec(table.package) is None:
            command = (
                install_command(table.extra) if table.extra else install_packages(table.package)
            )
            raise Mistake(f"tracking by {table.kind}: {table.package} is not installed; {command}")
    return found
