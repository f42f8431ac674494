"""How are many scenarios run?  By ``complexity``, ``sweep``, ``compare`` and ``check``."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator import gate
from simulator.campaign.runner import Runner
from simulator.commands.arguments import checked, command_of, place_of
from simulator.commands.outcome import Results, Shown, shown
from simulator.gate import suite_file
from simulator.gate.findings import Finding
from simulator.mistakes import labels_of
from simulator.scenario import loading
from simulator.scenario.loading import Source
from simulator.scenario.scenario import Scenario
from simulator.study import study, varying
from simulator.sweeps import sweep_file
from simulator.text_table import Table
from simulator.tracking import Tracking

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from simulator.comparison.comparison import Compared
    from simulator.comparison.tune import Tune
    from simulator.reports.page import Page
    from simulator.sweeps.sweep import Swept


@dataclass(frozen=True, repr=False)
class ComplexityResults(Shown):
    """The time of each run to the target, for every value of a parameter."""

    frame: "pd.DataFrame"
    """A row per method, value and seed."""
    directory: Path
    keeper: object = None
    confidence: float = 0.9
    """Of the intervals in the table."""

    def exponents(self, confidence: float = 0.9) -> "pd.DataFrame":
        """Measured and predicted exponents of the time: a row per method."""
        from simulator.statistics.exponents import exponents

        return exponents(self.frame, confidence)

    def plot(self, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw the times; the options are those of ``analysis.plot_complexity``."""
        from simulator.study.complexity import plot_complexity

        return plot_complexity(self.frame, ax, **options)

    def report(self) -> "Page":
        """A page with everything about it; ``save(path)`` writes it as one HTML file."""
        from simulator.reports import campaigns

        return campaigns.of_study(self.frame, self.directory, self.confidence)

    def _tables(self) -> Sequence[Table]:
        from simulator.study import growth

        return [growth.table(self.frame, self.confidence)]

    def _notes(self) -> Sequence[str]:
        from simulator.study import growth

        return growth.notes(self.frame, self.confidence)


@dataclass(frozen=True, repr=False)
class SweepResults(Shown):
    """Every setting of a sweep, and its score."""

    swept: "Swept"
    keeper: object = None

    @property
    def frame(self) -> "pd.DataFrame":
        """A row per method, setting and seed."""
        return self.swept.frame

    @property
    def directory(self) -> Path:
        return self.swept.directory

    def best(self) -> list[Scenario]:
        """The best settings: a scenario per case."""
        return [loading.load(file) for file in sorted(self.directory.glob("best*.toml"))]

    def plot(self, ax: "Axes | None" = None, *, method: str, **options: Any) -> "Axes":
        """Draw the scores of a method's settings; see ``analysis.plot_sensitivity``."""
        from simulator.sweeps.sensitivity import plot_sensitivity

        return plot_sensitivity(self.frame, ax, method=method, **options)

    def report(self) -> "Page":
        """A page with everything about it; ``save(path)`` writes it as one HTML file."""
        from simulator.reports import campaigns

        return campaigns.of_sweep(self.swept)

    def _tables(self) -> Sequence[Table]:
        from simulator.sweeps import tuning

        return tuning.tables(tuning.best_of(self.frame), self.swept)

    def _notes(self) -> Sequence[str]:
        from simulator.sweeps import tuning

        return tuning.notes(tuning.best_of(self.frame), self.swept)


