"""``straggle run``."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.app import (
    FiguresOption,
    JsonOption,
    MethodsOption,
    OnOption,
    PluginOption,
    QuietOption,
    ReportOption,
    SeedsOption,
    SetOption,
    TrackOption,
    app,
    command_line,
    complain,
    files_as_data,
    formats_of,
    jobs_on,
    say,
    seeds_of,
    show,
    words,
    write_report,
)
from simulator.mistakes import Mistake
from simulator.system.interrupts import INTERRUPTED, remedy

if TYPE_CHECKING:
    from simulator.campaign.run import Finished, RunOptions
    from simulator.campaign.runner import Jobs
    from simulator.figures.painter import Painter
    from simulator.results.results import Results
    from simulator.scenario.scenario import Scenario
    from simulator.tracking import Tracking

FAILED = 3


@app.command()
def run(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of a shipped scenario."),
    ] = None,
    settings: SetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory of the results [results/SCENARIO]."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Finish the interrupted run there.")
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    tickets: Annotated[
        bool | None,
        typer.Option(
            "--tickets/--no-tickets",
            help="Record every started gradient [unless --schedule-only].",
            show_default=False,
        ),
    ] = None,
    schedule_only: Annotated[
        bool, typer.Option("--schedule-only", help="Only the times: no gradients, no learning.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes [one per core; fewer for little work].")
    ] = None,
    on: OnOption = None,
    figures: FiguresOption = "png",
    timeline: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Length of the timeline [a round of each method]."),
    ] = None,
    track: TrackOption = None,
    report: ReportOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Skip the check of memory and running time.")
    ] = False,
    plugins: PluginOption = None,
) -> int:
    """Run every method of a scenario on every seed; write results and figures."""
    from simulator.figures.painter import Painter  # first: its process starts at once
    from simulator.tracking import Tracking

    with Painter(formats_of(figures)) as painter, Tracking(track or ()) as tracking:
        if timeline is not None and not 0 < timeline < math.inf:
            raise Mistake(f"--timeline {timeline:g}: must be a positive number of seconds")
        where = jobs_on(on, jobs)
        if resume is not None:
            given: dict[str, object] = {
                "--out": out,
                "--tickets": tickets,
                "--schedule-only": schedule_only or None,
            }
            if scenario is None:
                given |= {"--set": settings, "--methods": methods, "--seeds": seeds}
            chosen = _chosen(scenario, settings, methods, seeds) if scenario else None
            presenter = Presenter(painter, quiet, as_json, timeline, report)
            return presenter.show(_resume(resume, chosen, given, presenter, where, tracking))
        if scenario is None:
            raise Mistake("no scenario: name a file or a shipped scenario, or --resume DIR")
        from simulator.campaign.run import RunOptions

        chosen, silent = _chosen(scenario, settings, methods, seeds), quiet or as_json
        presenter = Presenter(painter, quiet, as_json, timeline, report)
        options = RunOptions(
            schedule_only, tickets, where, fitting=not anyway, quiet=silent, tracking=tracking
        )
        return presenter.show(_run(chosen, out, Path(scenario).stem, options, presenter))


def _chosen(
    scenario: str, settings: list[str] | None, methods: str | None, seeds: str | None
) -> "Scenario":
    from simulator.scenario.loading import load

    return load(scenario, settings or []).restrict(words(methods), seeds_of(seeds))


def _run(
    scenario: "Scenario",
    out: Path | None,
    name: str,
    options: "RunOptions",
    presenter: "Presenter",
) -> int:
    from simulator.campaign.run import run
    from simulator.estimate.remarks import one_of_equal_seeds, warn

    warn(scenario)
    if options.schedule_only:
        seeds, scenario = len(scenario.seeds), one_of_equal_seeds(scenario)
        if len(scenario.seeds) < seeds and not options.quiet:
            message = "straggle: the times are the same for every seed, so one is simulated"
            print(message, file=sys.stderr)
    command, ended = command_line(), presenter.draw
    return _code(run(scenario, out, name, command=command, options=options, ended=ended))


def _resume(
    directory: Path,
    wanted: "Scenario | None",
    given: dict[str, object],
    presenter: "Presenter",
    jobs: "Jobs",
    tracking: "Tracking",
) -> int:
    from simulator.campaign.run import RunOptions, resume

    for option, value in given.items():
        if value is not None:
            message = "a resumed run keeps its options; leave this out"
            raise Mistake(f"{option}, with --resume {directory}: {message}")
    options = RunOptions(jobs=jobs, quiet=presenter.silent, tracking=tracking)
    return _code(resume(directory, wanted, options=options, ended=presenter.draw))


def _code(finished: "Finished") -> int:
    from simulator.campaign.run import how_to_finish

    if finished.results.manifest["status"] == "interrupted":
        return complain(f"interrupted; {how_to_finish(finished.results.directory)}", INTERRUPTED)
    return 0 if finished.good else FAILED


class Presenter:
    """Prints the table of a run while another process draws its figures."""

    def __init__(
        self,
        painter: "Painter",
        quiet: bool,
        as_json: bool,
        timeline: float | None,
        report: bool,
    ) -> None:
        self._painter, self._quiet, self._json = painter, quiet, as_json
        self._timeline, self._report = timeline, report
        self.silent = quiet or as_json
        self._drawn = False

    def draw(self, results: "Results") -> None:
        """Hand the figures of complete results to the painter."""
        from simulator.figures.plots import pictures

        self._results = results
        if results.manifest["status"] != "interrupted" and self._painter.wanted:
            self._drawn = True
            drawn = pictures(results, self._timeline)
            self._painter.paint(drawn, results.directory / "figures")

    def show(self, code: int) -> int:
        """Print the results of a run, and return its exit code."""
        from simulator.campaign.run import how_to_finish

        with remedy(how_to_finish(self._results.directory)):
            self._show(self._results)
        return code

    def _show(self, results: "Results") -> None:
        from simulator.campaign.progress import showing
        from simulator.statistics import report, summary

        if not self.silent:
            show(report.table(results))
            say(*report.notes(results))
            print(f"results: {results.directory}", flush=True)
        elif self._quiet:
            for line in report.failures(results):
                print(f"straggle: {line}", file=sys.stderr)
        figures = []
        if self._drawn:
            with showing(doing="drawing the figures", quiet=self.silent):
                figures = sorted(map(str, self._painter.finish()))
        if figures and not self.silent:
            print(*(f"figure:  {figure}" for figure in figures), sep="\n")
        status, made = results.manifest["status"], None
        if self._report and status != "interrupted":
            from simulator.reports.run import page

            made = write_report(lambda: page(results), results.directory, self.silent)
        if self._json:
            rows = summary.as_data(summary.summarise(results))
            data = {"directory": str(results.directory), "status": status, "methods": rows}
            print(json.dumps(data | files_as_data(figures, made), indent=2))
