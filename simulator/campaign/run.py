"""From a scenario to a result directory: every run is written as it ends, and then all is checked.

A directory that was cut short is finished where it was.  What had ended is only read; a run that
was under way goes on from its newest checkpoint, and its schedule is simulated once more up to
there.  So the results are those of runs that nobody stopped.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeAlias

from simulator import plugins
from simulator.campaign import campaign
from simulator.campaign.campaign import Plan
from simulator.campaign.perform import Done
from simulator.campaign.progress import showing
from simulator.campaign.task import Plane, Task, tasks_of
from simulator.campaign.words import outcome
from simulator.cluster import InvalidDuration
from simulator.engine import Sinks, Stalled
from simulator.estimate import estimate
from simulator.estimate.remarks import one_of_equal_seeds
from simulator.mistakes import Mistake
from simulator.results import results
from simulator.results.directory import claim_directory, free_directory
from simulator.results.ledger import Ledger
from simulator.results.results import Results
from simulator.results.writer import PACKAGES, Writer
from simulator.scenario.differences import differences
from simulator.scenario.scenario import Scenario
from simulator.system.files import Unwritable, alone_in, clear_partial
from simulator.system.interrupts import remedy
from simulator.system.machine import cores
from simulator.system.messages import LOG
from simulator.training.checkpoint import every_seconds
from simulator.training.record import Run
from simulator.training.schedules import replay, stop_of, vector_of
from simulator.verification.report import Report

VERIFYING, REPLAYED, FEW = 0.1, 1e-5, 5000
"""The part of a run's time that replays may take, the seconds of a replayed computation, and how
many are replayed in any case."""
MOST = 8
"""So many differences are named."""
Ended: TypeAlias = Callable[[Results], None]
"""Called with the results, complete or interrupted, before they are verified."""


class RunOptions(NamedTuple):
    """What to do besides the usual."""

    schedule_only: bool = False
    tickets: bool | None = None
    """None: where gradients are computed, since beside them it costs little."""
    jobs: int | None = None
    """Processes; None: as many as pay."""
    fitting: bool = True
    """Whether what does not fit, or would never end, is refused."""
    quiet: bool = False
    temporary: bool = False
    """Whether the directory is gone with the results: then no command is named that reads it."""


class Finished(NamedTuple):
    """The results of a scenario."""

    results: Results
    report: Report | None
    """What verification says; None if the runs were interrupted."""

    @property
    def good(self) -> bool:
        """Whether every run ended as it should, and the files say what happened."""
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
    if options.schedule_only and scenario.cluster.per == "environment-step":
        raise Mistake(
            "--schedule-only: cluster.per = 'environment-step' takes its times from the episodes, "
            "which have to be played; run it without"
        )
    if options.fitting:
        estimate.check(scenario, options.schedule_only)
    _check_the_environment()
    directory = claim_directory(out or free_directory(Path("results") / name))
    with alone_in(directory):
        claim_directory(directory)  # nobody was quicker
        scenario = scenario.moved_to(directory)
        # The length of an episode cannot be simulated once more: it has to be written down.
        must = scenario.cluster.per == "environment-step"
        tickets = not options.schedule_only if options.tickets is None else options.tickets
        writer = Writer(
            directory,
            scenario,
            command,
            vector_of(scenario),
            options.schedule_only,
            tickets or must,
        )
        return _finish(writer, options, ended)


def resume(
    directory: Path,
    wanted: Scenario | None,
    *,
    options: RunOptions,
    ended: Ended = lambda outcome: None,
) -> Finished:
    """Finish what was begun there; ``wanted``, if given, has to be the same scenario."""
    _check_the_environment()
    results.load(directory)  # whatever is wrong with it is said before anything is touched
    with alone_in(directory):
        begun = results.load(directory)
        scenario, manifest = begun.scenario, begun.manifest
        _check_its_own(begun, scenario)
        if wanted is not None:
            _check_the_same(
                directory, scenario, one_of_equal_seeds(wanted) if begun.schedule_only else wanted
            )
        _check_versions(begun)
        clear_partial(directory)
        writer = Writer(
            directory,
            scenario,
            manifest["command"],
            begun.vector,
            begun.schedule_only,
            bool(manifest["tickets"]),
        )
        writer.go_on(begun)
        if not options.quiet:
            LOG.warning(f"{directory}: {len(writer.done)} of {len(writer.wanted)} runs had ended")
        return _finish(writer, options, ended)


def how_to_finish(directory: Path) -> str:
    return f"straggle run --resume {directory} finishes it"


# All runs that have not ended yet


class _Written(NamedTuple):
    """The store of a result directory."""

    writer: Writer

    def has(self, task: Task) -> bool:
        return (task.method, task.seed) in self.writer.done

    def add(self, task: Task, done: Done) -> None:
        self.writer.add(done.kept)


def _finish(writer: Writer, options: RunOptions, ended: Ended) -> Finished:
    with remedy(how_to_finish(writer.directory)):
        interrupted = not _all_written(writer, options)
        missing = len(writer.wanted) - len(writer.done)
        failed = bool(writer.ends & {"stalled", "failed"})
        with _writing(writer.directory):
            writer.write("interrupted" if missing else "failed" if failed else "complete")
        if interrupted and not missing:  # all is written, but neither verified nor drawn
            raise KeyboardInterrupt
        found = writer.results()
        ended(found)
        return Finished(
            found, None if missing else _verified(found, options.quiet or options.temporary)
        )


@plugins.blamed  # the estimate of the tasks runs the stories of plug-ins
def _all_written(writer: Writer, options: RunOptions) -> bool:
    """Whether all has been written: False after an interrupt."""
    scenario, directory = writer.scenario, writer.directory
    plan = Plan(
        keep=partial(_keep, directory, writer.tickets),
        words=lambda task, run: outcome(run, scenario),
        checkpoints=directory / "checkpoints",
    )
    plane: Plane = "schedule" if writer.schedule_only else "training"
    try:
        tasks = tasks_of(scenario.model_dump(), directory, scenario, plane, fitting=False)
        # Every method on the first seed comes first: comparisons are wanted early.
        in_order = sorted(tasks, key=lambda task: writer.wanted.index((task.method, task.seed)))
        with _writing(directory):
            writer.write("running")
            campaign.conduct(
                in_order, plan, _Written(writer), jobs=options.jobs, quiet=options.quiet
            )
    except KeyboardInterrupt:
        return False
    return True


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """Say how to go on where the disk is full."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or (str(error).splitlines() or ["no reason given"])[0]
        told = f"when that is mended, {how_to_finish(directory)}"
        raise Unwritable(f"{directory}: cannot be written: {reason}; {told}") from None


