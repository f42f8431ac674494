"""``straggle run``."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.app import (
    FiguresOption,
    MethodsOption,
    PluginOption,
    SeedsOption,
    SetOption,
    app,
    command_line,
    complain,
    formats_of,
    say,
    seeds_of,
    show,
    words,
)
from simulator.mistakes import Mistake
from simulator.system.interrupts import INTERRUPTED, remedy

if TYPE_CHECKING:
    from simulator.campaign.run import Finished, RunOptions
    from simulator.figures.painter import Painter
    from simulator.results.results import Results
    from simulator.scenario.scenario import Scenario

FAILED = 3


@app.command()
def run(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of a shipped scenario."),
    ] = None,
    settings: SetOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where results go [results/SCENARIO].")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Finish what was begun there.")
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    tickets: Annotated[
        bool | None,
        typer.Option(
            "--tickets/--no-tickets",
            help="Record every gradient that was started [unless --schedule-only].",
            show_default=False,
        ),
    ] = None,
    schedule_only: Annotated[
        bool, typer.Option("--schedule-only", help="Only the times: no gradients, no learning.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes side by side [as many cores as pay].")
    ] = None,
    figures: FiguresOption = "png",
    timeline: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="What the timeline shows [a round of each method]."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even what should not fit, or never end.")
    ] = False,
    plugins: PluginOption = None,
) -> int:
    """Run every method of a scenario on every seed; write results and figures."""
    from simulator.figures.painter import Painter  # first: its process starts at once

    with Painter(formats_of(figures)) as painter:
        shown = Shown(painter, quiet, as_json, _checked(timeline))
        if resume is not None:
            said: dict[str, object] = {
                "--out": out,
                "--tickets": tickets,
                "--schedule-only": schedule_only or None,
            }
            if scenario is None:
                said |= {"--set": settings, "--methods": methods, "--seeds": seeds}
            chosen = _chosen(scenario, settings, methods, seeds) if scenario else None
            return shown.show(_resume(resume, chosen, said, shown, jobs))
        if scenario is None:
            raise Mistake("no scenario: name a file or a shipped scenario, or --resume DIR")
        from simulator.campaign.run import RunOptions

        chosen = _chosen(scenario, settings, methods, seeds)
        options = RunOptions(schedule_only, tickets, jobs, fitting=not anyway, quiet=shown.silent)
        return shown.show(_run(chosen, out, Path(scenario).stem, options, shown))


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
    shown: "Shown",
) -> int:
    from simulator.campaign.run import run
    from simulator.campaign.words import warn

    warn(scenario)
    if options.schedule_only:
        scenario = _one_of_equal_seeds(scenario, options.quiet)
    ran = run(scenario, out, name, command=command_line(), options=options, ended=shown.draw)
    return _code(ran)


def _code(ran: "Finished") -> int:
    from simulator.campaign.run import how_to_finish

    if ran.results.manifest["status"] == "interrupted":
        return complain(f"interrupted; {how_to_finish(ran.results.directory)}", INTERRUPTED)
    return 0 if ran.good else FAILED


def _resume(
    directory: Path,
    wanted: "Scenario | None",
    said: dict[str, object],
    shown: "Shown",
    jobs: int | None,
) -> int:
    from simulator.campaign.run import RunOptions, resume

    for option, value in said.items():
        if value is not None:
            told = "what is resumed goes on as it was begun; leave this out"
            raise Mistake(f"{option}, with --resume {directory}: {told}")
    options = RunOptions(jobs=jobs, quiet=shown.silent)
    return _code(resume(directory, wanted, options=options, ended=shown.draw))


def _one_of_equal_seeds(scenario: "Scenario", quiet: bool) -> "Scenario":
    """Where nothing about the times depends on the seed, every seed has the same schedule."""
    from simulator.estimate.remarks import one_of_equal_seeds

    chosen = one_of_equal_seeds(scenario)
    if len(chosen.seeds) < len(scenario.seeds) and not quiet:
        told = "straggle: the times are the same for every seed, so one is simulated"
        print(told, file=sys.stderr)
    return chosen


def _checked(timeline: float | None) -> float | None:
    if timeline is not None and not 0 < timeline < math.inf:
        raise Mistake(f"--timeline {timeline:g}: must be a positive number of seconds")
    return timeline


class Shown:
    """What a user sees of a run: its figures are drawn while its table is made."""

    def __init__(
        self, painter: "Painter", quiet: bool, as_json: bool, timeline: float | None
    ) -> None:
        self._painter, self._quiet, self._json = painter, quiet, as_json
        self._timeline = timeline
        self.silent = quiet or as_json
        self._drawn = False

    def draw(self, outcome: "Results") -> None:
        """Hand the figures of results that are complete to the painter."""
        from simulator.figures.plots import pictures

        self._outcome = outcome
        if outcome.manifest["status"] != "interrupted" and self._painter.wanted:
            self._drawn = True
            drawn = pictures(outcome, self._timeline)
            self._painter.paint(drawn, outcome.directory / "figures")

    def show(self, code: int) -> int:
        """Show the outcome of a run that ended with this exit code."""
        from simulator.campaign.run import how_to_finish

        with remedy(how_to_finish(self._outcome.directory)):
            self._show(self._outcome)
        return code

    def _show(self, outcome: "Results") -> None:
        """The table first: figures take a moment."""
        from simulator.statistics import report, summary

        if not self.silent:
            show(report.table(outcome))
            say(*report.notes(outcome))
            print(f"results: {outcome.directory}", flush=True)
        elif self._quiet:
            for line in report.failures(outcome):
                print(f"straggle: {line}", file=sys.stderr)
        figures = self._figures() if self._drawn else []
        if self._json:
            rows = summary.as_data(summary.summarise(outcome))
            status = outcome.manifest["status"]
            where = str(outcome.directory)
            data = {"directory": where, "status": status, "methods": rows, "figures": figures}
            print(json.dumps(data, indent=2))
        elif figures and not self._quiet:
            print(*(f"figure:  {figure}" for figure in figures), sep="\n")

    def _figures(self) -> list[str]:
        from simulator.campaign.progress import showing

        with showing(doing="drawing the figures", quiet=self.silent):
            return sorted(map(str, self._painter.finish()))
