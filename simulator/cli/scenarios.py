"""What can be run: ``straggle validate``, ``list`` and ``schema``."""

import json
from typing import Annotated

import typer

from simulator.cli.app import (
    MethodsOption,
    PluginOption,
    ScenarioArgument,
    SeedsOption,
    SetOption,
    app,
    say,
    seeds_of,
    width,
    words,
)
from simulator.mistakes import Mistake


@app.command()
def validate(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    plugins: PluginOption = None,
) -> None:
    """Check a scenario without running it; say what it takes, and what theory chooses."""
    from simulator.campaign.words import warn
    from simulator.estimate import estimate
    from simulator.scenario import prescription
    from simulator.scenario.loading import load

    found = load(scenario, settings or []).restrict(words(methods), seeds_of(seeds))
    warn(found)
    runs = len(found.methods) * len(found.seeds)
    methods, workers = ", ".join(found.methods), found.cluster.workers
    taken = estimate.lines(found)  # first: a plug-in's story may go wrong in it
    say(f"{scenario}: valid; {runs} runs ({methods}), {workers} workers")
    say(*taken, *prescription.told(found))
    try:
        estimate.check(found)
    except Mistake as refusal:
        say(f"straggle run refuses it: {refusal}")


@app.command("list")
def list_(plugins: PluginOption = None) -> None:
    """What there is: methods, laws, objectives, environments, shipped files."""
    from simulator.cli.listing import lines

    print(*lines(width()), sep="\n")


@app.command()
def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="That of a sweep file instead.")] = False,
    suite: Annotated[bool, typer.Option("--suite", help="That of a suite file instead.")] = False,
    plugins: PluginOption = None,
) -> None:
    """Print the JSON Schema of a scenario file."""
    from simulator.commands.json_schema import json_schema, suite_schema, sweep_schema

    if sweep and suite:
        raise Mistake("--sweep and --suite: choose one of them")
    chosen = sweep_schema() if sweep else suite_schema() if suite else json_schema()
    print(json.dumps(chosen, indent=2, sort_keys=True))
