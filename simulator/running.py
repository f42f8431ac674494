"""From a scenario to a result directory: run, write after each run; and draw what came out."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from simulator import results
from simulator.cluster import InvalidDuration
from simulator.dry_run import run_schedules
from simulator.engine import Sinks, Stalled
from simulator.ledger import Ledger
from simulator.mistakes import Mistake
from simulator.progress import Display, display
from simulator.record import Run
from simulator.remarks import remarks
from simulator.scenario import Scenario
from simulator.side_by_side import cores
from simulator.simulations import replay, stop_of, vector_of

INTERRUPTED, FAILED = 130, 3


class Wishes(NamedTuple):
    """What to do besides the usual."""

    schedule_only: bool = False
    tickets: bool = False
    quiet: bool = False


def warn(scenario: Scenario) -> None:
    """Say which settings have no effect."""
    for remark in remarks(scenario):
        print(f"straggle: warning: {remark}", file=sys.stderr)


def run_and_write(
    scenario: Scenario, out: Path | None, name: str, *, command: str, wishes: Wishes
) -> tuple[Path, int]:
    """Run everything; returns where the results are, and the exit code."""
    from rich.console import Console

    if wishes.schedule_only and scenario.cluster.per == "environment-step":
        raise Mistake(
            "--schedule-only: cluster.per = 'environment-step' takes its times from the episodes, "
            "which have to be played; run it without"
        )
    cores()  # what the environment says of them is checked before anything is written
    directory = results.claim_directory(out or results.free_directory(Path("results") / name))
    scenario = scenario.moved_to(directory)
    writer = results.Writer(directory, scenario, command, vector_of(scenario), wishes.schedule_only)
    # The length of an episode cannot be simulated once more: it has to be written down.
    tickets = wishes.tickets or scenario.cluster.per == "environment-step"
    ends: set[str] = set()
    # In a notebook, too, progress is not a part of what is shown.
    console = Console(file=sys.stderr, force_jupyter=False)
    try:
        writer.write("running")
        with display(scenario, console, wishes.quiet) as shown:
            for run in _runs(scenario, wishes, shown):
                writer.add(run)
                if tickets:
                    shown.recording(run)
                    with writer.ledger(run) as ledger:
                        write_tickets(scenario, run, ledger)
                shown.ended(run)
                ends.add(run.end)
    except KeyboardInterrupt:
        ends.add("interrupted")
    if "interrupted" in ends:
        writer.write("interrupted")
        print(f"straggle: interrupted; what was done is in {directory}", file=sys.stderr)
        return directory, INTERRUPTED
    failed = bool(ends & {"stalled", "failed"})
    writer.write("failed" if failed else "complete")
    return directory, FAILED if failed else 0


def draw(outcome: results.Results) -> list[Path]:
    """The figures of a result directory, into its ``figures``."""
    from simulator import plots

    figures = outcome.directory / "figures"
    figures.mkdir(exist_ok=True)
    return plots.draw(outcome, figures)


def _runs(scenario: Scenario, wishes: Wishes, shown: Display) -> Iterator[Run]:
    if wishes.schedule_only:
        return run_schedules(scenario, watch=shown.watch)
    from simulator.experiment import run_scenario

    return run_scenario(scenario, watch=shown.watch)


def write_tickets(scenario: Scenario, run: Run, ledger: Ledger) -> None:
    """Everything that was computed in a run, by simulating its schedule once more, in full."""
    if run.accounts is None or not run.accounts.started.any():
        return
    sinks = Sinks(computation=ledger.add)
    simulation = replay(scenario, run, vector_of(scenario), sinks)
    stop = stop_of(scenario)
    steps = stop.steps if run.end in ("stop", "stalled") else run.steps
    with suppress(Stalled, InvalidDuration):  # where the run itself ended so, its schedule does
        for _ in simulation.steps(stop._replace(seconds=run.accounts.time, steps=steps)):
            pass
    simulation.close_trace()
