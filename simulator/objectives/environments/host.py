"""How does an episode run in an environment that is not written in JAX?

Any registered gymnasium environment, on the host: the policy acts in numpy on noise that was
drawn beforehand, so the episode is a function of its ticket, whoever plays it.  Nothing here
imports JAX, and all that goes in or out are plain arrays: a process per core can do it.
"""

import inspect
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.mistakes import no_such_option
from simulator.objectives.environments.spaces import Actions, Box, Discrete

if TYPE_CHECKING:
    from simulator.objectives.policies import Policy

Gymnasium: TypeAlias = Any  # gymnasium.Env; the module is imported only when one is opened
MUJOCO = "MuJoCo is not installed; pip install 'straggle[mujoco]' installs it"


class Episode(NamedTuple):
    """What a policy saw, what it chose and what it got, one row for each step."""

    observations: NDArray[Any]
    choices: NDArray[Any]
    rewards: NDArray[np.float64]


def rollout(
    environment: Gymnasium, policy: "Policy", point: NDArray[Any], noise: NDArray[Any], seed: int
) -> Episode:
    """Play one episode, as many steps as there are rows of noise at most."""
    layers = policy.layers(point)
    observations, choices, rewards = [], [], []
    raw, _ = environment.reset(seed=seed)
    for row in noise:
        observation = _flat(environment, raw, point.dtype)
        choice = policy.choose(layers, observation, row, np)
        action = _action(environment, policy.act(choice, np))
        raw, reward, terminated, truncated, _ = environment.step(action)
        observations.append(observation)
        choices.append(choice)
        rewards.append(float(reward))
        if terminated or truncated:
            break
    return Episode(np.stack(observations), np.stack(choices), np.asarray(rewards, np.float64))


def _flat(environment: Gymnasium, raw: Any, dtype: Any) -> NDArray[Any]:
    if isinstance(raw, np.ndarray):  # a box, which is nearly every environment: no dispatch
        return raw.reshape(-1).astype(dtype)
    from gymnasium.spaces.utils import flatten

    return np.asarray(flatten(environment.observation_space, raw), dtype).reshape(-1)


def _action(environment: Gymnasium, action: NDArray[Any]) -> Any:
    space = environment.action_space
    if action.ndim == 0:
        return int(action)
    shaped = action.reshape(space.shape).astype(space.dtype)
    # Rounding may carry the end of the range one last bit beyond it.
    return np.minimum(np.maximum(shaped, space.low), space.high)


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
