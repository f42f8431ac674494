"""Has anything moved?  ``straggle check``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.app import PluginOption, app, say, show, words
from simulator.mistakes import Mistake
from simulator.system.interrupts import remedy

if TYPE_CHECKING:
    from simulator.gate import Checked


@app.command()
def check(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="A TOML file, or the name of a shipped suite.")
    ],
    baseline: Annotated[
        Path | None, typer.Option(metavar="DIR", help="[baselines/SUITE, beside the suite]")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write what has moved as the new baselines.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(metavar="A,B,…", help="Only these benchmarks of the suite.")
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time [one per core].")] = None,
    junit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The outcome for a CI server.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The outcome for a pull request; - prints.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
    plugins: PluginOption = None,
) -> int:
    """Run a suite of benchmarks; exit code 1 if one has moved from its baseline, or fails."""
    from simulator import gate
    from simulator.gate import report

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
                jobs=jobs,
                quiet=quiet or as_json,
            )
    except Mistake as mistake:
        # Who reads only the files of a CI server is told, too.
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
        _show(checked)
    return 0 if checked.good else 1


def _show(checked: "Checked") -> None:
    from simulator.gate import report

    show(report.table(checked))
    say(*checked.notes)


def _write(option: str, file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{option} {file}: cannot be written: {error.strerror}") from None
