"""Which line describes a run, under way and at its end?"""

import math

from simulator.estimate.remarks import remarks
from simulator.scenario.scenario import Scenario
from simulator.system.messages import LOG
from simulator.training.record import Run


def warn(scenario: Scenario) -> None:
    """Name the settings that have no effect."""
    for remark in remarks(scenario):
        LOG.warning("warning: %s", remark)


def fraction(run: Run, scenario: Scenario) -> float:
    """The share of the run that is done if it goes on to its stop."""
    stop = scenario.stop
    done = max(
        run.time / (stop.seconds or math.inf),
        run.steps / (stop.steps or math.inf),
        run.gradients / (stop.gradients or math.inf),
    )
    return min(done, 1.0)  # the last step may go beyond the stop


def describe(run: Run, scenario: Scenario) -> str:
    value = f", {scenario.metric} {run.newest[scenario.metric]:.4g}" if run.newest else ""
    seconds = max(run.time, run.accounts.time if run.accounts else 0.0)
    time = f"{seconds:,.0f}" if 1000 <= seconds < 1e15 else f"{seconds:.4g}"
    return f"{run.method}, seed {run.seed}: {time} s simulated{value}"


def outcome(run: Run, scenario: Scenario) -> str:
    aims = run.metrics and scenario.stop.target is not None
    stopped = "stopped before the target" if aims else "done"
    end = {"target": "reached the target", "stop": stopped}.get(run.end, run.end)
    return f"{describe(run, scenario)}: {end} ({run.real_seconds:.1f} s)"
