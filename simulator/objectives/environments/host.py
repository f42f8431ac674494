"""How is an environment opened that is not written in JAX, and what does a policy see of it?

Any registered gymnasium environment, on the host.  Nothing here imports JAX.
"""

import inspect
import warnings
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.mistakes import no_such_option
from simulator.objectives.environments.spaces import Actions, Box, Discrete

Gymnasium: TypeAlias = Any  # gymnasium.Env; the module is imported only when one is opened
MUJOCO = "MuJoCo is not installed; pip install 'straggle[mujoco]' installs it"


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


def open_environment(name: str, options: Mapping[str, Any], horizon: int) -> Gymnasium:
    """Make it so that it is cut at ``horizon`` steps, whatever its own limit; or say why not."""
    import gymnasium
    from gymnasium import error

    try:
        with warnings.catch_warnings():
            # That there are newer versions is no news to who names this one.
            warnings.simplefilter("ignore")
            return gymnasium.make(
                name, max_episode_steps=horizon, disable_env_checker=True, **options
            )
    except error.DependencyNotInstalled as problem:
        message = MUJOCO if "mujoco" in str(problem).lower() else _line(problem)
        raise ValueError(f"environment = {name!r}: {message}") from problem
    except error.UnregisteredEnv as problem:
        raise ValueError(_unregistered(name)) from problem
    except TypeError as problem:
        raise ValueError(_unknown_option(name, options) or _failed(name, problem)) from problem
    except Exception as problem:  # an environment is foreign code and raises what it likes
        raise ValueError(_failed(name, problem)) from problem


def _failed(name: str, problem: Exception) -> str:
    return f"environment = {name!r}: cannot be made: {_line(problem)}"


def _line(problem: Exception) -> str:
    return " ".join(str(problem).split())


def _unregistered(name: str) -> str:
    from difflib import get_close_matches

    import gymnasium

    near = get_close_matches(name, list(gymnasium.registry), n=3)
    hint = f"; near it are {', '.join(near)}" if near else ""
    return f"environment = {name!r}: gymnasium has no environment of this name{hint}"


def _unknown_option(name: str, options: Mapping[str, Any]) -> str | None:
    """Which option its constructor does not take, if that is what was wrong."""
    import gymnasium
    from gymnasium.envs.registration import load_env_creator

    entry = gymnasium.spec(name).entry_point
    creator: Any = load_env_creator(entry) if isinstance(entry, str) else entry
    known = inspect.signature(creator).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return None
    strange = [option for option in options if option not in known]
    return no_such_option(name, strange[0], known) if strange else None


def spaces_of(environment: Gymnasium, name: str) -> tuple[int, Actions]:
    """The length of its flattened observation and what its actions are; or why they do not do."""
    from gymnasium.spaces.utils import flatdim

    space = environment.observation_space
    try:
        size = int(flatdim(space))
    except (ValueError, NotImplementedError) as problem:
        raise ValueError(
            f"environment = {name!r}: its observations, {space}, do not make a vector"
        ) from problem
    return size, _actions(environment.action_space, name)


def _actions(space: Any, name: str) -> Actions:
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return Discrete(int(space.n), int(space.start))
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        raise ValueError(
            f"environment = {name!r}: its actions, {space}, are neither one of n nor real numbers"
        )
    if not np.all(np.isfinite(space.low) & np.isfinite(space.high)):
        raise ValueError(
            f"environment = {name!r}: its actions, {space}, are unbounded; a squashed Gaussian "
            "needs finite bounds"
        )
    low, high = space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist()
    return Box(tuple(low), tuple(high))
