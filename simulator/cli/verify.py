"""``straggle verify``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.app import PluginOption, app, say

FOUND = 1


@app.command()
def verify(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
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
    return 0 if report.clean else FOUND
