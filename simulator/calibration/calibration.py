"""How does a log become the description of a cluster?  Speeds, outages, then laws of durations."""

from dataclasses import dataclass

from simulator.calibration import choice, silence, speeds
from simulator.calibration.choice import Candidate
from simulator.calibration.log import Log, Sample
from simulator.calibration.silence import Failures, Outage
from simulator.calibration.speeds import Levels

DIFFERENT = 0.01
"""Workers with a smaller p-value draw from their own rows."""


@dataclass(frozen=True)
class Part:
    """A kind of rows, and the laws that were fitted to it."""

    sample: Sample
    """With work instead of seconds, if speeds change."""
    candidates: list[Candidate]
    """The best first."""

    @property
    def chosen(self) -> Candidate | None:
        """The law that fits; None if the measured seconds must be drawn again."""
        best = self.candidates[0] if self.candidates else None
        return best if best and best.good else None

    @property
    def workers_differ(self) -> bool:
        """Whether a Kruskal-Wallis test tells them apart."""
        from scipy.stats import kruskal

        sample = self.sample
        rows = [sample.seconds[sample.of(worker)] for worker in range(sample.workers)]
        return len(rows) > 1 and bool(kruskal(*rows).pvalue < DIFFERENT)


@dataclass(frozen=True)
class Calibration:
    """All that a log says about its cluster."""

    log: Log
    parts: dict[str, Part]
    levels: dict[int, Levels]
    """The speeds of the workers that change them."""
    outages: list[Outage]
    failures: Failures | None

    @property
    def workers(self) -> int:
        return len(self.log.names)


def calibrated(log: Log) -> Calibration:
    """Fit everything that the simulator knows to a log."""
    compute = log.samples["compute"]
    levels = speeds.levels_of(compute)
    samples = {**log.samples, "compute": speeds.work_of(compute, levels)}
    parts = {kind: Part(each, choice.candidates(each)) for kind, each in samples.items()}
    absent = silence.outages_of(compute)
    failures = silence.failures_of(compute, absent)
    return Calibration(log, parts, levels, silence.unexplained(compute, absent, failures), failures)
