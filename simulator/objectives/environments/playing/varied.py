"""How is one worker's environment made, and how does an episode of it begin?"""

import math
from typing import Any

from simulator.objectives.environments import host
from simulator.objectives.environments.variation import Target, Variation


def open_varied(name: str, variation: Variation, horizon: int, **more: Any) -> host.Gymnasium:
    """A gymnasium environment with this variation's options, masses and gravity."""
    options, wrappers = variation.options, variation.wrappers
    environment = host.open_environment(name, options, horizon, wrappers, **more)
    if (variation.mass, variation.gravity) != (1, 1):
        _alter(environment.unwrapped.model, variation)
    return environment


def _alter(model: Any, variation: Variation) -> None:
    import mujoco

    model.opt.gravity[:] *= variation.gravity
    model.body_mass[:] *= variation.mass
    model.body_inertia[:] *= variation.mass
    mujoco.mj_setConst(model, mujoco.MjData(model))


def begin(environment: host.Gymnasium, variation: Variation, seed: int) -> Any:
    """Reset the environment; returns gymnasium's first observation."""
    raw, _ = environment.reset(seed=seed)
    if variation.target is not None:
        return _place(environment.unwrapped, variation.target)
    return raw


def _place(reacher: Any, region: Target) -> Any:
    """Put the target at a place drawn uniformly from the region."""
    draw = reacher.np_random.uniform
    radius = math.sqrt(draw(region.radius[0] ** 2, region.radius[1] ** 2))
    angle = math.radians(draw(*region.angle))
    position = reacher.data.qpos.copy()
    position[-2:] = reacher.goal = radius * math.cos(angle), radius * math.sin(angle)
    reacher.set_state(position, reacher.data.qvel.copy())
    return reacher._get_obs()
