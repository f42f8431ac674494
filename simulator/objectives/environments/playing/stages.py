"""Which stage is the quickest for an environment?"""

from simulator.objectives.environments.playing.stage import Plain, Stage
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.quiet import hear_once
from simulator.objectives.environments.variation import Variation


def stage_for(name: str, variation: Variation, horizon: int, lanes: int) -> Stage:
    """The quickest stage that there is for this environment."""
    environment = open_varied(name, variation, horizon)
    hear_once()
    if type(environment.unwrapped).__module__.startswith("gymnasium.envs.mujoco."):
        from simulator.objectives.environments.playing.kinds import robots_of

        robots = robots_of(environment, variation, lanes)
        if robots is not None:
            return robots
    return Plain(name, variation, horizon, environment)
