"""How is a run told in a line, under way and in the end?"""

import math

from simulator.estimate.remarks import remarks
from simulator.scenario.scenario import Scenario
from simulator.system.messages import LOG
from simulator.training.record import Run


def warn(scenario: Scenario) -> None:
    """Name the settings that have no effect."""
    for remark in remarks(scenario):
        LOG.warning("warning: %s", remark)


def tickets_of(run: Run) -> int:
    return int(run.accounts.started.sum()) if run.accounts else 0


def fraction(run: Run, scenario: Scenario) -> float:
    """How much of the run is done, if it goes on to its stop; its last step may go beyond."""
    stop = scenario.stop
    done = max(
        run.time / (stop.seconds or math.inf),
        run.steps / (stop.steps or math.inf),
        run.gradients / (stop.gradients or math.inf),
    )
    return min(done, 1.0)


def where(run: Run, scenario: Scenario) -> str:
    value = f", {scenario.metric} {run.newest[scenario.metric]:.4g}" if run.newest else ""
    seconds = max(run.time, run.accounts.time if run.accounts else 0.0)
    told = f"{seconds:,.0f}" if 1000 <= seconds < 1e15 else f"{seconds:.4g}"
    return f"{run.method}, seed {run.seed}: {told} s simulated{value}"


def outcome(run: Run, scenario: Scenario) -> str:
    aims = run.metrics and scenario.stop.target is not None
    end = {
        "target": "reached the target",
        "stop": "stopped before the target" if aims else "done",
    }.get(run.end, run.end)
    return f"{where(run, scenario)}: {end} ({run.real_seconds:.1f} s)"
