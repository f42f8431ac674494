"""Many runs: ``straggle sweep``, ``compare`` and ``complexity``."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.cli.app import (
    FiguresOption,
    JobsOption,
    JsonOption,
    MethodsOption,
    OnOption,
    PluginOption,
    QuietOption,
    ReportOption,
    ScenarioArgument,
    SeedsOption,
    SetOption,
    TrackOption,
    app,
    command_line,
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
from simulator.system.interrupts import remedy

if TYPE_CHECKING:
    from simulator.commands.campaigns import CompareResults, ComplexityResults, SweepResults

GO_ON = "the same command goes on where it was"
ConfidenceOption = Annotated[
    float, typer.Option(min=0.5, max=0.999, help="Confidence of the intervals.")
]


@app.command()
def sweep(
    sweep: Annotated[
        str, typer.Argument(metavar="SWEEP", help="A TOML file, or the name of a shipped sweep.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory [results/sweep-NAME]; continues there."),
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    jobs: JobsOption = None,
    on: OnOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Allow more than 500 runs.")] = False,
    track: TrackOption = None,
    figures: FiguresOption = "png",
    report: ReportOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> int:
    """Try settings of every method; store all runs, and write the best as a scenario."""
    from simulator.commands.campaigns import SweepResults
    from simulator.sweeps import tuning
    from simulator.sweeps.sweep import conduct
    from simulator.tracking import Tracking

    formats = formats_of(figures)
    with remedy(GO_ON), Tracking(track or ()) as tracking:
        swept = conduct(
            sweep,
            methods=words(methods),
            seeds=seeds_of(seeds),
            out=out,
            jobs=jobs_on(on, jobs),
            yes=yes,
            quiet=quiet or as_json,
            command=command_line(),
            tracking=tracking,
        )
        found = tuning.best_of(swept.frame)
        data = tuning.as_data(found, swept) if as_json else None
        _show(SweepResults(swept), data, lambda: tuning.draw(swept, formats), report, quiet)
        return 3 if (found["failed"] == found["runs"]).any() else 0


@app.command()
def compare(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    tune: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=A,B,…",
            help="Tune all methods first: a sweep file, or values of a key; may be repeated.",
        ),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="Levels of the metric [four, up to the target]."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Directory [results/compare-SCENARIO]; continues there.",
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="0,3-5,…",
            help="Seeds of the race [with --tune five others, else the scenario's].",
        ),
    ] = None,
    methods: MethodsOption = None,
    jobs: JobsOption = None,
    on: OnOption = None,
    confidence: ConfidenceOption = 0.9,
    track: TrackOption = None,
    figures: FiguresOption = "png",
    report: ReportOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> int:
    """Tune every method alike, race them on fresh seeds, and report which leads, by how much."""
    from simulator.commands.campaigns import CompareResults
    from simulator.comparison import comparison, figure
    from simulator.comparison import words as comparison_words
    from simulator.tracking import Tracking

    formats = formats_of(figures)
    with remedy(GO_ON), Tracking(track or ()) as tracking:
        compared = comparison.conduct(
            scenario,
            settings or [],
            tune=tune,
            levels=levels_of(levels),
            methods=words(methods),
            seeds=seeds_of(seeds),
            confidence=confidence,
            out=out,
            jobs=jobs_on(on, jobs),
            quiet=quiet or as_json,
            command=command_line(),
            tracking=tracking,
        )
        data = comparison_words.as_data(compared) if as_json else None
        _show(CompareResults(compared), data, lambda: figure.draw(compared, formats), report, quiet)
        return 0 if compared.good else 3


def levels_of(text: str | None) -> list[float] | None:
    found = words(text, "--levels")
    try:
        return None if found is None else [float(word) for word in found]
    except ValueError:
        raise Mistake(f"--levels {text}: must be numbers, such as 50,100") from None


@app.command()
def complexity(
    scenario: ScenarioArgument,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=START:STOP:logN",
            help="Key and values, or PATH=A,B,… [cluster.workers=10:1000:log8]; eps and batch "
            "stand for several keys. Repeat it for keys that vary together.",
        ),
    ] = None,
    settings: SetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Directory [results/complexity-SCENARIO-PARAMETER]; continues there.",
        ),
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    jobs: JobsOption = None,
    on: OnOption = None,
    confidence: ConfidenceOption = 0.9,
    track: TrackOption = None,
    figures: FiguresOption = "png",
    report: ReportOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> int:
    """Measure how the time to the target grows, and compare it with theory."""
    from simulator.commands.campaigns import ComplexityResults
    from simulator.study import growth, study, varying
    from simulator.tracking import Tracking
    from simulator.training.record import BROKEN

    formats = formats_of(figures)
    with remedy(GO_ON), Tracking(track or ()) as tracking:
        frame, directory = study.conduct(
            scenario,
            varying.together(vary or []),
            settings=settings,
            methods=words(methods),
            seeds=seeds_of(seeds),
            out=out,
            jobs=jobs_on(on, jobs),
            confidence=confidence,
            quiet=quiet or as_json,
            command=command_line(),
            tracking=tracking,
        )
        data = growth.as_data(frame, directory, confidence) if as_json else None
        results = ComplexityResults(frame, directory, confidence=confidence)
        draw = partial(growth.draw, frame, directory, confidence, formats)
        _show(results, data, draw, report, quiet)
        return 3 if frame["end"].isin(BROKEN).any() else 0


def _show(
    results: "SweepResults | CompareResults | ComplexityResults",
    data: dict[str, Any] | None,
    draw: Callable[[], list[Path]],
    report: bool,
    quiet: bool,
) -> None:
    """Print the tables, draw the figures, write the report, and name them; or all that as JSON."""
    from simulator.campaign.progress import showing

    quiet = quiet or data is not None
    if not quiet:
        for table in results._tables():
            show(table)
        say(*results._notes())
        print(f"results: {results.directory}", flush=True)
    with showing(doing="drawing the figures", quiet=quiet):
        drawn = draw()
    if drawn and not quiet:
        print(*(f"figure:  {figure}" for figure in drawn), sep="\n")
    page = write_report(results.report, results.directory, quiet) if report else None
    if data is not None:
        print(json.dumps(data | files_as_data(drawn, page), indent=2))
