"""Which report shows the results in a directory?  That of their kind."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.commands.shelf import kind_of
from simulator.mistakes import Mistake, check_argument

if TYPE_CHECKING:
    from simulator.reports.page import Page


def report(directory: str | Path) -> "Page":
    """``straggle report``: a report of the results in a directory, as one HTML file.

    A notebook shows it, and ``save(path)`` writes it.
    """
    check_argument("report: directory", directory, (str, Path), "give the path of one")
    place = Path(directory)
    if not place.is_dir():
        raise Mistake(f"report: {place}: is no directory; name one with results")
    kind = kind_of(place)
    if kind is None:
        raise Mistake(f"report: {place}: holds no results; straggle show lists those that exist")
    return PAGES[kind](place)


def _run(place: Path) -> "Page":
    from simulator.realtime import prediction
    from simulator.reports import campaigns, run
    from simulator.results import results

    found = results.load(place)
    if found.real:
        return campaigns.of_real(found, prediction.load(place))
    return run.page(found)


def _sweep(place: Path) -> "Page":
    from simulator.reports import campaigns
    from simulator.sweeps import sweep

    return campaigns.of_sweep(sweep.load(place))


def _study(place: Path) -> "Page":
    import pandas as pd

    from simulator.reports import campaigns
    from simulator.study import study

    frame, manifest = pd.read_parquet(place / "complexity.parquet"), study.manifest_in(place)
    return campaigns.of_study(frame, place, manifest["confidence"])


def _comparison(place: Path) -> "Page":
    from simulator.comparison import comparison
    from simulator.reports import campaigns

    return campaigns.of_comparison(comparison.load(place))


PAGES: dict[str, Callable[[Path], "Page"]] = {
    "run": _run,
    "sweep": _sweep,
    "study": _study,
    "comparison": _comparison,
}
