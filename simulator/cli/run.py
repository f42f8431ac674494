"""``straggle run``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.app import (
    INTERRUPTED,
    MethodsOption,
    ScenarioArgument,
    SeedsOption,
    SetOption,
    app,
    command_line,
    console,
    seeds_of,
    words,
)

if TYPE_CHECKING:
    from simulator.scenario import Scenario


@app.command()
def run(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where results go [results/SCENARIO].")
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    tickets: Annotated[
        bool, typer.Option("--tickets", help="Also record every gradient that was started.")
    ] = False,
    schedule_only: Annotated[
        bool, typer.Option("--schedule-only", help="Only the times: no gradients, no learning.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Even what should not fit, or never end.")
    ] = False,
) -> int:
    """Run every method of a scenario on every seed; write results and figures."""
    from simulator import estimate
    from simulator.loading import load
    from simulator.running import Wishes, run_and_write, warn

    chosen = load(scenario, settings or []).restrict(words(methods), seeds_of(seeds))
    name = Path(scenario).stem
    wishes = Wishes(schedule_only, tickets, quiet=quiet or as_json)
    warn(chosen)
    if not anyway:
        estimate.check(chosen, schedule_only)
    if schedule_only:
        chosen = _one_of_equal_seeds(chosen, wishes.quiet)
    directory, code = run_and_write(chosen, out, name, command=command_line(), wishes=wishes)
    _show(directory, code != INTERRUPTED, quiet, as_json)
    return code


def _one_of_equal_seeds(scenario: "Scenario", quiet: bool) -> "Scenario":
    """Where nothing about the times depends on the seed, every seed has the same schedule."""
    from simulator.remarks import random_times

    alike = scenario.cluster.seed is not None or not random_times(scenario)
    if len(scenario.seeds) == 1 or not alike or scenario.cluster.per != "gradient":
        return scenario
    if not quiet:
        told = "straggle: the times are the same for every seed, so one is simulated"
        print(told, file=sys.stderr)
    return scenario.restrict(None, scenario.seeds[:1])


def _show(directory: Path, to_be_drawn: bool, quiet: bool, as_json: bool) -> None:
    """The table first: figures take a moment."""
    from simulator import report, results, running, summary

    outcome = results.load(directory)
    if not (quiet or as_json):
        console().print(report.table(outcome))
        print(*report.notes(outcome), f"results: {directory}", sep="\n", flush=True)
    figures = [str(path) for path in sorted(running.draw(outcome))] if to_be_drawn else []
    if as_json:
        rows = summary.as_data(summary.summarise(outcome))
        status = outcome.manifest["status"]
        data = {"directory": str(directory), "status": status, "methods": rows, "figures": figures}
        print(json.dumps(data, indent=2))
    elif figures and not quiet:
        print(*(f"figure:  {figure}" for figure in figures), sep="\n")
