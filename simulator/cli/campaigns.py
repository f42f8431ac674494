"""Many runs: ``straggle sweep``, ``straggle compare`` and ``straggle complexity``."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator.cli.app import (
    FiguresOption,
    MethodsOption,
    PluginOption,
    ScenarioArgument,
    SeedsOption,
    SetOption,
    app,
    command_line,
    formats_of,
    say,
    seeds_of,
    show,
    words,
)
from simulator.mistakes import Mistake
from simulator.system.interrupts import remedy

GO_ON = "the same command goes on where it was"


@app.command()
def sweep(
    sweep: Annotated[
        str, typer.Argument(metavar="SWEEP", help="A TOML file, or the name of a shipped sweep.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="[results/sweep-NAME]; goes on.")
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Jobs at a time [one per core].")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Allow more than 500 runs.")] = False,
    figures: FiguresOption = "png",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The best settings as JSON.")] = False,
    plugins: PluginOption = None,
) -> int:
    """Try settings of every method; keep all runs, and write the best as a scenario."""
    from simulator.sweeps.sweep import conduct

    formats = formats_of(figures)
    with remedy(GO_ON):
        swept = conduct(
            sweep,
            methods=words(methods),
            seeds=seeds_of(seeds),
            out=out,
            jobs=jobs,
            yes=yes,
            quiet=quiet or as_json,
            command=command_line(),
        )
        return _show_sweep(swept, formats, quiet, as_json)


def _show_sweep(swept: Any, formats: list[str], quiet: bool, as_json: bool) -> int:
    from simulator.campaign.progress import showing
    from simulator.sweeps import tuning

    found = tuning.best_of(swept.frame)
    if as_json:
        print(json.dumps(tuning.as_data(found, swept), indent=2))
    elif not quiet:
        for table in tuning.tables(found, swept):
            show(table)
        say(*tuning.notes(found, swept))
        print(f"results: {swept.directory}", flush=True)
    with showing(doing="drawing the figures", quiet=quiet or as_json):
        drawn = tuning.draw(swept, formats)
    if drawn and not (quiet or as_json):
        print(*(f"figure:  {figure}" for figure in drawn), sep="\n")
    return 3 if tuning.hopeless(found) else 0


@app.command()
def compare(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    tune: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=A,B,…",
            help="Tune all methods first; a sweep file, or values of a key, may be repeated.",
        ),
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(metavar="A,B,…", help="Levels of the metric [four, up to the target]."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="[results/compare-SCENARIO]; goes on.")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(metavar="0,3-5,…", help="Seeds of the race [five that tune nothing]."),
    ] = None,
    methods: MethodsOption = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time [one per core].")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.9,
    figures: FiguresOption = "png",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The comparison as JSON.")] = False,
    plugins: PluginOption = None,
) -> int:
    """Tune every method alike, race them on fresh seeds, and say who is ahead by how much."""
    from simulator.comparison import comparison

    formats = formats_of(figures)
    with remedy(GO_ON):
        compared = comparison.conduct(
            scenario,
            settings or [],
            tune=tune,
            levels=levels_of(levels),
            methods=words(methods),
            seeds=seeds_of(seeds),
            confidence=confidence,
            out=out,
            jobs=jobs,
            quiet=quiet or as_json,
            command=command_line(),
        )
        return _show_comparison(compared, formats, quiet, as_json)


def levels_of(text: str | None) -> list[float] | None:
    """The levels that ``50,100`` names."""
    named = words(text, "--levels")
    try:
        return None if named is None else [float(word) for word in named]
    except ValueError:
        raise Mistake(f"--levels {text}: must be numbers, such as 50,100") from None


def _show_comparison(compared: Any, formats: list[str], quiet: bool, as_json: bool) -> int:
    from simulator.campaign.progress import showing
    from simulator.comparison import figure
    from simulator.comparison import words as told

    if as_json:
        print(json.dumps(told.as_data(compared), indent=2))
    elif not quiet:
        for table in told.tables(compared):
            show(table)
        say(*told.notes(compared))
        print(f"results: {compared.directory}", flush=True)
    with showing(doing="drawing the figure", quiet=quiet or as_json):
        drawn = figure.draw(compared, formats)
    if drawn and not (quiet or as_json):
        print(*(f"figure:  {each}" for each in drawn), sep="\n")
    return 0 if compared.good else 3


@app.command()
def complexity(
    scenario: ScenarioArgument,
    vary: Annotated[
        str,
        typer.Option(
            metavar="PATH=START:STOP:logN",
            help="What to vary, or PATH=A,B,…; eps and batch stand for several keys.",
        ),
    ] = "cluster.workers=10:1000:log8",
    settings: SetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="[results/complexity-SCENARIO-PARAMETER]; goes on."),
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time [one per core].")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.9,
    figures: FiguresOption = "png",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The exponents as JSON.")] = False,
    plugins: PluginOption = None,
) -> int:
    """Measure how the time to the target grows, beside what theory predicts."""
    from simulator.study import study, varying

    formats = formats_of(figures)
    with remedy(GO_ON):
        frame, directory = study.conduct(
            scenario,
            varying.read(vary),
            settings=settings,
            methods=words(methods),
            seeds=seeds_of(seeds),
            out=out,
            jobs=jobs,
            quiet=quiet or as_json,
        )
        return _show_study(frame, directory, confidence, formats, quiet, as_json)


def _show_study(
    frame: Any,
    directory: Path,
    confidence: float,
    formats: list[str],
    quiet: bool,
    as_json: bool,
) -> int:
    from simulator.campaign.progress import showing
    from simulator.study import growth

    fitted = growth.fitted(frame, confidence)
    if as_json:
        print(json.dumps(growth.as_data(fitted, frame, directory), indent=2))
    elif not quiet:
        show(growth.table(fitted, frame))
        say(*growth.notes(frame, confidence))
        print(f"results: {directory}", flush=True)
    with showing(doing="drawing the figure", quiet=quiet or as_json):
        drawn = growth.draw(frame, directory, confidence, formats)
    if drawn and not (quiet or as_json):
        print(*(f"figure:  {figure}" for figure in drawn), sep="\n")
    return 3 if frame["end"].isin(["failed", "stalled"]).any() else 0
