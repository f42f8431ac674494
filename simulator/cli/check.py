"""Did any benchmark change?  ``straggle check``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.app import (
    FiguresOption,
    JobsOption,
    JsonOption,
    OnOption,
    PluginOption,
    QuietOption,
    app,
    complain,
    formats_of,
    jobs_on,
    say,
    show,
    words,
)
from simulator.mistakes import Mistake
from simulator.system.interrupts import remedy

if TYPE_CHECKING:
    from simulator.gate.history import Point


@app.command()
def check(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="A TOML file, or the name of a shipped suite.")
    ],
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Of the baselines [baselines/SUITE, beside the suite]."),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the results that differ as new baselines.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Only these benchmarks of the suite.")
    ] = None,
    history: Annotated[
        bool,
        typer.Option("--history", help="Show the baselines over their commits, without a run."),
    ] = False,
    figures: FiguresOption = "none",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the figures go [results/check-SUITE]."),
    ] = None,
    jobs: JobsOption = None,
    on: OnOption = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the outcome for a CI server.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the outcome for a pull request; - prints it."),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> int:
    """Run a suite of benchmarks; exit code 1 if one moved or fails, 2 if a baseline is at fault."""
    from simulator import gate
    from simulator.gate import report

    formats = formats_of(figures)
    if history:
        given: dict[str, object] = {"--update": update, "--junit": junit, "--markdown": markdown}
        for option, value in given.items():
            if value:
                raise Mistake(f"{option}, with --history: nothing is run; leave one of them out")
        place = out or Path("results") / f"check-{Path(suite).stem}"
        return _history(suite, baseline, words(only, "--only"), formats, place, as_json)
    if formats or out:
        option = f"--figures {figures}" if formats else f"--out {out}"
        raise Mistake(f"{option}: is for the figures of --history; add that")
    printed = markdown == Path("-")
    if printed and as_json:
        raise Mistake("--markdown -: prints, and so does --json; name a file")
    try:
        with remedy("no baseline was written"):
            checked = gate.conduct(
                suite,
                baseline=baseline,
                update=update,
                only=words(only, "--only"),
                jobs=jobs_on(on, jobs),
                quiet=quiet or as_json,
            )
    except Mistake as mistake:
        # A CI server shows only these files.
        if junit:
            _write("--junit", junit, report.refusal_as_junit(suite, str(mistake)))
        if markdown and not printed:
            _write("--markdown", markdown, report.refusal_as_markdown(suite, str(mistake)))
        if as_json:
            print(json.dumps({"suite": suite, "good": False, "refused": str(mistake)}, indent=2))
        raise
    if junit:
        _write("--junit", junit, report.junit(checked))
    if markdown and not printed:
        _write("--markdown", markdown, report.markdown(checked))
    if as_json:
        print(json.dumps(report.as_data(checked), indent=2))
    elif printed:
        print(report.markdown(checked), end="")
    elif not quiet:
        show(report.table(checked))
        say(*checked.notes)
    for error in report.errors(checked) if quiet or as_json else ():
        complain(error, checked.code)
    return checked.code


def _history(
    suite: str,
    baseline: Path | None,
    only: list[str] | None,
    formats: list[str],
    place: Path,
    as_json: bool,
) -> int:
    """Show the numbers of all baselines in git, or ``only`` some; draw those that changed."""
    from simulator.gate import history

    points, notes = history.history(suite, baseline=baseline, only=only)
    drawn = _draw(points, place / "figures", formats) if formats else []
    if as_json:
        rows = [point._asdict() for point in points]
        print(json.dumps({"points": rows, "figures": list(map(str, drawn))}, indent=2))
        return 0
    for table in history.tables(points):
        show(table)
    say(*notes)
    for path in drawn:
        print(f"figure:  {path}")
    if formats and not drawn:
        say("no figure: no number has changed")
    return 0


def _draw(points: "list[Point]", folder: Path, formats: list[str]) -> list[Path]:
    from simulator.campaign.progress import showing
    from simulator.gate import figure

    with showing(doing="drawing the figures"):
        return figure.draw(points, folder, formats)


def _write(option: str, file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{option} {file}: cannot be written: {error.strerror}") from None