@dataclass(frozen=True, repr=False)
class CompareResults(Shown):
    """The leading method at each level, and by how much it leads."""

    compared: "Compared"
    keeper: object = None

    @property
    def frame(self) -> "pd.DataFrame":
        """A row per level and method."""
        return self.compared.frame

    @property
    def directory(self) -> Path:
        return self.compared.directory

    @property
    def race(self) -> Results:
        """The runs that were compared."""
        return shown(self.compared.race, self.keeper)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw each method's time to the levels as a multiple of the leader's."""
        from simulator.comparison.figure import plot_ratios
        from simulator.figures.style import axes_of

        methods = list(self.compared.scenario.methods)
        return plot_ratios(self.compared.standings, axes_of(ax), methods)

    def report(self) -> "Page":
        """A page with everything about it; ``save(path)`` writes it as one HTML file."""
        from simulator.reports import campaigns

        return campaigns.of_comparison(self.compared)

    def _tables(self) -> Sequence[Table]:
        from simulator.comparison import words

        return words.tables(self.compared)

    def _notes(self) -> Sequence[str]:
        from simulator.comparison import words

        return words.notes(self.compared)


@dataclass(frozen=True, repr=False)
class CheckResults(Shown):
    """The outcome of every benchmark of a suite."""

    checked: gate.Checked

    @property
    def good(self) -> bool:
        """Whether all benchmarks hold."""
        return self.checked.good

    @property
    def findings(self) -> list[Finding]:
        return self.checked.findings

    def _tables(self) -> Sequence[Table]:
        from simulator.gate import report

        return [report.table(self.checked)]

    def _notes(self) -> Sequence[str]:
        return self.checked.notes


def complexity(
    source: Source,
    vary: str | Sequence[str] = varying.DEFAULT,
    *settings: str,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    runner: Runner | None = None,
    track: str | Sequence[str] = (),
    quiet: bool = False,
) -> ComplexityResults:
    """``straggle complexity``: the time of each run to the target, per value of a parameter.

    Several ``vary`` vary together; the first is the parameter.  The runs stay in a directory
    ``out``, from which the same call continues.  With several ``jobs``, a script (but no notebook)
    needs ``if __name__ == "__main__":``.  A ``runner`` such as ``Ray()`` does the runs elsewhere.
    ``track`` sends the metrics to sinks such as ``"tensorboard"``.

    >>> short = 'objective={kind="quadratic", dimension=5}', "stop={steps=3, target=0.5}"
    >>> found = complexity("sqrt-workers", "cluster.workers=2,4", *short,
    ...     methods="afedpg", seeds=7, jobs=1, quiet=True)
    >>> found.frame["value"].tolist()
    [2, 4]
    """
    given = (*(vary if isinstance(vary, (list, tuple)) else [vary]), *settings)
    methods, seeds = checked("complexity", source, "Scenario", given, methods, seeds, jobs)
    place = place_of(out, track)
    command = command_of("complexity", source, settings, methods, seeds)
    command += [word for each in given[: len(given) - len(settings)] for word in ("--vary", each)]
    with Tracking(track) as tracking:
        frame, directory = study.conduct(
            source,
            varying.together(vary),
            settings=list(settings),
            methods=methods,
            seeds=seeds,
            out=place.path,
            jobs=runner or jobs,
            quiet=quiet,
            command=shlex.join(command),
            tracking=tracking,
        )
    return ComplexityResults(frame, directory, place.keeper)


def sweep(
    source: sweep_file.Source,
    *,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    runner: Runner | None = None,
    yes: bool = False,
    track: str | Sequence[str] = (),
    quiet: bool = False,
) -> SweepResults:
    """``straggle sweep``: run and score every setting.

    ``out``, ``jobs``, ``runner`` and ``track`` are those of ``complexity``.

    >>> from simulator import Quadratic, Sweep
    >>> steps = Sweep(scenario="straggler", grid={"methods.afedpg.step": [0.1, 0.2]},
    ...     set={"objective": Quadratic(), "stop": {"steps": 3, "target": 0}})
    >>> found = sweep(steps, methods="afedpg", seeds=7, jobs=1, quiet=True)
    >>> found.frame["step"].tolist(), found.best()[0].methods["afedpg"].step
    ([0.1, 0.2], 0.2)
    """
    from simulator.sweeps.sweep import conduct

    methods, seeds = checked("sweep", source, "Sweep", (), methods, seeds, jobs)
    place = place_of(out, track)
    with Tracking(track) as tracking:
        swept = conduct(
            source,
            methods=methods,
            seeds=seeds,
            out=place.path,
            jobs=runner or jobs,
            yes=yes,
            quiet=quiet,
            command=shlex.join(command_of("sweep", source, (), methods, seeds)),
            tracking=tracking,
        )
    return SweepResults(swept, place.keeper)


def compare(
    source: Source,
    *settings: str,
    tune: "Tune | None" = None,
    levels: Sequence[float] | None = None,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    confidence: float = 0.9,
    out: str | Path | None = None,
    jobs: int | None = None,
    runner: Runner | None = None,
    track: str | Sequence[str] = (),
    quiet: bool = False,
) -> CompareResults:
    """``straggle compare``: tune every method alike, race them on fresh seeds, name the leader.

    ``tune`` is a grid such as ``{"methods.*.step": [0.1, 0.2]}``, or a value of ``--tune``.

    >>> short = 'objective={kind="quadratic", dimension=5}', "stop={steps=9}", "seeds=[0]"
    >>> found = compare("straggler", *short, methods=["afedpg", "rennala-nigt"],
    ...     tune={"methods.*.step": [0.1, 0.2]}, jobs=1, quiet=True)
    >>> found.race.scenario.seeds, sorted(set(found.frame["method"]))
    ([1, 2, 3, 4, 5], ['afedpg', 'rennala-nigt'])
    """
    from simulator.comparison.comparison import conduct

    methods, seeds = checked("compare", source, "Scenario", settings, methods, seeds, jobs)
    place = place_of(out, track)
    with Tracking(track) as tracking:
        compared = conduct(
            source,
            settings,
            tune=tune,
            levels=levels,
            methods=methods,
            seeds=seeds,
            confidence=confidence,
            out=place.path,
            jobs=runner or jobs,
            quiet=quiet,
            command=shlex.join(command_of("compare", source, settings, methods, seeds)),
            tracking=tracking,
        )
    return CompareResults(compared, place.keeper)


def check_history(
    source: suite_file.Source,
    *,
    baseline: str | Path | None = None,
    only: str | Sequence[str] | None = None,
) -> "pd.DataFrame":
    """``straggle check --history``: the numbers of baselines, over the commits that changed them.

    A row per benchmark, number and commit, the oldest first.  Nothing is run.
    """
    import pandas as pd

    from simulator.gate.history import Point, history

    checked("check_history", source, "Suite")
    place = None if baseline is None else Path(baseline)
    points, _ = history(source, baseline=place, only=labels_of("check_history", only))
    return pd.DataFrame(points, columns=Point._fields)


def check(
    source: suite_file.Source,
    *,
    baseline: str | Path | None = None,
    update: bool = False,
    only: str | Sequence[str] | None = None,
    jobs: int | None = None,
    runner: Runner | None = None,
    quiet: bool = False,
) -> CheckResults:
    """``straggle check``: run a suite and compare it with its baselines, or ``update`` them."""
    checked("check", source, "Suite", jobs=jobs)
    outcome = gate.conduct(
        source,
        baseline=None if baseline is None else Path(baseline),
        update=update,
        only=labels_of("check", only),
        jobs=runner or jobs,
        quiet=quiet,
    )
    return CheckResults(outcome)
