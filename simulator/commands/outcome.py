"""What do the commands return in Python?  Objects that print as the command's tables."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.commands import finished
from simulator.mistakes import printable
from simulator.reports import markup
from simulator.results import results
from simulator.statistics import report, summary
from simulator.text_table import Table, laid_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from simulator.replays.policy import TrainedPolicy
    from simulator.reports.page import Page
    from simulator.verification.report import Report


class Shown:
    """An object whose text, also in a notebook, consists of tables and notes."""

    @abstractmethod
    def _tables(self) -> Sequence[Table]: ...

    @abstractmethod
    def _notes(self) -> Sequence[str]: ...

    def __repr__(self) -> str:
        lines = [line.text for table in self._tables() for line in laid_out(table)]
        return "\n".join(map(printable, [*lines, *self._notes()]))

    def _repr_html_(self) -> str:
        return "".join(map(markup.table, self._tables())) + markup.items(self._notes())


@dataclass(frozen=True, repr=False)
class Results(Shown, results.Results):
    """A finished run: its tables as data frames."""

    keeper: object = None
    """Removes a temporary directory with these results."""

    def summary(self) -> "pd.DataFrame":
        """A row per method: medians over its seeds."""
        import pandas as pd

        return pd.DataFrame([row._asdict() for row in summary.summarise(self)])

    def verify(self) -> "Report":
        """Check the files against the rules of the schedule; see ``simulator.verify``."""
        return finished.verify(self)

    def report(self) -> "Page":
        """A page with everything about the run; ``save(path)`` writes it as one HTML file."""
        from simulator.reports import run

        return run.page(self)

    def evaluate(self, **options: Any) -> "pd.DataFrame":
        """Play the final policies again; the options are those of ``simulator.evaluate``."""
        return finished.evaluate(self, **options)

    def policy(
        self, method: str, seed: int | None = None, worker: int | None = None
    ) -> "TrainedPolicy":
        """The final policy of a method: ``policy("afedpg").act(observation)`` needs no JAX.

        The first seed is the default.  A ``worker`` gives its observations a sign or a flag.
        """
        from simulator.replays.policy import trained

        return trained(self, method, seed, worker)

    def plot(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw the metric over time; the options are those of ``analysis.plot_metric``."""
        from simulator.figures.curves import plot_metric

        return plot_metric(self, ax, **options)

    def _tables(self) -> Sequence[Table]:
        return [report.table(self)]

    def _notes(self) -> Sequence[str]:
        return report.notes(self)


def load_results(directory: str | Path) -> Results:
    """The results in a directory."""
    return shown(results.load(directory))


def shown(plain: results.Results, keeper: object = None) -> Results:
    """Results that print as a table."""
    columns = {each.name: getattr(plain, each.name) for each in fields(results.Results)}
    return Results(**columns, keeper=keeper)
