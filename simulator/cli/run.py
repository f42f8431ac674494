"""``straggle run``."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulator.cli.app import (
    INTERRUPTED,
    MethodsOption,
    SeedsOption,
    SetOption,
    app,
    command_line,
    say,
    seeds_of,
    show,
    words,
)
from simulator.mistakes import Mistake

if TYPE_CHECKING:
    from simulator.scenario.scenario import Scenario


@app.command()
def run(
    scenario: Annotated[
        str | None,
        typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of a shipped scenario."),
    ] = None,
    settings: SetOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where results go [results/SCENARIO].")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Finish what was begun there.")
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    tickets: Annotated[
        bool | None,
        typer.Option(
            "--tickets/--no-tickets",
            help="Record every gradient that was started [unless --schedule-only].",
            show_default=False,
        ),
    ] = None,
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
    from simulator.estimate import estimate
    from simulator.running.running import Wishes, run_and_write, warn
    from simulator.scenario.loading import load

    chosen = None
    if scenario is not None:
        chosen = load(scenario, settings or []).restrict(words(methods), seeds_of(seeds))
    if resume is not None:
        said: dict[str, object] = {
            "--out": out,
            "--tickets": tickets,
            "--schedule-only": schedule_only or None,
        }
        if scenario is None:
            said |= {"--set": settings, "--methods": methods, "--seeds": seeds}
        return _resume(resume, chosen, said, quiet, as_json)
    if scenario is None or chosen is None:
        raise Mistake("no scenario: name a file or a shipped scenario, or --resume DIR")
    wishes = Wishes(schedule_only, tickets, quiet=quiet or as_json)
    warn(chosen)
    if not anyway:
        estimate.check(chosen, schedule_only)
    if schedule_only:
        chosen = _one_of_equal_seeds(chosen, wishes.quiet)
    name = Path(scenario).stem
    directory, code = run_and_write(chosen, out, name, command=command_line(), wishes=wishes)
    return _show(directory, code, quiet, as_json)


def _resume(
    directory: Path,
    wanted: "Scenario | None",
    said: dict[str, object],
    quiet: bool,
    as_json: bool,
) -> int:
    from simulator.running.resuming import resume

    for option, value in said.items():
        if value is not None:
            told = "what is resumed goes on as it was begun; leave this out"
            raise Mistake(f"{option}, with --resume {directory}: {told}")
    code = resume(directory, wanted, quiet=quiet or as_json)
    return _show(directory, code, quiet, as_json)


def _one_of_equal_seeds(scenario: "Scenario", quiet: bool) -> "Scenario":
    """Where nothing about the times depends on the seed, every seed has the same schedule."""
    from simulator.scenario.remarks import one_of_equal_seeds

    chosen = one_of_equal_seeds(scenario)
    if len(chosen.seeds) < len(scenario.seeds) and not quiet:
        told = "straggle: the times are the same for every seed, so one is simulated"
        print(told, file=sys.stderr)
    return chosen


def _show(directory: Path, code: int, quiet: bool, as_json: bool) -> int:
    """The table first: figures take a moment."""
    from simulator.results import results
    from simulator.running import report, running, summary
    from simulator.running.progress import showing

    outcome = results.load(directory)
    if not (quiet or as_json):
        show(report.table(outcome))
        say(*report.notes(outcome))
        print(f"results: {directory}", flush=True)
    elif quiet:
        for line in report.failures(outcome):
            print(f"straggle: {line}", file=sys.stderr)
    figures: list[str] = []
    if code != INTERRUPTED:
        with showing(doing="drawing the figures", quiet=quiet or as_json):
            figures = [str(path) for path in sorted(running.draw(outcome))]
    if as_json:
        rows = summary.as_data(summary.summarise(outcome))
        status = outcome.manifest["status"]
        data = {"directory": str(directory), "status": status, "methods": rows, "figures": figures}
        print(json.dumps(data, indent=2))
    elif figures and not quiet:
        print(*(f"figure:  {figure}" for figure in figures), sep="\n")
    return code
