"""How are the runs of a scenario done?  In pieces: one method on one seed, in any process.

A piece is plain data.  It writes checkpoints and tickets by their paths, and tells how far it is
and every run that has ended.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator import plugins
from simulator.cluster import InvalidDuration
from simulator.engine import Sinks, Stalled
from simulator.estimate.estimate import Estimate
from simulator.results.ledger import Ledger
from simulator.running.words import complain, fraction, tickets_of, where
from simulator.runs.checkpoint import Keeper
from simulator.runs.dry_run import run_schedules
from simulator.runs.record import Run
from simulator.runs.simulations import replay, stop_of, vector_of
from simulator.scenario import loading
from simulator.scenario.scenario import Scenario
from simulator.system.side_by_side import Tell

if TYPE_CHECKING:
    from simulator.runs.experiment import Laboratory, Watch

MOMENT = 0.2
"""Seconds between two words on how far a run is."""
WORTH = 6.0
"""Estimated seconds of all runs together, from which on it pays to start processes."""


class Piece(NamedTuple):
    """One run of a scenario; everything that it writes goes to ``directory``."""

    tables: dict[str, Any]
    directory: Path
    method: str
    seed: int
    schedule_only: bool
    tickets: bool


class Working(NamedTuple):
    """What a piece is at, and the share of its run that is done."""

    doing: str
    share: float


class Recorded(NamedTuple):
    """Everything that a piece writes itself is written."""

    method: str
    seed: int


def pieces_of(
    scenario: Scenario,
    directory: Path,
    runs: Sequence[tuple[str, int]],
    *,
    schedule_only: bool,
    tickets: bool,
) -> dict[str, Piece]:
    """A piece for each of these runs, by its name."""
    tables = scenario.model_dump()
    return {
        f"{method}, seed {seed}": Piece(tables, directory, method, seed, schedule_only, tickets)
        for method, seed in runs
    }


def jobs_for(scenario: Scenario, runs: int, wanted: int | None, cores: int, found: Estimate) -> int:
    """How many processes do them: one, here, where starting more would not pay."""
    if not plugins.is_portable(scenario.model_dump()):
        return 1
    most = cores if wanted is None else wanted
    if wanted is None and runs * sum(found.seconds.values()) / len(found.seconds) < WORTH:
        return 1
    return max(1, min(most, runs))


@plugins.blamed
def perform(name: str, piece: Piece, tell: Tell) -> None:
    """Do a piece: tell how far it is, then the run, and in the end that all of it is written."""
    scenario = _scenario(piece)
    run = _run(scenario, piece, _watching(scenario, tell))
    tell(run.plain())
    if piece.tickets:
        doing = f"{run.method}, seed {run.seed}: writing {tickets_of(run):,} tickets"
        tell(Working(doing, fraction(run, scenario)))
        with Ledger(piece.directory / "tickets.parquet", run) as ledger:
            write_tickets(scenario, run, ledger)
    tell(Recorded(run.method, run.seed))


def keeper_of(scenario: Scenario, directory: Path, method: str, seed: int) -> Keeper:
    """The checkpoints of a run."""
    folder = directory / "checkpoints"
    return Keeper(folder, f"{method}-{seed}", scenario.fingerprint(), complain)


def _scenario(piece: Piece) -> Scenario:
    return loading.of_tables(piece.tables).found_from(piece.directory)


def _watching(scenario: Scenario, tell: Tell) -> "Watch":
    """Tells now and then how far a run is."""
    latest = 0.0

    def watch(run: Run) -> None:
        nonlocal latest
        if time.monotonic() - latest > MOMENT:
            latest = time.monotonic()
            tell(Working(where(run, scenario), fraction(run, scenario)))

    return watch


def _run(scenario: Scenario, piece: Piece, watch: "Watch") -> Run:
    if piece.schedule_only:
        (run,) = run_schedules(scenario.restrict([piece.method], [piece.seed]), watch=watch)
        return run
    keeper = keeper_of(scenario, piece.directory, piece.method, piece.seed)
    return _laboratory(scenario).run(piece.method, piece.seed, keeper, watch)


_laboratories: "dict[str, Laboratory]" = {}


def _laboratory(scenario: Scenario) -> "Laboratory":
    """What was built and compiled for a scenario serves its next piece, too."""
    from simulator.numerics.numbers import prepare
    from simulator.runs.experiment import Laboratory

    key = scenario.fingerprint()
    if key not in _laboratories:
        prepare()
        _laboratories.clear()
        _laboratories[key] = Laboratory(scenario, scenario.build_objective())
    return _laboratories[key]


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
