"""What happens when only the times are wanted?  Schedules without gradients, and without JAX."""

import time
from collections.abc import Callable, Collection, Iterator

from simulator.cluster import InvalidDuration, Vector
from simulator.engine import Simulation, Stalled, Stop
from simulator.runs.record import Run
from simulator.runs.simulations import replay, simulation_of, stop_of, vector_of
from simulator.scenario.scenario import Scenario
from simulator.schedule import Step

MOMENT = 0.2
"""Real seconds between two calls of ``watch``."""


def run_schedules(
    scenario: Scenario,
    *,
    watch: Callable[[Run], None] = lambda run: None,
    heard: Callable[[Step], None] = lambda step: None,
    done: Collection[tuple[str, int]] = (),
) -> Iterator[Run]:
    """The schedule of every method on every seed but those done; an interrupted one is the last.

    ``watch`` is called now and then with a run that is under way, ``heard`` with every step.
    """
    vector = vector_of(scenario)
    for seed in scenario.seeds:
        for label in scenario.methods:
            if (label, seed) in done:
                continue
            run = Run(label, seed)
            began = time.perf_counter()
            simulation = simulation_of(scenario, label, seed, vector=vector)
            seen = began
            try:
                for step in simulation.steps(stop_of(scenario)):
                    run.close(step)
                    heard(step)
                    if step.number % 64 == 0 and time.perf_counter() - seen > MOMENT:
                        seen = time.perf_counter()
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
            yield run
            if run.end == "interrupted":
                return


def _as_of_the_last_step(scenario: Scenario, run: Run, vector: Vector) -> Simulation:
    """An interruption may come in the midst of anything: so the schedule is played once more."""
    simulation = replay(scenario, run, vector)
    if run.steps:
        for _ in simulation.steps(Stop(steps=run.steps)):
            pass
    return simulation
