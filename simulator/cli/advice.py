"""Which method and batch suit a cluster?  ``straggle advise``."""

import json
import math
from typing import Annotated, Any

import typer

from simulator.cli.app import (
    JsonOption,
    PluginOption,
    ScenarioArgument,
    SetOption,
    app,
    say,
    show,
    words,
)


@app.command()
def advise(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            help="Compare these methods, the scenario's or any other [the scenario's, else all].",
        ),
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(metavar="GRADIENTS", help="State the batch that the noise requires."),
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Measure the noise with 64 gradients instead.")
    ] = False,
    as_json: JsonOption = False,
    plugins: PluginOption = None,
) -> None:
    """Rank methods and batches for a cluster in seconds, without training; say why."""
    from simulator.advice.advise import advise
    from simulator.commands.advice import AdviceResults, as_data

    found = AdviceResults(
        advise(
            scenario,
            settings or [],
            methods=words(methods),
            noise=noise,
            probed=probe,
            quiet=as_json,
        )
    )
    if as_json:
        print(json.dumps(_finite(as_data(found)), indent=2))
        return
    for table in found._tables():
        show(table)
    say(*found._notes())


def _finite(value: Any) -> Any:
    """JSON has no infinity: write null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
