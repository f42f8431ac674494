"""What can be run?  ``straggle validate``, ``list`` and ``schema``."""

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
from simulator.text_table import wrapped

NARROW = 20
"""A narrower description goes below its name."""


@app.command()
def validate(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    plugins: PluginOption = None,
) -> None:
    """Check a scenario without running it; print what a run needs and what theory chooses."""
    from simulator.estimate import estimate
    from simulator.estimate.remarks import warn
    from simulator.scenario import prescription
    from simulator.scenario.loading import load

    found = load(scenario, settings or []).restrict(words(methods), seeds_of(seeds))
    warn(found)
    runs = len(found.methods) * len(found.seeds)
    methods, workers = ", ".join(found.methods), found.cluster.workers
    taken = estimate.lines(found)  # first: it runs the stories of plug-ins
    say(f"{scenario}: valid; {runs} runs ({methods}), {workers} workers")
    say(*taken, *prescription.lines(found))
    try:
        estimate.check(found)
    except Mistake as refusal:
        say(f"straggle run refuses it: {refusal}")


@app.command("list")
def list_(plugins: PluginOption = None) -> None:
    """List methods, laws, objectives, environments and shipped files."""
    from simulator.commands.listing import listing

    for heading, entries in listing().items():
        print(heading)
        longest = max(map(len, entries))
        for name, about in entries.items():
            print(*_entry(f"  {name:<{longest}}  ", about, width()), sep="\n")


def _entry(name: str, about: str, width: int | None) -> list[str]:
    """The lines of an entry; further ones are indented below its description."""
    if width is not None and width - len(name) < NARROW:
        return [name.rstrip(), *(f"    {line}" for line in wrapped(about, width - 4))]
    first, *more = wrapped(about, None if width is None else width - len(name))
    return [name + first, *(" " * len(name) + line for line in more)]


@app.command()
def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="Schema of a sweep file instead.")] = False,
    suite: Annotated[bool, typer.Option("--suite", help="Schema of a suite file instead.")] = False,
    plugins: PluginOption = None,
) -> None:
    """Print the JSON Schema of a scenario file."""
    from simulator.commands.json_schema import json_schema, suite_schema, sweep_schema

    if sweep and suite:
        raise Mistake("--sweep and --suite: choose one of them")
    chosen = sweep_schema() if sweep else suite_schema() if suite else json_schema()
    print(json.dumps(chosen, indent=2, sort_keys=True))