def _keep(directory: Path, tickets: bool, scenario: Scenario, run: Run) -> Run:
    """The run itself; its tickets go to a file of their own."""
    if tickets:
        with Ledger(directory / "tickets.parquet", run) as ledger:
            write_tickets(scenario, run, ledger)
    return run


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


def _verified(found: Results, quiet: bool) -> Report:
    """Whether the files say what happened; problems are told, and what was left unchecked."""
    from simulator.verification import verify
    from simulator.verification.replayed import TOO_LONG

    took = sum(run["real_seconds"] for run in found.manifest["runs"])
    with showing(doing="checking the results", quiet=quiet):
        report = verify(found, most=max(FEW, VERIFYING * took / REPLAYED))
    for problem in report.problems:
        LOG.warning(f"not verified: {problem}")
    cut = {(left.method, left.seed) for left in report.unchecked if left.why == TOO_LONG}
    if cut and not quiet:
        told = f"{len(cut)} of {len(found.manifest['runs'])} runs were checked in part"
        LOG.warning(f"{told}; straggle verify {found.directory} checks the rest")
    return report


# Before anything is written


def _check_the_environment() -> None:
    """What the environment variables say."""
    cores()
    every_seconds()


def _check_its_own(begun: Results, scenario: Scenario) -> None:
    """Refuse a directory whose scenario was altered after it was begun."""
    if scenario.fingerprint() != begun.manifest["scenario_hash"]:
        told = "the scenario in it is not the one that was begun; run it anew"
        raise Mistake(f"{begun.directory / 'manifest.json'}: {told}")


def _check_the_same(directory: Path, begun: Scenario, wanted: Scenario) -> None:
    if wanted.fingerprint() == begun.fingerprint():
        return
    there, here = begun.canonical(), wanted.canonical()
    if begun.speed_trace and wanted.speed_trace:  # it was copied under a name of its own
        here["cluster"]["speed"]["file"] = there["cluster"]["speed"]["file"]
    found = list(differences(here, there))
    more = f", and {len(found) - MOST} more" if len(found) > MOST else ""
    named = "; ".join(found[:MOST]) + more if found else "cluster.speed.file has other contents"
    hint = "finish it without naming a scenario, or run this one anew"
    raise Mistake(f"--resume {directory}: was begun with another scenario: {named}; {hint}")


def _check_versions(begun: Results) -> None:
    """The rest would be computed by other code: that is refused, or at least said."""
    manifest = begun.manifest
    here = {name: version(name) for name in PACKAGES}
    here["Python"] = platform.python_version()
    there: Mapping[str, str] = {**manifest["versions"], "Python": manifest["python"]}
    if found := list(differences(here, there)):
        hint = "install the same versions, or run it anew"
        told = f"was begun with other versions: {'; '.join(found[:MOST])}; {hint}"
        raise Mistake(f"--resume {begun.directory}: {told}")
    if manifest["machine"] != platform.machine() or manifest["cores"] != cores():
        told = "was begun on another machine, or with other cores; the last digits may differ"
        LOG.warning(f"warning: {begun.directory}: {told}")
