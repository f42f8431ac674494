"""Are the numbers there?  The final points, what was computed for them, and what was looked at."""

import numpy as np

from simulator.mistakes import Mistake
from simulator.results.directory import files_of
from simulator.results.results import Results
from simulator.training.failure import name_of
from simulator.verification.evidence import STEPS, TICKETS, Evidence
from simulator.verification.report import Findings

MANIFEST = "manifest.json"


def check(run: Evidence, found: Findings, results: Results) -> None:
    """Of a run that learnt something, or did not."""
    _evaluated(run, found)
    _failure(run, found, results)
    if run.schedule_only:
        return
    _parameters(run, found, results)
    _looked(run, found)
    _environment_steps(run, found)


def _evaluated(run: Evidence, found: Findings) -> None:
    """A gradient is computed where it is used; the last group of a run may be cut short."""
    many, used = run.row["evaluated"], run.row["used"]
    if run.schedule_only:
        good, rule = many == 0, "nothing was computed"
    elif run.row["end"] in ("stop", "stalled"):
        good, rule = many == used, f"used = {used}"
    else:
        good, rule = many >= used, f"used = {used}"
    found.demand("evaluated", MANIFEST, good, f"evaluated = {many}, but {rule}")


def _failure(run: Evidence, found: Findings, results: Results) -> None:
    """Where it went wrong is told of a run that failed, and the point of the ticket is kept."""
    step, ticket, failed = (
        run.row["failed_step"],
        run.row["failed_ticket"],
        run.row["end"] == "failed",
    )
    good = failed or (step is None and ticket is None)
    told = f"failed_step = {step}, failed_ticket = {ticket}, but it ended by {run.row['end']!r}"
    found.demand("failure", MANIFEST, good, told)
    try:
        kept = results.failure(run.label, run.seed)
    except Mistake as mistake:
        found.demand("failure", files_of(run.label, run.seed)[1], False, str(mistake))
        return
    if kept is not None:
        # Workers that take steps of their own are sent more than a point.
        good = ticket == name_of(kept[0]) and kept[1].size >= run.vector.dimension
        told = f"is not of the ticket {ticket} that made the run fail"
        found.demand("failure", files_of(run.label, run.seed)[1], good, told)


def _parameters(run: Evidence, found: Findings, results: Results) -> None:
    file, *_ = files_of(run.label, run.seed)
    try:
        point = results.parameters(run.label, run.seed)
    except Mistake as mistake:
        # Where a run fails before its first point there is none.
        found.demand("parameters", file, run.row["end"] == "failed", str(mistake))
        return
    wanted = (run.vector.dimension,)
    told = f"has shape {point.shape}, must be {wanted}"
    found.demand("parameters", file, point.shape == wanted, told)
    finite = bool(np.isfinite(point).all()) or run.row["end"] == "failed"
    found.demand("parameters", file, finite, "is not finite, and the run did not fail")


def _looked(run: Evidence, found: Findings) -> None:
    """The initial and the last point were looked at, and an exact objective's always."""
    rhythm, failed = run.scenario.evaluation, run.row["end"] in ("failed", "interrupted")
    always = run.scenario.objective.exact and not (rhythm.every_seconds or rhythm.every_steps)
    due = np.full(run.closed + 1, always)
    due[[0, -1]] = True
    for name in run.scenario.objective.metrics:
        seen = np.isfinite(run.steps[name])
        found.demand(
            "looks",
            STEPS,
            seen | ~due | failed,
            f"{name} is missing, though it was to be measured",
            "step {}".format,
        )


def _environment_steps(run: Evidence, found: Findings) -> None:
    """They grow with the gradients, and where they take the time they are known exactly."""
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
