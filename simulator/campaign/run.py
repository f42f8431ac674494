"""How does a scenario become a result directory?  Each run is written as it ends; verify follows.

An interrupted directory can be resumed.  Finished runs are only read.  A run under way continues
from its newest checkpoint, up to which its schedule is simulated again.  So the results equal those
of runs that were never stopped.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeAlias

from simulator import plugins
from simulator.campaign import campaign
from simulator.campaign.campaign import Plan
from simulator.campaign.perform import Done, outcome
from simulator.campaign.progress import showing
from simulator.campaign.runner import Jobs
from simulator.campaign.task import Files, Plane, Task, tasks_of
from simulator.cluster import InvalidDuration
from simulator.engine import Sinks, Stalled
from simulator.estimate import estimate
from simulator.estimate.remarks import one_of_equal_seeds
from simulator.mistakes import Mistake
from simulator.results import results
from simulator.results.directory import own_directory
from simulator.results.ledger import Ledger
from simulator.results.results import Results
from simulator.results.writer import PACKAGES, Writer
from simulator.scenario import data_files
from simulator.scenario.scenario import Scenario
from simulator.scenario.toml_text import differences
from simulator.system.files import Unwritable, alone_in, clear_partial
from simulator.system.interrupts import remedy
from simulator.system.machine import cores
from simulator.system.messages import LOG
from simulator.tracking import UNTRACKED, Tracking
from simulator.training.checkpoint import every_seconds
from simulator.training.record import Run
from simulator.training.schedules import replay, stop_of, vector_of
from simulator.verification.report import Report

VERIFYING, REPLAYED, FEW = 0.1, 1e-5, 5000
"""The share of a run's time that verification may take, the seconds of a replayed computation, and
how many are always replayed."""
MOST = 8
"""Differences that a message lists."""
Ended: TypeAlias = Callable[[Results], None]
"""Called with the results, complete or interrupted, before they are verified."""


class RunOptions(NamedTuple):
    schedule_only: bool = False
    tickets: bool | None = None
    """Whether to record tickets; None: if gradients are computed, since they cost far more."""
    jobs: Jobs = None
    fitting: bool = True
    """Whether to refuse a run that needs too much memory or would never end."""
    quiet: bool = False
    tracking: Tracking = UNTRACKED
    """Gets the metrics of all runs while they train."""
    temporary: bool = False
    """Whether the directory vanishes with the results: then messages name no command for it."""


class Finished(NamedTuple):
    results: Results
    report: Report | None
    """Of verification; None if the runs were interrupted."""

    @property
    def good(self) -> bool:
        """Whether no run failed and verification found no problem."""
        complete = self.results.manifest["status"] == "complete"
        return complete and self.report is not None and self.report.clean


def run(
    scenario: Scenario,
    out: Path | None,
    name: str,
    *,
    command: str,
    options: RunOptions,
    ended: Ended = lambda outcome: None,
) -> Finished:
    """Run every method on every seed, in the directory ``out`` or a new one below ``results/``."""
    options.tracking.choose(scenario.tracking)
    dry, by_episodes = options.schedule_only, scenario.cluster.per == "environment-step"
    if dry and by_episodes:
        raise Mistake(
            "--schedule-only: cluster.per = 'environment-step' takes its times from the episodes, "
            "which have to be played; run it without"
        )
    if options.fitting:
        estimate.check(scenario, dry)
    _check_environment_variables()
    with own_directory(out, name) as directory:
        scenario = scenario.moved_to(directory)
        # A replay cannot compute the length of an episode, so tickets must record it.
        tickets = by_episodes or (not dry if options.tickets is None else options.tickets)
        writer = Writer(directory, scenario, command, vector_of(scenario), dry, tickets)
        return _finish(writer, options, ended)


def resume(
    directory: Path,
    wanted: Scenario | None,
    *,
    options: RunOptions,
    ended: Ended = lambda outcome: None,
) -> Finished:
    """Finish an interrupted directory; ``wanted``, if given, must be the same scenario."""
    options.tracking.choose(wanted.tracking if wanted else [])
    _check_environment_variables()
    results.load(directory)  # refuses a broken directory before anything is written
    with alone_in(directory):
        begun = results.load(directory)
        scenario, manifest, dry = begun.scenario, begun.manifest, begun.schedule_only
        if begun.real:
            message = "its runs happened in real time, which cannot be continued; run it anew"
            raise Mistake(f"--resume {directory}: {message}")
        if scenario.fingerprint() != manifest["scenario_hash"]:
            message = "the scenario in it is not the one that was begun; run it anew"
            raise Mistake(f"{directory / 'manifest.json'}: {message}")
        if wanted is not None:
            _check_same(directory, scenario, one_of_equal_seeds(wanted) if dry else wanted)
        _check_versions(begun)
        clear_partial(directory)
        tickets, command = bool(manifest["tickets"]), manifest["command"]
        writer = Writer(directory, scenario, command, begun.vector, dry, tickets)
        writer.go_on(begun)
        if not options.quiet:
            LOG.warning(f"{directory}: {len(writer.done)} of {len(writer.wanted)} runs had ended")
        return _finish(writer, options, ended)


def how_to_finish(directory: Path) -> str:
    return f"straggle run --resume {directory} finishes it"


class _Directory(NamedTuple):
    """A result directory as the store of a campaign."""

    writer: Writer

    def has(self, task: Task) -> bool:
        return (task.method, task.seed) in self.writer.done

    def add(self, task: Task, done: Done) -> None:
        self.writer.add(done.stored)


def _finish(writer: Writer, options: RunOptions, ended: Ended) -> Finished:
    with remedy(how_to_finish(writer.directory)):
        interrupted = not _run_missing(writer, options)
        with _writing(writer.directory):
            found = writer.finish()
        whole = found.manifest["status"] != "interrupted"
        if interrupted and whole:  # all is written, but neither verified nor drawn
            raise KeyboardInterrupt
        ended(found)
        quiet = options.quiet or options.temporary
        return Finished(found, verified(found, quiet) if whole else None)


@plugins.blamed  # the estimate of the tasks runs the stories of plug-ins
def _run_missing(writer: Writer, options: RunOptions) -> bool:
    """Do the runs that have not ended; False after an interrupt."""
    scenario, directory = writer.scenario, writer.directory
    options.tracking.open(directory)
    plan = Plan(
        keep=_keep,
        outcome=lambda task, run: outcome(run, scenario),
        checkpoints=directory / "checkpoints",
        files=Files(directory, _write_tickets) if writer.tickets else None,
        tracking=options.tracking,
        summary=lambda task, run: writer.row(task.method, task.seed),
    )
    plane: Plane = "schedule" if writer.schedule_only else "training"
    store, jobs, quiet = _Directory(writer), options.jobs, options.quiet
    try:
        tasks = tasks_of(scenario.model_dump(), directory, scenario, plane, fitting=False)
        # Every method on the first seed comes first, for an early comparison.
        in_order = sorted(tasks, key=lambda task: writer.wanted.index((task.method, task.seed)))
        with _writing(directory):
            writer.write("running")
            campaign.conduct(in_order, plan, store, jobs=jobs, quiet=quiet)
    except KeyboardInterrupt:
        return False
    return True


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """On a full disk, name the command that continues."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or (str(error).splitlines() or ["no reason given"])[0]
        remedy = f"when that is mended, {how_to_finish(directory)}"
        raise Unwritable(f"{directory}: cannot be written: {reason}; {remedy}") from None


