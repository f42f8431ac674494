"""How is a schedule simulated without gradients, and without JAX?"""

import time
from collections.abc import Callable

from simulator.cluster import InvalidDuration, Vector
from simulator.engine import Simulation, Stalled, Stop
from simulator.scenario.scenario import Scenario
from simulator.schedule import Step
from simulator.training.record import Run
from simulator.training.schedules import replay, simulation_of, stop_of, vector_of

EVERY_STEPS = 64
"""Steps between two calls of ``watch``."""


def simulate(
    scenario: Scenario,
    ended: Callable[[Run], None],
    watch: Callable[[Run], None] = lambda run: None,
    keep_steps: bool = False,
) -> None:
    """Simulate the only method of this scenario on its only seed.

    ``ended`` is called with the run, even after an interruption.
    """
    (label,), (seed,), vector = scenario.methods, scenario.seeds, vector_of(scenario)
    steps: list[Step] | None = [] if keep_steps else None
    run, began = Run(label, seed, history=steps), time.perf_counter()
    simulation = simulation_of(scenario, label, seed, vector=vector)
    try:
        for step in simulation.steps(stop_of(scenario)):
            run.close(step)
            if steps is not None:
                steps.append(step)
            if step.number % EVERY_STEPS == 0:
                watch(run)
    except Stalled as stalled:
        run.end, run.message = "stalled", str(stalled)
    except InvalidDuration as wrong:
        run.end, run.message = "failed", str(wrong)
    except KeyboardInterrupt:
        run.end, run.message = "interrupted", "interrupted"
        simulation = _as_of_the_last_step(scenario, run, vector)
    run.accounts = simulation.accounts()
    run.real_seconds = time.perf_counter() - began
    ended(run)
    if run.end == "interrupted":
        raise KeyboardInterrupt


def _as_of_the_last_step(scenario: Scenario, run: Run, vector: Vector) -> Simulation:
    """The simulation at the run's last step, once more: the first one was interrupted anywhere."""
    simulation = replay(scenario, run, vector)
    if run.steps:
        for _ in simulation.steps(Stop(steps=run.steps)):
            pass
    return simulation
