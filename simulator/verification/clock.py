"""Does time go forward, and does the run end where its manifest says?"""

import math

import numpy as np

from simulator.verification.evidence import COUNTS, SECONDS, Evidence
from simulator.verification.report import STEPS, Findings

MANIFEST = "manifest.json"


def check(run: Evidence, found: Findings) -> None:
    times, used, taken = run.times, run.steps["gradients"], run.steps["tickets"]
    found.demand(
        "clock",
        STEPS,
        np.isfinite(times) & np.concatenate([[times[0] == 0], np.diff(times) >= 0]),
        lambda at: f"closed at {times[at]:.12g} s, which is not after the step before it",
    )
    new = np.diff(used)  # a gradient that is used again counts once
    found.demand(
        "gradients",
        STEPS,
        np.concatenate([[used[0] == 0], (new >= 0) & (new <= taken[1:])]),
        lambda at: f"gradients = {used[at]}, which does not follow from its {taken[at]} tickets",
    )
    _check_delays(run, found)
    _check_end(run, found)
    _check_stop(run, found)
    _check_target(run, found)
    _check_shares(run, found)


def _check_delays(run: Evidence, found: Findings) -> None:
    oldest, mean = run.steps["max_delay"], run.steps["mean_delay"]
    arrival, training = run.steps["arrival_delay"], run.steps["training_seconds"]
    most = np.maximum(np.arange(run.closed + 1) - 1, 0)
    found.demand(
        "delay",
        STEPS,
        (oldest >= 0) & (oldest <= most) & (mean >= 0) & (mean <= oldest),
        lambda at: f"max_delay = {oldest[at]}, mean_delay = {mean[at]:g}: impossible",
    )
    found.demand(
        "delay",
        STEPS,
        (arrival >= 0) & (arrival <= oldest),
        lambda at: f"arrival_delay = {arrival[at]:g}, max_delay = {oldest[at]}: impossible",
    )
    lasted = np.diff(run.times, prepend=0.0)
    found.demand(
        "clock",
        STEPS,
        (training >= 0) & ((training <= lasted) | run.close(training, lasted)),
        lambda at: f"training_seconds = {training[at]:g}, longer than its step",
    )


def _check_end(run: Evidence, found: Findings) -> None:
    row, last = run.row, float(run.times[-1])
    for name, closed in {"steps": run.closed, "used": int(run.steps["gradients"][-1])}.items():
        message = f"{name} = {row[name]}, but {STEPS} has {closed}"
        found.demand("end", MANIFEST, row[name] == closed, message)
    at_last = row["end"] in ("target", "interrupted")
    good = run.end == last if at_last else run.end >= last
    message = f"simulated_seconds = {run.end!r}, but its last step closed at {last:.12g} s"
    found.demand("end", MANIFEST, good, message)
    silent = row["end"] in ("stop", "target")
    good = isinstance(row["message"], str) and (row["message"] == "") == silent
    message = f"message = {row['message']!r} does not go with end = {row['end']!r}"
    found.demand("end", MANIFEST, good, message)


def _check_stop(run: Evidence, found: Findings) -> None:
    """The run goes up to its limits and no further."""
    stop, used = run.scenario.stop, run.steps["gradients"]
    limits = {"seconds": stop.seconds, "steps": stop.steps, "gradients": stop.gradients}
    seconds, most, enough = (math.inf if limit is None else limit for limit in limits.values())
    limit = f"stop.seconds = {seconds:g}"
    found.demand("stop", STEPS, run.times <= seconds, f"closed after {limit}")
    found.demand("stop", MANIFEST, run.end <= seconds, f"it ran {run.end:g} s, {limit}")
    found.demand("stop", STEPS, run.closed <= most, f"{run.closed} steps, stop.steps = {most}")
    message = f"the run goes on, though stop.gradients = {enough} are used"
    found.demand("stop", STEPS, used[:-1] < enough, message)
    if run.row["end"] != "stop":
        return
    counted = run.closed == most or used[-1] >= enough
    good = run.end == (run.times[-1] if counted else seconds)
    message = f"end = 'stop' after {run.end:.12g} s and {run.closed} steps; stop: "
    message += ", ".join(f"{key} = {limit}" for key, limit in limits.items() if limit is not None)
    found.demand("stop", MANIFEST, good, message)


def _check_target(run: Evidence, found: Findings) -> None:
    """A run that ends at its target meets it at the last step and never before."""
    reached, at_target = run.row["seconds_to_target"], run.row["end"] == "target"
    good = reached == run.times[-1] if at_target else reached is None
    message = f"seconds_to_target = {reached!r}, end = {run.row['end']!r}; "
    message += f"its last step closed at {run.times[-1]:.12g} s"
    found.demand("target", MANIFEST, good, message)
    target = run.scenario.stop.target
    if run.schedule_only or target is None:
        why = "nothing was learnt" if run.schedule_only else "there is none"
        found.demand("target", MANIFEST, not at_target, f"says it met a target, but {why}")
        return
    values = run.steps[run.scenario.metric]
    with np.errstate(invalid="ignore"):
        met = values >= target if run.scenario.higher_is_better else values <= target
    expected = np.zeros(len(met), bool)
    expected[-1] = at_target
    found.demand(
        "target",
        STEPS,
        met == expected,
        lambda at: (
            f"{run.scenario.metric} = {values[at]:g}, target = {target:g}, "
            f"but the run {'ends here as met' if expected[at] else 'goes on'}"
        ),
    )


def _check_shares(run: Evidence, found: Findings) -> None:
    for name in COUNTS:
        own, total = run.row[name], int(run.workers[name].sum())
        found.demand("sums", MANIFEST, own == total, f"{name} = {own}, workers sum to {total}")
    for name in SECONDS:
        share = run.row[f"{name}_share"]
        if run.end == 0:
            good, mean = share is None, math.nan
        else:
            mean = float(run.workers[name].mean()) / run.end
            good = share is not None and abs(share - mean) <= 1e-9
        message = f"{name}_share = {share}, of the workers it is {mean:.12g}"
        found.demand("sums", MANIFEST, good, message)
