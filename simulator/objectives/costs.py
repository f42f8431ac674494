"""How many seconds and bytes does a gradient cost the machine that computes it?

The rates are those of one ordinary core of 2025, right within a factor of three (docs/limits.md
compares estimates with measurements).
"""

from typing import NamedTuple

from simulator.objectives.objective import Size
from simulator.system.machine import cores

FLOPS = 2e10
"""Floating-point operations of a policy in a second."""
OWN_STEP, PLAIN_STEP = 0.5e-6, 50e-6
"""Seconds of a step of our environments, and of a gymnasium environment without an entry below."""
STEPS = {
    "Humanoid": 190e-6,
    "Hopper": 70e-6,
    "Walker2d": 80e-6,
    "HalfCheetah": 60e-6,
    "Reacher": 30e-6,
}
"""Seconds of a step of MuJoCo's tasks, by the first part of their names."""
NUMBER = 20e-9
"""Seconds per coordinate of an exact objective, mostly for noise."""
CALL = 5e-6
"""Seconds of the smallest gradient: its part of a call."""
MODEL_STEP = 1e-6
"""Seconds of a step of a decision process or of a linear system."""
PLAYED = 0.5
"""Expected length of an episode, as a part of its horizon."""
LANES, BATCH = 25, 64
"""Episodes that a process plays side by side, and tickets of a call, at most."""


class Cost(NamedTuple):
    """Seconds and bytes of one scenario's gradients and evaluations."""

    gradient: float
    """Seconds."""
    evaluation: float
    """Seconds."""
    own_points: float
    """Factor on the seconds of gradients with a point each."""
    compiling: float
    """Seconds of a method, before its first step."""
    base: float
    """Bytes of the process with the smallest objective."""
    rows: float
    """Bytes of the largest batch, without its points."""
    evaluation_bytes: float
    fixed: float = 0.0
    """Bytes of the objective itself."""

    def of_several(self, episodes: int) -> "Cost":
        """The cost of a gradient with this number of episodes."""
        return self._replace(gradient=episodes * self.gradient, rows=episodes * self.rows)


def of_model(size: Size, playing: float = 0.0, fixed: float = 0.0) -> Cost:
    """The cost of an exact objective whose samples take ``playing`` seconds."""
    point = size.dimension * size.itemsize
    return Cost(
        gradient=CALL + playing + NUMBER * size.dimension,
        evaluation=1e-4 + NUMBER * size.dimension,
        own_points=2.0,
        compiling=0.5,
        base=550e6,
        rows=4.0 * BATCH * point,
        evaluation_bytes=4.0 * point,
        fixed=fixed,
    )


def of_episodes(
    environment: str, own: bool, horizon: int, width: int, size: Size, episodes: int
) -> Cost:
    """The cost of a policy whose first layer has this width.

    Playing a step forwards and differentiating it takes four times as long as playing it.
    """
    steps, forwards = PLAYED * horizon, 2.0 * size.dimension / FLOPS
    inputs = size.dimension / width  # an upper bound of the length of an observation
    record = (min(inputs, size.dimension) + 8) * size.itemsize * horizon
    if own:
        step, base, beside = OWN_STEP, 700e6, float(episodes)
        rows = 4 * BATCH * record
    else:
        step, base, beside = _step(environment) / cores(), 650e6, 0.0
        base += 150e6 * cores()
        rows = record * (LANES * cores() + BATCH)
    return Cost(
        gradient=steps * (step + 4 * forwards),
        evaluation=episodes * steps * (step + forwards),
        own_points=2.5 if own else 1.2,
        compiling=2.0,
        base=base,
        rows=rows,
        evaluation_bytes=300.0 * episodes + 4 * 8 * size.itemsize * horizon * beside,
    )


def _step(environment: str) -> float:
    name = environment.rpartition("/")[2].rpartition(":")[2]
    return STEPS.get(name.partition("-")[0], PLAIN_STEP)
