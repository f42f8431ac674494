"""How does a scenario run in real time?  Method by method; then each run is replayed and written.

The replay is the training loop along the recorded steps.  It evaluates, and its points must be
those that the workers' own gradients made: reality changes *when*, never *what*.
"""

import os
import statistics
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from algorithms.tickets import Ticket
from simulator import plugins
from simulator.campaign.perform import outcome
from simulator.campaign.processes import ONE_THREAD, one_thread
from simulator.campaign.progress import Progress, showing
from simulator.campaign.run import Finished, verified
from simulator.campaign.tracked import all_settings
from simulator.objectives.objective import Objective
from simulator.realtime import refusals
from simulator.realtime.fleet import Fleet
from simulator.realtime.gradients import Gradient, TicketByTicket, Vector, gradient_in
from simulator.realtime.recording import Recording
from simulator.realtime.rule import Ascent
from simulator.realtime.server import Server
from simulator.realtime.worker import machine
from simulator.remote.agents import IDLE
from simulator.remote.connection import connect
from simulator.results.directory import own_directory
from simulator.results.events import Happenings, write_events
from simulator.results.ledger import Ledger
from simulator.results.results import Results
from simulator.results.writer import Writer
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.schedule import Step
from simulator.system.machine import cores
from simulator.system.messages import LOG
from simulator.tracking import UNTRACKED, Tracking
from simulator.training.jax_setup import prepare
from simulator.training.laboratory import Laboratory
from simulator.training.lanes import Lane, Turn
from simulator.training.learner import Learner
from simulator.training.live import Log
from simulator.training.observer import Observer
from simulator.training.payloads import ByKind
from simulator.training.record import Run
from simulator.training.schedules import numbers_of, rule_maker, stop_of, vector_of

TIME_SCALE = 0.05
"""Real seconds of a scenario second."""
TOLERANCE = {"float64": 1e-10, "float32": 1e-3}
"""Between the points of a run and of its replay, relative to the largest number of a point, if the
workers compute on other machines or JAX has several threads here.  Otherwise they are equal."""
NOTABLE = 0.05
"""The share of late gradients from which on a note says so."""


class RealOptions(NamedTuple):
    time_scale: float = TIME_SCALE
    address: str | None = None
    quiet: bool = False
    tracking: Tracking = UNTRACKED
    """Gets the metrics of each run when it is replayed."""


def run(
    scenario: Scenario,
    out: Path | None,
    name: str,
    *,
    command: str,
    options: RealOptions,
) -> Finished:
    """Run every method on every seed in real time, into ``out`` or a directory below results/."""
    options.tracking.choose(scenario.tracking)
    refusals.check_scenario(scenario, options.time_scale)
    if options.address is None:
        refusals.check_machine(scenario)
    refusals.check_ends(scenario)
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own actors yield to all others
    if "jax" not in sys.modules:
        one_thread()  # as the workers compute
    ray = connect(options.address, None)
    if options.address is not None:
        refusals.check_cluster(scenario, ray)
    IDLE.end()
    with own_directory(out, f"{name}-real") as directory:
        scenario = scenario.moved_to(directory)
        facts = {"time_scale": options.time_scale, "cores": cores(), "runs": []}
        writer = Writer(directory, scenario, command, vector_of(scenario), tickets=True, real=facts)
        writer.write("running")
        options.tracking.open(directory)
        cpus = 1.0 if options.address else 1 / refusals.PER_CORE
        fleet = Fleet(ray, scenario, cpus)
        try:
            _run_all(writer, fleet, options)
        finally:
            fleet.stop()
        found = writer.finish()
        whole = found.manifest["status"] != "interrupted"
        return Finished(found, verified(found, options.quiet) if whole else None)


def _run_all(writer: Writer, fleet: Fleet, options: RealOptions) -> None:
    """Do the runs, until an interrupt."""
    scenario, quiet = writer.scenario, options.quiet
    prepare()
    showed = showing(len(writer.wanted), doing="starting the workers", quiet=quiet)
    with suppress(KeyboardInterrupt), showed as progress:
        performer = _Performer(writer, fleet, options)
        for label, seed in writer.wanted:
            run = performer.perform(label, seed, progress)
            progress.ended(outcome(run, scenario), failed=run.end in ("failed", "stalled"))


