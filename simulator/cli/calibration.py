"""A cluster from a log: ``straggle calibrate``."""

import json
from pathlib import Path
from typing import Annotated

import typer

from simulator.cli.app import FiguresOption, JsonOption, app, formats_of, jobs_on, say, show
from simulator.mistakes import Mistake


@app.command()
def calibrate(
    log: Annotated[
        Path | None,
        typer.Argument(
            metavar="[LOG]",
            help="A CSV or Parquet file with the columns worker, start and end, or worker and "
            "seconds, and perhaps kind; or a timeline in JSON.",
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="ray[=HOST:PORT]", help="Measure a Ray cluster instead."),
    ] = None,
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
    if (log is None) == (on is None):
        raise Mistake("calibrate: name a LOG, or a cluster to measure by --on ray")
    if out.suffix != ".toml":
        raise Mistake(f"--out {out}: must end in .toml")
    if on is not None:
        with showing(doing="measuring", quiet=as_json):
            log = _measured(on, out.with_name(f"{out.stem}-log.csv"))
    assert log is not None
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


def _measured(place: str, file: Path) -> Path:
    """The log of a probe on a Ray cluster."""
    from simulator.remote import probe
    from simulator.remote.runner import Ray

    runner = jobs_on(place, None)
    assert isinstance(runner, Ray)
    probe.log(runner.address).to_csv(file, index=False)
    return file
