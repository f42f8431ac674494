"""``straggle replay``."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.app import PluginOption, app, complain
from simulator.mistakes import printable


@app.command()
def replay(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")],
    ticket: Annotated[
        str, typer.Argument(metavar="TICKET", help="WORKER.VERSION.INDEX, such as 3.7.0.")
    ],
    method: Annotated[str | None, typer.Option(metavar="LABEL", help="Of which run.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of which run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
    plugins: PluginOption = None,
) -> int:
    """Compute one gradient of a run once more, by itself, to see what is wrong with it."""
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