class _Performer:
    """Does one run after another with the same workers."""

    def __init__(self, writer: Writer, fleet: Fleet, options: RealOptions) -> None:
        self._writer, self._fleet, self._options = writer, fleet, options
        self._objective: Objective = writer.scenario.build_objective()
        self._by_kind = ByKind(self._objective)
        self._laboratory = Laboratory(self._objective, TicketByTicket)
        fleet.gather()
        hellos = fleet.hellos
        assert writer.real is not None
        machines = {hello.machine for hello in hellos}
        self._exact = machines == {machine()} and ONE_THREAD in os.environ.get("XLA_FLAGS", "")
        writer.real["machines"] = len(machines)
        writer.real["gradient_seconds"] = max(hello.gradient_seconds for hello in hellos)

    def perform(self, label: str, seed: int, progress: Progress) -> Run:
        progress.under_way(f"{label}, seed {seed}: in real time")
        scenario = self._writer.scenario.restrict([label], [seed])
        ascent = self._ascent(scenario, label, seed)
        recording = self._in_real_time(scenario, label, seed, ascent)
        progress.under_way(f"{label}, seed {seed}: replaying")
        tracked = self._options.tracking.run(f"{label}-{seed}", partial(all_settings, scenario))
        run = self._replayed(scenario, recording, ascent, tracked.log)
        self._write(scenario, run, recording)
        tracked.end(self._writer.row(label, seed))
        return run

    def _ascent(self, scenario: Scenario, label: str, seed: int) -> Ascent:
        import jax

        point = np.asarray(self._objective.initial_point(jax.random.key(seed)))
        learner = Learner(rule_maker(scenario, label))
        return Ascent(learner, numbers_of(scenario, label), point)

    def _in_real_time(self, scenario: Scenario, label: str, seed: int, ascent: Ascent) -> Recording:
        import jax

        cluster, timing = scenario.build_cluster(), scenario.timing_seed(seed)
        method, root = scenario.methods[label].method, jax.random.key(seed)

        def compute(points: Mapping[int, Vector], step: Step, ticket: Ticket) -> Gradient:
            rows = {version: point[None] for version, point in points.items()}
            return gradient_in(self._by_kind, root, rows, step, ticket)

        scale = self._options.time_scale
        server = Server(
            cluster,
            plugins.story_of(method, settings_of(scenario, label)),
            self._fleet,
            ascent,
            compute,
            name=plugins.title(label, method),
            scale=scale,
            seed=timing,
            vector=self._writer.vector,
            stop=stop_of(scenario),
            say=LOG.warning,
        )
        self._fleet.begin(seed, scale)
        server.run()
        return server.recording

    def _replayed(self, scenario: Scenario, recording: Recording, ascent: Ascent, log: Log) -> Run:
        agreement = Agreement(ascent, self._exact)
        run = self._laboratory.retrace(scenario, recording.schedule, agreement, log)
        recording.difference = agreement.largest
        run.real_seconds = recording.end * self._options.time_scale
        return run

    def _write(self, scenario: Scenario, run: Run, recording: Recording) -> None:
        writer = self._writer
        assert run.accounts is not None
        assert writer.real is not None
        end = run.accounts.time
        with Ledger(writer.directory / "tickets.parquet", run) as ledger:
            for computation in recording.computations(end, run.steps):
                ledger.add(computation)
        write_events(writer.directory, run.method, run.seed, _until(end, recording))
        writer.real["runs"].append(facts_of(run, recording))
        writer.add(run)


def _until(end: float, recording: Recording) -> Happenings:
    """What had happened by the end of the run: at its target, the workers went on."""
    events = [each for each in recording.events if each.time <= end]
    stretches = [
        each._replace(finish=min(each.finish, end))
        for each in recording.stretches
        if each.start < end
    ]
    return Happenings(events, stretches)


def facts_of(run: Run, recording: Recording) -> dict[str, Any]:
    """How real the run was, for the manifest."""
    computing = recording.computing
    return {
        "method": run.method,
        "seed": run.seed,
        "computations": len(computing),
        "overruns": recording.late,
        "gradient_seconds": statistics.median(computing) if computing else None,
        "deaths": recording.deaths,
        "recomputed": recording.recomputed,
        "difference": recording.difference,
    }


def notes(results: Results) -> list[str]:
    """The time scale, and how many gradients were slower than the scenario says."""
    real = results.manifest["real"]
    scale, runs = real["time_scale"], real["runs"]
    lines = [f"in real time: a second of the scenario lasted {1000 * scale:.4g} ms"]
    for run in runs:
        share = run["overruns"] / run["computations"] if run["computations"] else 0.0
        if share > NOTABLE:
            took = f"{1000 * run['gradient_seconds']:.3g} ms in the median"
            lines.append(
                f"{run['method']}, seed {run['seed']}: compute-bound: {share:.0%} of the gradients "
                f"took longer than their seconds ({took}); raise --time-scale"
            )
        if run["deaths"]:
            deaths = "once" if run["deaths"] == 1 else f"{run['deaths']} times"
            lines.append(f"{run['method']}, seed {run['seed']}: a worker died {deaths}")
    return lines


class Agreement(Observer):
    """Fails a replay whose points are not those of the run in real time."""

    def __init__(self, ascent: Ascent, exact: bool) -> None:
        self._iterates, self._exact = ascent.iterates, exact
        self.largest = 0.0

    def step(self, lane: Lane, turn: Turn) -> None:
        real = self._iterates.get(turn.step.number)
        if real is None or not np.isfinite(real).all():
            return
        for run in lane.living:
            own = turn.iterate[lane.row(run)]
            error = float(np.abs(own - real).max() / max(1.0, float(np.abs(real).max())))
            self.largest = max(self.largest, error)
            if error > (0.0 if self._exact else TOLERANCE[str(real.dtype)]):
                message = f"its point at server step {turn.step.number} differs from the workers'"
                lane.end(run, "failed", f"the replay disagrees: {message} by {error:.3g}")
