"""From a scenario to a result directory: run, write after each run; and draw what came out."""

import sys
from contextlib import suppress
from pathlib import Path

from simulator import results
from simulator.engine import Stalled
from simulator.experiment import run_scenario, simulation_of, stop_of
from simulator.progress import display
from simulator.record import Run
from simulator.scenario import Scenario
from simulator.schedule import Computation

INTERRUPTED, FAILED = 130, 3


def run_and_write(
    scenario: Scenario, out: Path | None, name: str, *, command: str, tickets: bool, quiet: bool
) -> tuple[Path, int]:
    """Run everything; returns where the results are, and the exit code."""
    from rich.console import Console

    directory = results.claim_directory(out or results.free_directory(Path("results") / name))
    writer = results.Writer(directory, scenario, command)
    ends: set[str] = set()
    try:
        writer.write("running")
        with display(scenario, Console(file=sys.stderr), quiet) as shown:
            for run in run_scenario(scenario, watch=shown.watch):
                writer.add(run, computations_of(scenario, run) if tickets else None)
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


def computations_of(scenario: Scenario, run: Run) -> list[Computation]:
    """Everything that was computed in a run, by simulating its schedule once more, in full."""
    if run.accounts is None or not run.accounts.started.any():
        return []
    dimension = len(run.parameters())
    simulation = simulation_of(scenario, run.method, run.seed, dimension=dimension, trace=True)
    stop = stop_of(scenario)
    steps = stop.steps if run.end in ("stop", "stalled") else len(run.closed)
    with suppress(Stalled):  # where the run itself stalled, so does its schedule
        for _ in simulation.steps(stop._replace(seconds=run.accounts.time, steps=steps)):
            pass
    return simulation.computations()
