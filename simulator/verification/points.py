"""Are the numbers complete: the final points, the evaluated gradients, the evaluations?"""

import numpy as np

from simulator.mistakes import Mistake
from simulator.results.directory import files_of
from simulator.results.results import Results
from simulator.training.failure import name_of
from simulator.verification.evidence import Evidence
from simulator.verification.report import STEPS, TICKETS, Findings

MANIFEST = "manifest.json"


def check(run: Evidence, found: Findings, results: Results) -> None:
    _check_evaluated(run, found)
    _check_failure(run, found, results)
    if not run.schedule_only:
        _check_parameters(run, found, results)
        _check_evaluations(run, found)
        _check_environment_steps(run, found)


def _check_evaluated(run: Evidence, found: Findings) -> None:
    """All used gradients are evaluated; others only in the last group of a run cut short."""
    count, used = run.row["evaluated"], run.row["used"]
    if run.schedule_only:
        good, rule = count == 0, "nothing was computed"
    elif run.row["end"] in ("stop", "stalled"):
        good, rule = count == used, f"used = {used}"
    else:
        good, rule = count >= used, f"used = {used}"
    found.demand("evaluated", MANIFEST, good, f"evaluated = {count}, but {rule}")


def _check_failure(run: Evidence, found: Findings, results: Results) -> None:
    """Only a failed run names a step and a ticket; the point of the ticket is kept."""
    step, ticket, end = (run.row[key] for key in ("failed_step", "failed_ticket", "end"))
    good = end == "failed" or (step is None and ticket is None)
    message = f"failed_step = {step}, failed_ticket = {ticket}, but it ended by {end!r}"
    found.demand("failure", MANIFEST, good, message)
    file = files_of(run.label, run.seed)[1]
    try:
        failure = results.failure(run.label, run.seed)
    except Mistake as mistake:
        found.demand("failure", file, False, str(mistake))
        return
    if failure is not None:
        # The payload of local steps is longer than a point.
        good = ticket == name_of(failure[0]) and failure[1].size >= run.vector.dimension
        message = f"is not of the ticket {ticket} that made the run fail"
        found.demand("failure", file, good, message)


def _check_parameters(run: Evidence, found: Findings, results: Results) -> None:
    file, *_ = files_of(run.label, run.seed)
    failed = run.row["end"] == "failed"
    try:
        point = results.parameters(run.label, run.seed)
    except Mistake as mistake:
        # A run that fails before its first point has none.
        found.demand("parameters", file, failed, str(mistake))
        return
    shape = (run.vector.dimension,)
    message = f"has shape {point.shape}, must be {shape}"
    found.demand("parameters", file, point.shape == shape, message)
    finite = bool(np.isfinite(point).all()) or failed
    found.demand("parameters", file, finite, "is not finite, and the run did not fail")


def _check_evaluations(run: Evidence, found: Findings) -> None:
    """The first and the last point are evaluated; for an exact objective, every point."""
    rhythm, failed = run.scenario.evaluation, run.row["end"] in ("failed", "interrupted")
    always = run.scenario.objective.exact and not (rhythm.every_seconds or rhythm.every_steps)
    due = np.full(run.closed + 1, always)
    due[[0, -1]] = True
    for name in run.scenario.objective.metrics:
        good = np.isfinite(run.steps[name]) | ~due | failed
        message = f"{name} is missing, though it was to be measured"
        found.demand("evaluations", STEPS, good, message)


def _check_environment_steps(run: Evidence, found: Findings) -> None:
    """They grow with the gradients; where they take time, by the lengths of the tickets."""
    taken = run.steps["environment_steps"]
    new, gradients = np.diff(taken), np.diff(run.steps["gradients"])
    found.demand("environment steps", STEPS, taken[0] == 0, "does not begin at 0", "step 0")
    found.demand(
        "environment steps",
        STEPS,
        (new >= 0) & ((new == 0) | (gradients > 0)),
        lambda at: f"environment_steps change by {new[at]} for {gradients[at]} gradients",
        lambda at: f"step {at + 1}",
    )
    if run.tickets is None or run.scenario.cluster.per != "environment-step":
        return
    used = run.tickets.where("used")
    sums = np.bincount(run.tickets.step[used], run.tickets.length[used], run.closed + 1)[1:]
    found.demand(
        "environment steps",
        TICKETS,
        new == sums,
        lambda at: f"environment_steps grow by {new[at]}, its tickets have {sums[at]:.0f}",
        lambda at: f"step {at + 1}",
    )
