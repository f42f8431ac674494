"""Which steps and computations has a run in real time?  Read from its files, not simulated."""

from collections.abc import Callable, Iterator

from algorithms.tickets import Ticket
from simulator import plugins
from simulator.mistakes import Mistake
from simulator.reference import BrokenStory, RepeatedStory
from simulator.results.columns import rows
from simulator.results.results import Results
from simulator.scenario.prescription import settings_of
from simulator.schedule import Computation, Step
from simulator.training.recorded import Recorded


def steps(results: Results, method: str, seed: int) -> list[Step]:
    """The steps that the run's story makes of the recorded events."""
    scenario = results.scenario
    story = plugins.story_of(scenario.methods[method].method, settings_of(scenario, method))
    repeated = RepeatedStory(
        scenario.cluster.workers, story, results.happenings(method, seed).events
    )
    of = results.step_columns
    own = rows(of, (of["method"] == method) & (of["seed"] == seed))
    try:
        return list(repeated.steps(own["time"][1:].tolist()))
    except BrokenStory as broken:
        raise Mistake(f"{results.directory}: {method}, seed {seed}: {broken}") from None


def schedule(
    results: Results, method: str, seed: int, account_when: Callable[[int, float], bool]
) -> Recorded:
    """The run as a schedule, which the training loop can follow."""
    rows = results.manifest["runs"]
    row = next(row for row in rows if (row["method"], row["seed"]) == (method, seed))
    return Recorded(
        results.scenario.cluster.workers,
        float(row["simulated_seconds"]),
        steps(results, method, seed),
        [*computations(results, method, seed)],
        results.happenings(method, seed).stretches,
        account_when,
    )


def computations(results: Results, method: str, seed: int) -> Iterator[Computation]:
    """Everything that the run's workers computed."""
    tickets = results.ticket_columns
    if tickets is None:
        raise Mistake(f"{results.directory}: has no tickets.parquet, which tells its times")
    own = rows(tickets, (tickets["method"] == method) & (tickets["seed"] == seed))
    return map(_computation, *(own[name].tolist() for name in NAMES))


NAMES = ("worker", "version", "index", "start", "finish", "outcome", "used_in_step", "weight")


def _computation(
    worker: int,
    version: int,
    index: int,
    start: float,
    finish: float,
    outcome: str,
    step: float,
    weight: float,
) -> Computation:
    ticket, used = Ticket(worker, version, index), outcome == "used"
    number, own = (int(step), weight) if used else (None, None)
    return Computation(ticket, start, finish, outcome, number, own)  # type: ignore[arg-type]
