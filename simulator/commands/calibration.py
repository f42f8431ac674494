"""How is a cluster calibrated?  From a log of a real one, in a file or a data frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from simulator.calibration import log as logs
from simulator.calibration import tables, timeline, words
from simulator.calibration.calibration import Calibration, calibrated
from simulator.calibration.choice import Candidate
from simulator.commands.arguments import place_of
from simulator.commands.outcome import Shown
from simulator.mistakes import Mistake, check_argument, did_you_mean
from simulator.scenario.data_files import files_in, with_files
from simulator.text_table import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

TIMELINE = ".json"


@dataclass(frozen=True, repr=False)
class CalibrationResults(Shown):
    """A cluster that was fitted to a log."""

    found: Calibration
    file: Path
    """The TOML file with the tables; the files of its laws lie beside it."""
    keeper: object = None

    @property
    def tables(self) -> dict[str, Any]:
        """The tables ``cluster`` and ``network`` of a scenario, with absolute paths."""
        plain = tables.tables_of(self.found, self.file.stem)
        beside = self.file.absolute()
        return with_files(
            plain, {path: str(beside.with_name(name)) for path, name in files_in(plain).items()}
        )

    @property
    def candidates(self) -> "pd.DataFrame":
        """A row per law that was fitted, and kind; the best of a kind comes first."""
        import pandas as pd

        return pd.DataFrame(rows(self.found))

    def plot(self, ax: "Axes | None" = None, *, kind: str = "compute") -> "Axes":
        """Draw the durations of one kind, and the law that fits best."""
        from simulator.calibration.figure import SIZE, plot_fit
        from simulator.figures.style import axes_of

        if kind not in self.found.parts:
            hint = did_you_mean(kind, self.found.parts)
            raise Mistake(f"plot: kind = {kind!r}: not in this log; {hint}")
        return plot_fit(self.found.parts[kind], axes_of(ax, SIZE))

    def _tables(self) -> Sequence[Table]:
        return [words.table(part) for part in self.found.parts.values() if part.candidates]

    def _notes(self) -> Sequence[str]:
        return list(words.sentences(self.found))


def calibrate(
    log: "str | Path | pd.DataFrame", *, out: str | Path | None = None, name: str | None = None
) -> CalibrationResults:
    """``straggle calibrate``: fit a cluster to a log of a real one.

    ``log`` is a CSV or Parquet file or a data frame with the columns worker, start and end, or
    worker and seconds, and perhaps kind (compute, upload or download); or the JSON file of a
    timeline, of which ``name`` chooses events.  The tables go to the file ``out``, by default in
    a temporary directory that vanishes with the results.
    """
    import pandas as pd

    kinds = (str, Path, pd.DataFrame)
    check_argument("calibrate: log", log, kinds, "give the path of a log, or a data frame")
    check_argument("calibrate: name", name, (str, NoneType), "give a regular expression")
    found = calibrated(_log(log, name))
    place = place_of(None if out is None else Path(out).parent)
    file = place.path / ("cluster.toml" if out is None else Path(out).name)
    tables.write(found, file)
    return CalibrationResults(found, file, place.keeper)


def _log(log: "str | Path | pd.DataFrame", name: str | None) -> logs.Log:
    if not isinstance(log, str | Path):
        return logs.of_frame(log, "log")
    if Path(log).suffix.lower() == TIMELINE:
        return logs.of_frame(timeline.read(Path(log), name), str(log))
    if name is not None:
        raise Mistake(f"--name {name}: is for timelines, files that end in .json")
    return logs.read(Path(log))


def rows(found: Calibration) -> Iterator[dict[str, Any]]:
    """Plain data of every candidate."""
    for kind, part in found.parts.items():
        for each in part.candidates:
            yield {"kind": kind, "chosen": each is part.chosen, **_plain(each)}


def _plain(each: Candidate) -> dict[str, Any]:
    own = each.parameters
    varies = each.scores is not None
    return {
        "law": each.law,
        "groups": each.grouping,
        "scale": own.scale.tolist(),
        "scale_error": own.scale_error.tolist(),
        "shape": own.shape if each.family and each.family.shape else None,
        "shape_error": own.shape_error if each.family and each.family.shape else None,
        "score": each.score if varies else None,
        "distance": each.distance,
        "p": each.p,
    }


def as_data(results: CalibrationResults) -> dict[str, Any]:
    """The outcome as JSON has it."""
    return {
        "file": str(results.file),
        "workers": results.found.log.names,
        "tables": results.tables,
        "candidates": list(rows(results.found)),
        "sentences": results._notes(),
    }
