"""What does a gradient cost the machine that computes it?  Seconds and bytes, by the objective.

The rates are those of one ordinary core of 2025 (docs/limits.md compares estimates with
measurements); they are meant to be right within a factor of three.
"""

from typing import NamedTuple

from simulator.objectives.objective import Size
from simulator.system.machine import cores

FLOPS = 2e10
"""Floating-point operations of a policy, in a second."""
OWN_STEP, PLAIN_STEP = 0.5e-6, 50e-6
"""Seconds of an environment's step: of ours, and of a gymnasium one nothing is known of."""
STEPS = {
    "Humanoid": 190e-6,
    "Hopper": 70e-6,
    "Walker2d": 80e-6,
    "HalfCheetah": 60e-6,
    "Reacher": 30e-6,
}
"""Of MuJoCo's tasks, by the first part of their names."""
NUMBER = 20e-9
"""Seconds that a coordinate of an exact objective takes: noise, above all."""
CALL = 5e-6
"""Seconds of any gradient, however small: its part of a call."""
MODEL_STEP = 1e-6
"""Seconds of a step of a decision process or of a linear system."""
PLAYED = 0.5
"""The part of its horizon that an episode is taken to last."""
LANES, BATCH = 25, 64
"""Episodes that a process plays side by side, and tickets that are evaluated together, at most."""


class Cost(NamedTuple):
    """What the numbers of one scenario cost."""

    gradient: float
    """Seconds."""
    look: float
    """Seconds of an evaluation."""
    apart: float
    """How many times as long gradients take that have a point each."""
    compiling: float
    """Seconds of a method, before its first step."""
    base: float
    """Bytes, before anything is large."""
    rows: float
    """Bytes of the largest batch, without its points."""
    looking: float
    """Bytes of an evaluation."""
    fixed: float = 0.0
    """Bytes of what the objective is made of."""


def of_model(size: Size, playing: float = 0.0, fixed: float = 0.0) -> Cost:
    """Of an exact objective, whose model takes so many seconds of a gradient and bytes in all."""
    point = size.dimension * size.itemsize
    return Cost(
        gradient=CALL + playing + NUMBER * size.dimension,
        look=1e-4 + NUMBER * size.dimension,
        apart=2.0,
        compiling=0.5,
        base=550e6,
        rows=4.0 * BATCH * point,
        looking=4.0 * point,
        fixed=fixed,
    )


def of_episodes(
    environment: str, own: bool, horizon: int, width: int, size: Size, episodes: int
) -> Cost:
    """Of a policy whose first layer has this width.

    A step is played forwards and differentiated, which takes some four times as long.
    """
    steps, forwards = PLAYED * horizon, 2.0 * size.dimension / FLOPS
    seen = size.dimension / width  # more than what is seen: what a layer takes
    record = (min(seen, size.dimension) + 8) * size.itemsize * horizon
    if own:
        step, base, beside = OWN_STEP, 700e6, float(episodes)
        rows = 4 * BATCH * record
    else:
        step, base, beside = _step(environment) / cores(), 650e6, 0.0
        base += 150e6 * cores()
        rows = record * (LANES * cores() + BATCH)
    return Cost(
        gradient=steps * (step + 4 * forwards),
        look=episodes * steps * (step + forwards),
        apart=2.5 if own else 1.2,
        compiling=2.0,
        base=base,
        rows=rows,
        looking=300.0 * episodes + 4 * 8 * size.itemsize * horizon * beside,
    )


def _step(environment: str) -> float:
    name = environment.rpartition("/")[2].rpartition(":")[2]
    return STEPS.get(name.partition("-")[0], PLAIN_STEP)
