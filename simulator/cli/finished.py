"""Finished runs: ``straggle show``, ``report``, ``replay``, ``verify``, ``evaluate`` and more."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from simulator.cli.app import (
    REPORT,
    JsonOption,
    MethodsOption,
    PluginOption,
    SeedsOption,
    app,
    complain,
    say,
    seeds_of,
    show,
    words,
)
from simulator.mistakes import Mistake, printable

if TYPE_CHECKING:
    from simulator.replays.evaluation import Selection

RunArgument: TypeAlias = Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")]


@app.command("show")
def show_(
    places: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]…", help="Folders of results [results].")
    ] = None,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> None:
    """List results, or show one run in full, without running anything."""
    from simulator.commands import shelf

    found = shelf.entries(places or [Path("results")])
    if as_json:
        print(json.dumps(shelf.as_data(found), indent=2))
    elif len(found) == 1 and places == [found[0].path] and found[0].kind == "run":
        _in_full(found[0].path)
    elif found:
        show(shelf.table(found))
    else:
        say("no results; straggle run makes some")


def _in_full(directory: Path) -> None:
    """The tables of a run, its command, its versions and its scenario."""
    from simulator.results import results
    from simulator.statistics import report

    found = results.load(directory)
    show(report.table(found))
    say(*report.notes(found))
    versions = ", ".join(f"{name} {each}" for name, each in found.manifest["versions"].items())
    say(f"command:  {found.manifest['command']}", f"versions: {versions}", "scenario:")
    print(*map(printable, found.scenario.to_toml().splitlines()), sep="\n")


@app.command()
def report(
    places: Annotated[
        list[Path],
        typer.Argument(metavar="DIR…", help="Directories of runs, sweeps, studies, comparisons."),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write [DIR/report.html].")
    ] = None,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> None:
    """Write a report as one HTML file: tables, curves, and a timeline to explore."""
    from simulator.campaign.progress import showing
    from simulator.commands.reports import report as report_of

    if out is not None and len(places) > 1:
        raise Mistake(f"--out {out}: is for one directory; there are {len(places)}")
    pages = []
    for place in places:
        with showing(doing="writing the report", quiet=as_json):
            written = report_of(place).save(out or place / REPORT)
        size = written.stat().st_size
        pages.append({"directory": str(place), "report": str(written), "bytes": size})
        if not as_json:
            print(f"{written}: {size / 1e6:,.2f} MB")
    if as_json:
        print(json.dumps(pages, indent=2))


@app.command()
def replay(
    directory: RunArgument,
    ticket: Annotated[
        str, typer.Argument(metavar="TICKET", help="WORKER.VERSION.INDEX, such as 3.7.0.")
    ],
    method: Annotated[str | None, typer.Option(metavar="LABEL", help="Method of the run.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.")] = None,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> int:
    """Compute one gradient of a run again, alone, to find out what is wrong with it."""
    from simulator.replays import reproduction
    from simulator.results import results

    outcome = results.load(directory)
    chosen = reproduction.choose(outcome, ticket, method, seed)
    found = reproduction.reproduce(outcome, chosen, lambda text: complain(text, 0))
    if as_json:
        print(json.dumps(found.as_data(), indent=2))
    else:
        print(*map(printable, found.lines()), sep="\n")
    if found.trace:
        print(*map(printable, found.trace.splitlines()), sep="\n", file=sys.stderr)
    return 0 if found.fine else 3


@app.command()
def verify(
    directory: RunArgument,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> int:
    """Check a finished run against the rules of its schedule, from its files alone."""
    from simulator.campaign.progress import showing
    from simulator.commands.finished import verify as check_run

    with showing(doing="verifying", quiet=as_json):
        report = check_run(directory)
    if as_json:
        print(json.dumps(report.as_data(), indent=2))
    else:
        say(*report.lines())
    return 0 if report.clean else 1


@app.command()
def evaluate(
    directory: RunArgument,
    methods: MethodsOption = None,
    seeds: SeedsOption = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="Episodes to play [100], or to film [1].")
    ] = None,
    evaluation_seed: Annotated[int, typer.Option(min=0, help="Seed of the episodes.")] = 0,
    as_json: JsonOption = False,
    video: Annotated[
        bool, typer.Option("--video", help="Film each policy as it was trained, at random.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Directory of the films [RUN/videos].")
    ] = None,
    plugins: PluginOption = None,
) -> None:
    """Play the final policies of a run again, and report returns; or film them."""
    from simulator.campaign.progress import showing
    from simulator.replays import evaluation
    from simulator.results import results

    if out and not video:
        raise Mistake(f"--out {out}: is for films; add --video")
    chosen = evaluation.select(results.load(directory), words(methods), seeds_of(seeds))
    if video:
        _film(chosen, out or directory / "videos", episodes or 1, evaluation_seed, as_json)
        return
    with showing(doing="playing", quiet=as_json):
        rows = evaluation.evaluate(chosen, episodes or 100, evaluation_seed)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        show(evaluation.table(rows))


def _film(chosen: "Selection", folder: Path, episodes: int, seed: int, as_json: bool) -> None:
    from simulator.replays import video

    filmed = []
    for one in video.film(chosen, folder, episodes, seed):
        filmed.append(one.as_data())
        if not as_json:
            print(one, flush=True)
    if as_json:
        print(json.dumps(filmed, indent=2))


@app.command()
def timeline(
    directory: RunArgument,
    method: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="Only this method; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the runs [the first].")] = None,
    begin: Annotated[float, typer.Option("--from", help="First simulated second.")] = 0.0,
    until: Annotated[float | None, typer.Option(help="Last simulated second [the end].")] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="0,5-9,…", help="Only these workers, and the server.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File to write [RUN/timeline.json].")
    ] = None,
    plugins: PluginOption = None,
) -> None:
    """Write what each worker did as a Chrome trace, which https://ui.perfetto.dev shows."""
    from simulator.results import results
    from simulator.trace import chrome_trace

    found, chosen = results.load(directory), _ranges(workers)
    end = math.inf if until is None else until
    wanted = chrome_trace.excerpt(found, method, seed, chosen, begin, end)
    file = out or directory / "timeline.json"
    written = chrome_trace.write(wanted, file, _note)
    print(f"{written.path}: {written.events:,} events, {written.size / 1e6:,.1f} MB")
    print("open it in https://ui.perfetto.dev")


def _note(text: str) -> None:
    print(f"straggle: {text}", file=sys.stderr)


def _ranges(text: str | None) -> list[range] | None:
    named = words(text, "--workers")
    if named is None:
        return None
    bounds = [(word.partition("-")[0], word.rpartition("-")[2]) for word in named]
    if not all(first.isdecimal() and last.isdecimal() for first, last in bounds):
        raise Mistake(f"--workers {text}: must be whole numbers and ranges, such as 0,5-9")
    return [range(int(first), int(last) + 1) for first, last in bounds]
