"""A cluster from a log: ``straggle calibrate``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.app import FiguresOption, JsonOption, app, formats_of, say, show
from simulator.mistakes import Mistake


@app.command()
def calibrate(
    log: Annotated[
        Path,
        typer.Argument(
            metavar="LOG",
            help="A CSV or Parquet file with the columns worker, start and end, or worker and "
            "seconds, and perhaps kind; or a timeline in JSON.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the tables go; ends in .toml.")
    ] = Path("cluster.toml"),
    name: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Events of a timeline, by name or category [all]."),
    ] = None,
    figures: FiguresOption = "png",
    as_json: JsonOption = False,
) -> None:
    """Fit a cluster to a log of a real one; write its tables for a scenario."""
    from simulator.calibration import figure
    from simulator.campaign.progress import showing
    from simulator.commands import calibration

    formats = formats_of(figures)
    if out.suffix != ".toml":
        raise Mistake(f"--out {out}: must end in .toml")
    with showing(doing="fitting", quiet=as_json):
        results = calibration.calibrate(log, out=out, name=name)
        drawn = figure.draw(results.found, out.with_suffix(""), formats) if formats else []
    if as_json:
        data = calibration.as_data(results)
        print(json.dumps(data | {"figures": list(map(str, drawn))}, indent=2))
        return
    for table in results._tables():
        show(table)
    say(*results._notes())
    print(f"cluster: {results.file}")
    for path in drawn:
        print(f"figure:  {path}")