def _keep(scenario: Scenario, run: Run) -> Run:
    return run


def _write_tickets(directory: Path, scenario: Scenario, run: Run) -> None:
    with Ledger(directory / "tickets.parquet", run) as ledger:
        write_tickets(scenario, run, ledger)


def write_tickets(scenario: Scenario, run: Run, ledger: Ledger) -> None:
    """Record every computation of a run, by simulating its whole schedule again."""
    if run.accounts is None or not run.accounts.started.any():
        return
    simulation = replay(scenario, run, vector_of(scenario), Sinks(computation=ledger.add))
    stop = stop_of(scenario)
    steps = stop.steps if run.end in ("stop", "stalled") else run.steps
    with suppress(Stalled, InvalidDuration):  # the schedule of a stalled run stalls again
        for _ in simulation.steps(stop._replace(seconds=run.accounts.time, steps=steps)):
            pass
    simulation.close_trace()


def verified(found: Results, quiet: bool) -> Report:
    """Verify the files; warn of problems and of runs that were checked in part."""
    from simulator.verification import verify
    from simulator.verification.replayed import TOO_LONG

    runs = found.manifest["runs"]
    took = sum(run["real_seconds"] for run in runs)
    with showing(doing="checking the results", quiet=quiet):
        report = verify(found, most=max(FEW, VERIFYING * took / REPLAYED))
    for problem in report.problems:
        LOG.warning(f"not verified: {problem}")
    cut = {(left.method, left.seed) for left in report.unchecked if left.why == TOO_LONG}
    if cut and not quiet:
        message = f"of {len(cut)} long runs (of {len(runs)}) only the beginning was verified"
        LOG.warning(f"{message}; straggle verify {found.directory} verifies the rest")
    return report


# Before anything is written


def _check_environment_variables() -> None:
    cores()
    every_seconds()


def _check_same(directory: Path, begun: Scenario, wanted: Scenario) -> None:
    if wanted.fingerprint() == begun.fingerprint():
        return
    before, now, files = begun.canonical(), wanted.canonical(), wanted.files
    both = {path: file for path, file in begun.files.items() if path in files}
    # The directory has copies with other names.
    now = data_files.with_files(now, {path: file.name for path, file in both.items()})
    changed = [path for path, f in both.items() if f.read_bytes() != files[path].read_bytes()]
    found = [*differences(now, before), *(f"{path} has other contents" for path in changed)]
    more = f", and {len(found) - MOST} more" if len(found) > MOST else ""
    named = "; ".join(found[:MOST]) + more
    hint = "finish it without naming a scenario, or run this one anew"
    raise Mistake(f"--resume {directory}: was begun with another scenario: {named}; {hint}")


def _check_versions(begun: Results) -> None:
    manifest = begun.manifest
    now = {**{name: version(name) for name in PACKAGES}, "Python": platform.python_version()}
    before = {**manifest["versions"], "Python": manifest["python"]}
    if found := list(differences(now, before)):
        message = f"was begun with other versions: {'; '.join(found[:MOST])}"
        hint = "install the same versions, or run it anew"
        raise Mistake(f"--resume {begun.directory}: {message}; {hint}")
    if manifest["machine"] != platform.machine() or manifest["cores"] != cores():
        message = "was begun on another machine, or with other cores; the last digits may differ"
        LOG.warning(f"warning: {begun.directory}: {message}")
