"""From a scenario to a result directory: run, write after each run; and draw what came out."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from simulator import plugins
from simulator.cluster import InvalidDuration
from simulator.engine import Sinks, Stalled
from simulator.mistakes import Mistake
from simulator.results.directory import claim_directory, free_directory
from simulator.results.ledger import Ledger
from simulator.results.results import Results
from simulator.results.writer import Writer
from simulator.running.progress import Progress, showing
from simulator.running.words import complain, fraction, outcome, tickets_of, where
from simulator.runs.checkpoint import Keeper, every_seconds
from simulator.runs.dry_run import run_schedules
from simulator.runs.record import Run
from simulator.runs.simulations import replay, stop_of, vector_of
from simulator.scenario.scenario import Scenario
from simulator.system.files import Unwritable, alone_in
from simulator.system.interrupts import INTERRUPTED, remedy
from simulator.system.side_by_side import cores

if TYPE_CHECKING:
    pass

FAILED = 3
VERIFYING, REPLAYED, FEW = 0.1, 1e-5, 5000
"""The part of a run's time that replays may take, the seconds of a replayed computation, and how
many are replayed in any case."""
Ended: TypeAlias = Callable[[Results], None]
"""Called with the results, complete or interrupted, before they are verified."""


class Wishes(NamedTuple):
    """What to do besides the usual."""

    schedule_only: bool = False
    tickets: bool | None = None
    """None: where gradients are computed, since beside them it costs little."""
    quiet: bool = False


def run_and_write(
    scenario: Scenario,
    out: Path | None,
    name: str,
    *,
    command: str,
    wishes: Wishes,
    ended: Ended = lambda outcome: None,
) -> tuple[Path, int]:
    """Run everything; returns where the results are, and the exit code."""
    if wishes.schedule_only and scenario.cluster.per == "environment-step":
        raise Mistake(
            "--schedule-only: cluster.per = 'environment-step' takes its times from the episodes, "
            "which have to be played; run it without"
        )
    check_the_environment()
    directory = claim_directory(out or free_directory(Path("results") / name))
    with alone_in(directory):
        claim_directory(directory)  # nobody was quicker
        scenario = scenario.moved_to(directory)
        # The length of an episode cannot be simulated once more: it has to be written down.
        must = scenario.cluster.per == "environment-step"
        tickets = not wishes.schedule_only if wishes.tickets is None else wishes.tickets
        writer = Writer(
            directory, scenario, command, vector_of(scenario), wishes.schedule_only, tickets or must
        )
        return directory, conduct(writer, wishes.quiet, ended)


def conduct(writer: Writer, quiet: bool, ended: Ended = lambda outcome: None) -> int:
    """All runs that have not ended yet, each written as it ends; the exit code."""
    with remedy(how_to_finish(writer.directory)):
        interrupted = not _all_written(writer, quiet)
        return _end(writer, interrupted, quiet, ended)


def how_to_finish(directory: Path) -> str:
    return f"straggle run --resume {directory} finishes it"


def _all_written(writer: Writer, quiet: bool) -> bool:
    """Whether all has been written: False after an interrupt."""
    try:
        writer.write("running")
        runs = len(writer.scenario.methods) * len(writer.scenario.seeds)
        done = len(writer.done)
        with showing(runs, done=done, doing="preparing", quiet=quiet) as progress:
            _write_all(writer, progress)
    except KeyboardInterrupt:
        return False
    except OSError as error:
        raise _unwritable(writer.directory, error) from None
    return True


@plugins.blamed  # before an error of theirs is taken for one of the disk
def _write_all(writer: Writer, progress: Progress) -> None:
    scenario = writer.scenario
    for label, seed in writer.done:  # a kill may come before a run that ended is tidied up
        _keeper(writer, label, seed).clear()
    for run in _runs(writer, progress):
        writer.add(run)
        if writer.tickets:
            what = f"writing {tickets_of(run):,} tickets"
            progress.under_way(f"{run.method}, seed {run.seed}: {what}", fraction(run, scenario))
            with writer.ledger(run) as ledger:
                write_tickets(scenario, run, ledger)
            writer.recorded(run)
        if run.end != "interrupted":
            _keeper(writer, run.method, run.seed).clear()
            failed = run.end in ("stalled", "failed")
            progress.ended(outcome(run, scenario), failed=failed)


def _runs(writer: Writer, progress: Progress) -> Iterator[Run]:
    scenario, done = writer.scenario, writer.done

    def watch(run: Run) -> None:
        progress.under_way(where(run, scenario), fraction(run, scenario))

    if writer.schedule_only:
        return run_schedules(scenario, watch=watch, done=done)
    from simulator.runs.experiment import run_scenario

    def kept(label: str, seed: int) -> Keeper:
        return _keeper(writer, label, seed)

    return run_scenario(scenario, watch=watch, done=done, kept=kept)


def _keeper(writer: Writer, label: str, seed: int) -> Keeper:
    folder = writer.directory / "checkpoints"
    return Keeper(folder, f"{label}-{seed}", writer.scenario.fingerprint(), complain)


def _end(writer: Writer, interrupted: bool, quiet: bool, ended: Ended) -> int:
    missing = len(writer.scenario.methods) * len(writer.scenario.seeds) - len(writer.done)
    failed = bool(writer.ends & {"stalled", "failed"})
    status = "interrupted" if missing else "failed" if failed else "complete"
    try:
        writer.write(status)
    except OSError as error:
        raise _unwritable(writer.directory, error) from None
    if interrupted and not missing:  # all is written, but neither verified nor drawn
        raise KeyboardInterrupt
    outcome = writer.results()
    ended(outcome)
    if missing:
        complain(f"interrupted; {how_to_finish(writer.directory)}")
        return INTERRUPTED
    return FAILED if failed or not _verified(outcome, quiet) else 0


def _verified(outcome: Results, quiet: bool) -> bool:
    """Whether the files say what happened; problems are told, and what was left unchecked."""
    from simulator.verification import verify
    from simulator.verification.replayed import TOO_LONG

    took = sum(run["real_seconds"] for run in outcome.manifest["runs"])
    with showing(doing="checking the results", quiet=quiet):
        report = verify(outcome, most=max(FEW, VERIFYING * took / REPLAYED))
    for problem in report.problems:
        complain(f"not verified: {problem}")
    cut = [left for left in report.unchecked if left.why == TOO_LONG]
    if cut and not quiet:
        runs = len({(left.method, left.seed) for left in cut})
        told = f"{runs} of {len(outcome.manifest['runs'])} runs were checked in part"
        complain(f"{told}; straggle verify {outcome.directory} checks the rest")
    return report.clean


def _unwritable(directory: Path, error: OSError) -> Unwritable:
    reason = error.strerror or (str(error).splitlines() or ["no reason given"])[0]
    told = f"when that is mended, {how_to_finish(directory)}"
    return Unwritable(f"{directory}: cannot be written: {reason}; {told}")


def check_the_environment() -> None:
    """What the environment variables say is checked before anything is written."""
    cores()
    every_seconds()


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
