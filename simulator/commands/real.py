"""How does a scenario run in real time?  And did the simulator predict it?"""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.commands.arguments import checked, command_of, place_of
from simulator.commands.outcome import Results, Shown, shown
from simulator.mistakes import Mistake
from simulator.realtime import prediction
from simulator.realtime import run as realtime
from simulator.realtime.prediction import Prediction
from simulator.realtime.run import TIME_SCALE, RealOptions
from simulator.scenario import loading
from simulator.scenario.loading import Source
from simulator.statistics import report
from simulator.text_table import Table
from simulator.tracking import Tracking

if TYPE_CHECKING:
    import pandas as pd

    from simulator.reports.page import Page


@dataclass(frozen=True, repr=False)
class RealResults(Shown):
    """Runs in real time, and how well the simulator predicted them."""

    results: Results
    predictions: list[Prediction] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return self.results.directory

    @property
    def frame(self) -> "pd.DataFrame":
        """A row per run: simulated, real, and the relative errors; empty without ``compare``."""
        return prediction.frame(self.predictions)

    def report(self) -> "Page":
        """A page with everything about it; ``save(path)`` writes it as one HTML file."""
        from simulator.reports import campaigns

        return campaigns.of_real(self.results, self.predictions)

    def _tables(self) -> Sequence[Table]:
        compared = [prediction.table(self.predictions)] if self.predictions else []
        return [report.table(self.results), *compared]

    def _notes(self) -> Sequence[str]:
        return [*report.notes(self.results), *realtime.notes(self.results)]


def real(
    source: Source,
    *settings: str,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    time_scale: float = TIME_SCALE,
    address: str | None = None,
    compare: bool = False,
    out: str | Path | None = None,
    track: str | Sequence[str] = (),
    quiet: bool = False,
) -> RealResults:
    """``straggle real``: run every method in real time, on actors of a Ray cluster.

    A scenario second lasts ``time_scale`` real seconds.  ``address`` is that of a cluster; without
    it one starts on this machine.  ``compare`` also simulates the runs.  ``track`` is that of
    ``run``.  Needs the extra ``ray``.
    """
    methods, seeds = checked("real", source, "Scenario", settings, methods, seeds)
    if not isinstance(time_scale, int | float) or not 0 < time_scale < math.inf:
        raise Mistake(f"real: time_scale = {time_scale!r}: must be a positive number of seconds")
    scenario = loading.load(source, settings).restrict(methods, seeds)
    place = place_of(out, track)
    command = shlex.join(command_of("real", source, settings, methods, seeds))
    with Tracking(track) as tracking:
        options = RealOptions(float(time_scale), address, quiet, tracking)
        ran = realtime.run(scenario, place.path, "", command=command, options=options)
    predictions = prediction.predict(ran.results) if compare else []
    return RealResults(shown(ran.results, place.keeper), predictions)
