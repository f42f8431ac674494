"""Does time go forward, and did the run end where it says?  From manifest and steps alone."""

import math

import numpy as np

from simulator.verification.evidence import STEPS, Evidence
from simulator.verification.report import Findings

MANIFEST = "manifest.json"


def check(run: Evidence, found: Findings) -> None:
    """The clock, the gradients' count, and the end."""
    times, used, taken = run.times, run.steps["gradients"], run.steps["tickets"]
    row = "step {}".format
    found.demand(
        "clock",
        STEPS,
        np.isfinite(times) & np.concatenate([[times[0] == 0], np.diff(times) >= 0]),
        lambda at: f"closed at {times[at]:.12g} s, which is not after the step before it",
        row,
    )
    # A gradient that is used again counts once.
    new, first = np.diff(used), 0
    found.demand(
        "gradients",
        STEPS,
        np.concatenate([[used[0] == first], (new >= 0) & (new <= taken[1:])]),
        lambda at: f"gradients = {used[at]}, which does not follow from its {taken[at]} tickets",
        row,
    )
    _delays(run, found)
    _ended(run, found)
    _stopped(run, found)
    _reached(run, found)


def _delays(run: Evidence, found: Findings) -> None:
    oldest, mean = run.steps["max_delay"], run.steps["mean_delay"]
    versions = np.arange(run.closed + 1) - 1
    found.demand(
        "delay",
        STEPS,
        (oldest >= 0) & (oldest <= np.maximum(versions, 0)) & (mean >= 0) & (mean <= oldest),
        lambda at: f"max_delay = {oldest[at]}, mean_delay = {mean[at]:g}: impossible",
        "step {}".format,
    )


def _ended(run: Evidence, found: Findings) -> None:
    """The manifest's row against the last step."""
    row, last = run.row, float(run.times[-1])
    told = {
        "steps": (row["steps"], run.closed),
        "used": (row["used"], int(run.steps["gradients"][-1])),
    }
    for name, (mine, theirs) in told.items():
        told_so = f"{name} = {mine}, but {STEPS} has {theirs}"
        found.demand("end", MANIFEST, mine == theirs, told_so)
    at_last = row["end"] in ("target", "interrupted")
    good = run.end == last if at_last else run.end >= last
    told_so = f"simulated_seconds = {run.end!r}, but its last step closed at {last:.12g} s"
    found.demand("end", MANIFEST, good, told_so)
    silent = row["end"] in ("stop", "target")
    found.demand(
        "end",
        MANIFEST,
        isinstance(row["message"], str) and (row["message"] == "") == silent,
        f"message = {row['message']!r} does not go with end = {row['end']!r}",
    )


def _stopped(run: Evidence, found: Findings) -> None:
    """No further than it was told to go, and that far."""
    stop, used = run.scenario.stop, run.steps["gradients"]
    seconds = math.inf if stop.seconds is None else stop.seconds
    limit = f"stop.seconds = {seconds:g}"
    found.demand("stop", STEPS, run.times <= seconds, f"closed after {limit}", "step {}".format)
    found.demand("stop", MANIFEST, run.end <= seconds, f"it ran {run.end:g} s, {limit}")
    most = math.inf if stop.steps is None else stop.steps
    found.demand("stop", STEPS, run.closed <= most, f"{run.closed} steps, stop.steps = {most}")
    enough = math.inf if stop.gradients is None else stop.gradients
    found.demand(
        "stop",
        STEPS,
        used[:-1] < enough,
        f"the run goes on, though stop.gradients = {enough} are used",
        "step {}".format,
    )
    if run.row["end"] != "stop":
        return
    counted = run.closed == most or used[-1] >= enough
    good = run.end == (run.times[-1] if counted else seconds)
    told = f"says it ended where it was told to, after {run.end:.12g} s and {run.closed} steps; "
    asked = {"seconds": stop.seconds, "steps": stop.steps, "gradients": stop.gradients}
    limits = ", ".join(f"{key} = {value}" for key, value in asked.items() if value is not None)
    found.demand("stop", MANIFEST, good, f"{told}stop: {limits}")


def _reached(run: Evidence, found: Findings) -> None:
    """A target that is said to be reached was met at the last step and never before."""
    reached, said = run.row["seconds_to_target"], run.row["end"] == "target"
    good = reached == run.times[-1] if said else reached is None
    told = f"seconds_to_target = {reached!r}, end = {run.row['end']!r}"
    found.demand(
        "target", MANIFEST, good, f"{told}; its last step closed at {run.times[-1]:.12g} s"
    )
    target = run.scenario.stop.target
    if run.schedule_only:
        found.demand("target", MANIFEST, not said, "says it met a target, but nothing was learnt")
        return
    if target is None:
        found.demand("target", MANIFEST, not said, "says it met a target, but there is none")
        return
    values = run.steps[run.scenario.metric]
    with np.errstate(invalid="ignore"):
        met = values >= target if run.scenario.higher_is_better else values <= target
    expected = np.zeros(len(met), bool)
    expected[-1] = said
    found.demand(
        "target",
        STEPS,
        met == expected,
        lambda at: (
            f"{run.scenario.metric} = {values[at]:g}, target = {target:g}, "
            f"but the run {'ends here as met' if expected[at] else 'goes on'}"
        ),
        "step {}".format,
    )


def shares(run: Evidence, found: Findings) -> None:
    """The manifest's sums and shares are those of the accounts."""
    for name in ("started", "used", "recalled", "dropped", "lost", "unfinished"):
        mine, theirs = run.row[name], int(run.workers[name].sum())
        found.demand("sums", MANIFEST, mine == theirs, f"{name} = {mine}, workers sum to {theirs}")
    for name in ("busy", "communicating", "down", "idle", "wasted"):
        share = run.row[f"{name}_share"]
        if run.end == 0:
            good, mean = share is None, math.nan
        else:
            mean = float(run.workers[name].mean()) / run.end
            good = share is not None and abs(share - mean) <= 1e-9
        told = f"{name}_share = {share}, of the workers it is {mean:.12g}"
        found.demand("sums", MANIFEST, good, told)
