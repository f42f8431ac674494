"""What does ``run`` return?  The results, which show themselves as the command's table does."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.commands import finished
from simulator.commands.shown import Shown
from simulator.results import results
from simulator.statistics import report, summary
from simulator.text_table import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from simulator.verification.report import Report


@dataclass(frozen=True, repr=False)
class Results(Shown, results.Results):
    """A run that is done: its tables as data frames, and what one asks next."""

    keeper: object = None
    """Removes a temporary directory when these results are gone."""

    def summary(self) -> "pd.DataFrame":
        """The table as numbers: a row per method, medians over its seeds."""
        import pandas as pd

        return pd.DataFrame([row._asdict() for row in summary.summarise(self)])

    def verify(self) -> "Report":
        """Check the files against the rules of the schedule; see ``simulator.verify``."""
        return finished.verify(self)

    def evaluate(self, **options: Any) -> "pd.DataFrame":
        """Play the final policies again; the options are those of ``simulator.evaluate``."""
        return finished.evaluate(self, **options)

    def plot(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw the metric over time; the options are those of ``analysis.plot_metric``."""
        from simulator.figures.curves import plot_metric

        return plot_metric(self, ax, **options)

    def _tables(self) -> Sequence[Table]:
        return [report.table(self)]

    def _notes(self) -> Sequence[str]:
        return report.notes(self)


def load_results(directory: str | Path) -> Results:
    """What a run has left in a directory, whoever ran it."""
    return shown(results.load(directory))


def shown(found: results.Results, keeper: object = None) -> Results:
    """The same results, which show themselves."""
    columns = {each.name: getattr(found, each.name) for each in fields(results.Results)}
    return Results(**columns, keeper=keeper)
