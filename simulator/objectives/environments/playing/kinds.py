"""Which of gymnasium's MuJoCo tasks have a quick stage?"""

from gymnasium.envs.mujoco import (
    half_cheetah_v4,
    half_cheetah_v5,
    hopper_v4,
    hopper_v5,
    humanoid_v4,
    humanoid_v5,
    reacher_v4,
    reacher_v5,
    walker2d_v4,
    walker2d_v5,
)

from simulator.objectives.environments.host import Gymnasium
from simulator.objectives.environments.playing.humanoids import Humanoids
from simulator.objectives.environments.playing.robots import Robots
from simulator.objectives.environments.playing.runners import Hoppers, Reachers, Runners, Walkers
from simulator.objectives.environments.variation import Variation

KINDS: dict[type, type[Robots]] = {
    half_cheetah_v4.HalfCheetahEnv: Runners,
    half_cheetah_v5.HalfCheetahEnv: Runners,
    hopper_v4.HopperEnv: Hoppers,
    hopper_v5.HopperEnv: Hoppers,
    humanoid_v4.HumanoidEnv: Humanoids,
    humanoid_v5.HumanoidEnv: Humanoids,
    reacher_v4.ReacherEnv: Reachers,
    reacher_v5.ReacherEnv: Reachers,
    walker2d_v4.Walker2dEnv: Walkers,
    walker2d_v5.Walker2dEnv: Walkers,
}


def robots_of(environment: Gymnasium, variation: Variation, lanes: int) -> Robots | None:
    """A stage for this task; None where it is none of those that are known here."""
    kind = KINDS.get(type(environment.unwrapped))
    return kind(environment, variation, lanes) if kind else None
