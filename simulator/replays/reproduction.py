"""What was one gradient of a run?  Plain code computes it once more, by itself.

If the run failed by this gradient, its point is saved.  For any other ticket the run is trained
again, up to the version of the ticket.
"""

import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.tickets import Ticket
from simulator.mistakes import Mistake, did_you_mean, one_line
from simulator.results import recorded
from simulator.results.results import Results
from simulator.training.failure import name_of, ticket_of


class Chosen(NamedTuple):
    """A gradient of a run."""

    method: str
    seed: int
    ticket: Ticket


class Reproduction(NamedTuple):
    """The gradient, or the error instead."""

    chosen: Chosen
    point: NDArray[Any]
    gradient: NDArray[Any] | None = None
    environment_steps: int = 0
    error: str = ""
    trace: str = ""

    @property
    def wrong(self) -> NDArray[np.intp]:
        """Places of numbers that are not finite."""
        if self.gradient is None:
            return np.zeros(0, np.intp)
        return np.flatnonzero(~np.isfinite(self.gradient))

    @property
    def fine(self) -> bool:
        return self.gradient is not None and not len(self.wrong)

    def lines(self) -> list[str]:
        method, seed, ticket = self.chosen
        lines = [
            f"{method}, seed {seed}: ticket {name_of(ticket)}, "
            f"worker {ticket.worker} at version {ticket.version}",
            f"  point: {len(self.point):,} numbers, norm {np.linalg.norm(self.point):.6g}",
        ]
        if self.gradient is None:
            return [*lines, f"  error: {self.error}"]
        if self.environment_steps:
            lines.append(f"  environment steps: {self.environment_steps:,}")
        if self.fine:
            return [*lines, f"  gradient: norm {np.linalg.norm(self.gradient):.6g}, all finite"]
        first = int(self.wrong[0])
        wrong = f"{len(self.wrong):,} of its numbers are not finite"
        return [*lines, f"  gradient: {wrong}, the first is [{first}] = {self.gradient[first]}"]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def as_data(self) -> dict[str, Any]:
        method, seed, ticket = self.chosen
        gradient = None if self.gradient is None else [float(value) for value in self.gradient]
        return {
            "method": method,
            "seed": seed,
            "ticket": name_of(ticket),
            "fine": self.fine,
            "error": self.error or None,
            "environment_steps": self.environment_steps,
            # JSON has no infinity and no NaN.
            "gradient": gradient and [v if np.isfinite(v) else str(v) for v in gradient],
        }


def choose(outcome: Results, name: str, method: str | None, seed: int | None) -> Chosen:
    """The ticket of this name in the chosen run: the only one, or the one that failed by it."""
    try:
        ticket = ticket_of(name)
    except ValueError as error:
        raise Mistake(f"{name}: {error}") from None
    if outcome.schedule_only:
        raise Mistake(f"{outcome.directory}: has no gradients, it was run with --schedule-only")
    rows = outcome.manifest["runs"]
    methods = list(dict.fromkeys(row["method"] for row in rows))
    if method is not None and method not in methods:
        raise Mistake(f"--method {method}: not in these results; {did_you_mean(method, methods)}")
    runs = [row for row in rows if method in (None, row["method"]) and seed in (None, row["seed"])]
    if len(runs) > 1:
        runs = [row for row in runs if row["failed_ticket"] == name] or runs
    if len(runs) > 1:
        raise Mistake(f"{name}: several runs have such a ticket; add --method and --seed")
    if not runs:
        raise Mistake(f"--seed {seed}: not in these results")
    chosen = Chosen(runs[0]["method"], runs[0]["seed"], ticket)
    _check_started(outcome, chosen)
    return chosen


def _check_started(outcome: Results, chosen: Chosen) -> None:
    """Refuse a ticket that the run did not start, if tickets are recorded."""
    method, seed, ticket = chosen
    failed = outcome.failure(method, seed)
    # The record ends before the step that failed.
    if outcome.tickets is None or (failed and failed[0] == ticket):
        return
    if not len(_rows_of(outcome, chosen)):
        raise Mistake(f"{name_of(ticket)}: {method}, seed {seed}, started no such gradient")


def _step_of(outcome: Results, chosen: Chosen) -> int | None:
    """The first step that used the ticket, if there is one and tickets are recorded."""
    rows = _rows_of(outcome, chosen)
    used: Any = rows[rows["outcome"] == "used"]["used_in_step"] if len(rows) else ()
    return int(used.iloc[0]) if len(used) else None


def _rows_of(outcome: Results, chosen: Chosen) -> Any:
    method, seed, ticket = chosen
    recorded = outcome.tickets
    if recorded is None:
        return ()
    own = recorded[(recorded["method"] == method) & (recorded["seed"] == seed)]
    same = own[["worker", "version", "index"]].to_numpy() == np.array(ticket)
    return own[same.all(axis=1)]


def reproduce(
    outcome: Results, chosen: Chosen, report: Callable[[str], object] = lambda text: None
) -> Reproduction:
    """Compute the gradient once more; ``report`` is called before a long training."""
    from simulator.training.laboratory import laboratory_of

    method, seed, ticket = chosen
    scenario = outcome.scenario.restrict([method], [seed])
    laboratory = laboratory_of(scenario)
    failed, used = outcome.failure(method, seed), _step_of(outcome, chosen)
    real = partial(recorded.schedule, outcome, method, seed) if outcome.real else None
    if failed is not None and failed[0] == ticket:
        point = failed[1]
    elif used is not None:
        report(f"training {method}, seed {seed}, up to step {used} once more")
        point = laboratory.place_of(scenario, ticket, used, real)
    else:
        report(f"training {method}, seed {seed}, up to version {ticket.version} once more")
        point = laboratory.point_at(scenario, ticket.version, real)
    try:
        gradient, steps = laboratory.sample(scenario, point, ticket)
    except Exception as error:  # the user wants to see whatever an environment raises
        return Reproduction(chosen, point, error=one_line(error), trace=traceback.format_exc())
    return Reproduction(chosen, point, gradient, steps)
