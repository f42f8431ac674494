"""``straggle verify``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.app import app

FOUND = 1


@app.command()
def verify(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
) -> int:
    """Check a finished run against the rules of its schedule, from its files alone."""
    from simulator.verification import verify_directory

    report = verify_directory(directory)
    if as_json:
        print(json.dumps(report.as_data(), indent=2))
    else:
        print(*report.lines(), sep="\n")
    return 0 if report.clean else FOUND
