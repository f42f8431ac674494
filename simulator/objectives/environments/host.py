"""How is an environment opened that is not written in JAX, and what does a policy see of it?

Any registered gymnasium environment, on the host.  Nothing here imports JAX.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.options import check_options
from simulator.objectives.environments.quiet import quietly
from simulator.objectives.environments.refusals import creator_of, refusing
from simulator.objectives.environments.trial import check_survival
from simulator.objectives.spaces import Actions, Box, Discrete

Gymnasium: TypeAlias = Any  # gymnasium.Env; the module is imported only when one is opened


def flat(environment: Gymnasium, raw: Any) -> NDArray[Any]:
    """An observation as a vector."""
    if isinstance(raw, np.ndarray):  # a box, which is nearly every environment: no dispatch
        return raw.reshape(-1)
    from gymnasium.spaces.utils import flatten

    return np.asarray(flatten(environment.observation_space, raw)).reshape(-1)


def as_taken(space: Any, action: NDArray[Any]) -> Any:
    """An action of a policy, as an environment with this space of actions takes it."""
    if action.ndim == 0:
        return int(action)
    return within(space, action.reshape(space.shape))


def within(space: Any, actions: NDArray[Any]) -> NDArray[Any]:
    """In the precision of the space, and inside its bounds."""
    # Rounding may carry the end of the range one last bit beyond it.
    inside: NDArray[Any] = np.minimum(
        np.maximum(actions.astype(space.dtype), space.low), space.high
    )
    return inside


def open_environment(
    name: str, options: Mapping[str, Any], horizon: int, *, tried: bool = True, **more: Any
) -> Gymnasium:
    """Make it so that it is cut at ``horizon`` steps, whatever its own limit; or say why not.

    One that has not been ``tried`` is, first, in a process of its own.  ``more`` is what
    gymnasium.make takes besides: not what is played, but how it is shown.
    """
    import gymnasium

    if not tried:
        check_survival(name, options)
    with refusing(name, options):
        creator = creator_of(name)
    check_options(name, creator, options)
    with refusing(name, options), quietly():
        return gymnasium.make(
            name, max_episode_steps=horizon, disable_env_checker=True, **options, **more
        )


def try_out(environment: Gymnasium, name: str, options: Mapping[str, Any]) -> None:
    """Play a step: options of a wrong kind are often noticed only then."""
    with refusing(name, options):
        environment.action_space.seed(0)
        environment.reset(seed=0)
        environment.step(environment.action_space.sample())


def spaces_of(environment: Gymnasium, name: str) -> tuple[int, Actions]:
    """The length of its flattened observation and what its actions are; or why they do not do."""
    from gymnasium.spaces.utils import flatdim

    space = environment.observation_space
    try:
        size = int(flatdim(space))
    except (ValueError, NotImplementedError) as problem:
        raise ValueError(
            f"environment = {name!r}: its observations, {space}, do not make a vector; numbers "
            "and boxes of them do, alone or in tuples and dicts"
        ) from problem
    return size, _actions(environment.action_space, name)


def _actions(space: Any, name: str) -> Actions:
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return Discrete(int(space.n), int(space.start))
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        raise ValueError(
            f"environment = {name!r}: its actions, {space}, are neither one of n nor real "
            "numbers; a policy needs a Discrete space, or a Box of floats with finite bounds"
        )
    if not np.all(np.isfinite(space.low) & np.isfinite(space.high)):
        raise ValueError(
            f"environment = {name!r}: its actions, {space}, are unbounded; a squashed Gaussian "
            "needs finite bounds"
        )
    low, high = space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist()
    return Box(tuple(low), tuple(high))
