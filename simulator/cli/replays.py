"""A run once more: ``straggle evaluate`` and ``timeline``."""

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.app import MethodsOption, PluginOption, SeedsOption, app, seeds_of, show, words
from simulator.mistakes import Mistake

if TYPE_CHECKING:
    from simulator.replays.evaluation import Selection


@app.command()
def evaluate(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")],
    methods: MethodsOption = None,
    seeds: SeedsOption = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="How many to play [100], or to film [1].")
    ] = None,
    evaluation_seed: Annotated[int, typer.Option(min=0, help="Of the episodes.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
    video: Annotated[
        bool, typer.Option("--video", help="Film each policy as it was trained, chance included.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where films go [RUN/videos].")
    ] = None,
    plugins: PluginOption = None,
) -> None:
    """Play the final policies of a run again, and count; or film them."""
    from simulator.campaign.progress import showing
    from simulator.replays import evaluation
    from simulator.results import results

    if out and not video:
        raise Mistake(f"--out {out}: says where films go; add --video")
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
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")],
    method: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="Only this method; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the runs [the first].")] = None,
    begin: Annotated[float, typer.Option("--from", help="Simulated seconds.")] = 0.0,
    until: Annotated[
        float | None, typer.Option(help="Simulated seconds; fates are as of then [the end].")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="0,5-9,…", help="Only these workers, and the server.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to [RUN/timeline.json].")
    ] = None,
    plugins: PluginOption = None,
) -> None:
    """Write what everybody did, as a Chrome trace, which https://ui.perfetto.dev shows."""
    from simulator.results import results
    from simulator.trace import chrome_trace

    found, chosen = results.load(directory), _ranges(workers)
    end = math.inf if until is None else until
    wanted = chrome_trace.excerpt(found, method, seed, chosen, begin, end)
    written = chrome_trace.write(wanted, out or directory / "timeline.json", _say)
    print(f"{written.path}: {written.events:,} events, {written.size / 1e6:,.1f} MB")
    print("open it in https://ui.perfetto.dev")


def _say(text: str) -> None:
    print(f"straggle: {text}", file=sys.stderr)


def _ranges(text: str | None) -> list[range] | None:
    """The workers that ``0,5-9`` names."""
    named = words(text, "--workers")
    if named is None:
        return None
    bounds = [(word.partition("-")[0], word.rpartition("-")[2]) for word in named]
    if not all(first.isdecimal() and last.isdecimal() for first, last in bounds):
        raise Mistake(f"--workers {text}: must be whole numbers and ranges, such as 0,5-9")
    return [range(int(first), int(last) + 1) for first, last in bounds]
