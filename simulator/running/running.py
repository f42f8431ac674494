"""From a scenario to a result directory: run, write after each run; and draw what came out."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from simulator import plugins
from simulator.estimate.estimate import estimate
from simulator.mistakes import Mistake
from simulator.results.directory import claim_directory, free_directory
from simulator.results.results import Results
from simulator.results.writer import Writer
from simulator.running.pieces import Recorded, Working, jobs_for, keeper_of, perform, pieces_of
from simulator.running.progress import Progress, showing
from simulator.running.words import complain, outcome
from simulator.runs.checkpoint import every_seconds
from simulator.runs.record import Run
from simulator.runs.simulations import vector_of
from simulator.scenario.scenario import Scenario
from simulator.system.files import Unwritable, alone_in
from simulator.system.interrupts import INTERRUPTED, remedy
from simulator.system.side_by_side import Local, cores

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
    jobs: int | None = None
    """Processes; None: as many as pay."""


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
        return directory, conduct(writer, wishes.quiet, ended, wishes.jobs)


def conduct(
    writer: Writer,
    quiet: bool,
    ended: Ended = lambda outcome: None,
    jobs: int | None = None,
) -> int:
    """All runs that have not ended yet, each written as it ends; the exit code."""
    with remedy(how_to_finish(writer.directory)):
        interrupted = not _all_written(writer, quiet, jobs)
        return _end(writer, interrupted, quiet, ended)


def how_to_finish(directory: Path) -> str:
    return f"straggle run --resume {directory} finishes it"


def _all_written(writer: Writer, quiet: bool, jobs: int | None) -> bool:
    """Whether all has been written: False after an interrupt."""
    try:
        writer.write("running")
        runs = len(writer.scenario.methods) * len(writer.scenario.seeds)
        done = len(writer.done)
        with showing(runs, done=done, doing="preparing", quiet=quiet) as progress:
            _write_all(writer, progress, jobs)
    except KeyboardInterrupt:
        return False
    except OSError as error:
        raise _unwritable(writer.directory, error) from None
    return True


@plugins.blamed  # before an error of theirs is taken for one of the disk
def _write_all(writer: Writer, progress: Progress, jobs: int | None) -> None:
    """Do all runs that have not ended, side by side where that pays; write each as it ends."""
    scenario, directory = writer.scenario, writer.directory
    for label, seed in writer.done:  # a kill may come before a run that ended is tidied up
        keeper_of(scenario, directory, label, seed).clear()
    missing = [run for run in writer.wanted if run not in writer.done]
    if not missing:
        return
    found = estimate(scenario, writer.schedule_only)
    jobs = jobs_for(scenario, len(missing), jobs, cores(), found)
    pieces = pieces_of(
        scenario,
        directory,
        missing,
        schedule_only=writer.schedule_only,
        tickets=writer.tickets,
    )

    ended: dict[tuple[str, int], Run] = {}

    def heard(name: str, item: Working | Run | Recorded) -> None:
        match item:
            case Working():
                progress.under_way(*item)
            case Run():
                ended[item.method, item.seed] = item
                writer.add(item)
            case Recorded():
                _recorded(writer, ended.pop(item), progress)

    Local(jobs).run(perform, pieces, heard, kind=lambda piece: piece.method)


def _recorded(writer: Writer, run: Run, progress: Progress) -> None:
    """All of a run is written; an interrupted one interrupts the command."""
    writer.recorded(run)
    if run.end == "interrupted":
        raise KeyboardInterrupt
    keeper_of(writer.scenario, writer.directory, run.method, run.seed).clear()
    failed = run.end in ("stalled", "failed")
    progress.ended(outcome(run, writer.scenario), failed=failed)


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
