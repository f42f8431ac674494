"""``straggle real``."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.app import (
    FiguresOption,
    JsonOption,
    MethodsOption,
    PluginOption,
    QuietOption,
    ReportOption,
    ScenarioArgument,
    SeedsOption,
    SetOption,
    TrackOption,
    app,
    command_line,
    complain,
    files_as_data,
    formats_of,
    say,
    seeds_of,
    show,
    words,
    write_report,
)
from simulator.mistakes import Mistake
from simulator.system.interrupts import INTERRUPTED

if TYPE_CHECKING:
    from simulator.figures.painter import Painter
    from simulator.realtime.prediction import Prediction
    from simulator.results.results import Results

FAILED = 3


@app.command()
def real(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    time_scale: Annotated[
        float, typer.Option(metavar="SECONDS", help="Real seconds of a simulated second.")
    ] = 0.05,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="ray=HOST:PORT", help="A Ray cluster [one starts here]."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Simulate the runs, too, and report the errors.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where results go [results/SCENARIO-real].")
    ] = None,
    track: TrackOption = None,
    figures: FiguresOption = "png",
    report: ReportOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> int:
    """Run every method in real time: real gradients on Ray actors, with injected delays."""
    if not 0 < time_scale < math.inf:
        raise Mistake(f"--time-scale {time_scale:g}: must be a positive number of real seconds")
    from simulator.figures.painter import Painter  # first: its process starts at once
    from simulator.tracking import Tracking

    with Painter(formats_of(figures)) as painter, Tracking(track or ()) as tracking:
        from simulator.realtime import prediction
        from simulator.realtime.run import RealOptions, run
        from simulator.scenario.loading import load

        chosen = load(scenario, settings or []).restrict(words(methods), seeds_of(seeds))
        options = RealOptions(time_scale, _address(on), quiet or as_json, tracking)
        name, command = Path(scenario).stem, command_line()
        ran = run(chosen, out, name, command=command, options=options)
        if ran.results.manifest["status"] == "interrupted":
            return complain("interrupted; what ended is written", INTERRUPTED)
        predictions = prediction.predict(ran.results) if compare else []
        drawn = _draw(painter, ran.results, compare)
        _show(ran.results, predictions, drawn, report, quiet, as_json)
    return 0 if ran.good else FAILED


def _address(on: str | None) -> str | None:
    if on is None:
        return None
    kind, _, address = on.partition("=")
    if kind != "ray":
        raise Mistake(f"--on {on}: must be ray=HOST:PORT of a cluster that is up")
    return address or None


def _draw(painter: "Painter", results: "Results", compare: bool) -> list[str]:
    """The files of the figures."""
    from simulator.figures.plots import pictures
    from simulator.realtime import prediction

    if not painter.wanted:
        return []
    both = prediction.pictures(results) if compare else {}
    painter.paint({**pictures(results), **both}, results.directory / "figures")
    return sorted(map(str, painter.finish()))


def _write_page(results: "Results", predictions: "list[Prediction]", quiet: bool) -> Path:
    from simulator.reports.campaigns import of_real

    return write_report(lambda: of_real(results, predictions), results.directory, quiet)


def _show(
    results: "Results",
    predictions: "list[Prediction]",
    figures: list[str],
    with_page: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    from simulator.realtime import prediction
    from simulator.realtime.run import notes
    from simulator.statistics import report, summary

    silent = quiet or as_json
    if not silent:
        show(report.table(results))
        if predictions:
            show(prediction.table(predictions))
        say(*report.notes(results), *notes(results))
        print(f"results: {results.directory}", flush=True)
        print(*(f"figure:  {figure}" for figure in figures), sep="\n")
    page = _write_page(results, predictions, silent) if with_page else None
    if as_json:
        data: dict[str, Any] = {"directory": str(results.directory)}
        data["methods"] = summary.as_data(summary.summarise(results))
        data |= {"real": results.manifest["real"]} | files_as_data(figures, page)
        data["predictions"] = [each.as_data() for each in predictions]
        print(json.dumps(data, indent=2))
