"""Which stage is the quickest for an environment?"""

import re
from typing import TYPE_CHECKING

from simulator.objectives.environments.playing.stage import Plain, Stage
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.quiet import report_first_warning
from simulator.objectives.environments.variation import Variation

if TYPE_CHECKING:
    from simulator.objectives.environments.playing.robots import Robots

QUICK = re.compile(
    r"gymnasium\.envs\.mujoco\.(half_cheetah|hopper|humanoid|reacher|walker2d)_v[45]"
)
"""The modules of the MuJoCo tasks that have a stage of their own."""


def stage_for(name: str, variation: Variation, horizon: int, lanes: int) -> Stage:
    environment = open_varied(name, variation, horizon)
    report_first_warning()
    if variation.wrappers:  # they see every step, which a quick stage leaves out
        return Plain(name, variation, horizon, environment)
    if task := QUICK.fullmatch(type(environment.unwrapped).__module__):
        return _robots(task[1])(environment, variation, lanes)
    return Plain(name, variation, horizon, environment)


def _robots(task: str) -> "type[Robots]":
    """Imported here because the stages of robots import MuJoCo."""
    from simulator.objectives.environments.playing import humanoids, runners

    return {
        "half_cheetah": runners.Runners,
        "hopper": runners.Hoppers,
        "humanoid": humanoids.Humanoids,
        "reacher": runners.Reachers,
        "walker2d": runners.Walkers,
    }[task]
