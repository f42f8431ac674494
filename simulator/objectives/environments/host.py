"""How is a gymnasium environment opened, and what are its spaces?  Without JAX."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.objectives.environments.options import check_options
from simulator.objectives.environments.quiet import quietly
from simulator.objectives.environments.refusals import creator_of, refusing
from simulator.objectives.environments.trial import check_survival
from simulator.objectives.environments.wrappers import Wrapper, wear
from simulator.objectives.spaces import Actions, Box, Discrete

Gymnasium: TypeAlias = Any  # gymnasium.Env; the module is imported only when one is opened


def flat(environment: Gymnasium, raw: Any) -> NDArray[Any]:
    """An observation as a vector."""
    if isinstance(raw, np.ndarray):  # nearly every environment has a box: no dispatch
        return raw.reshape(-1)
    from gymnasium.spaces.utils import flatten

    return np.asarray(flatten(environment.observation_space, raw)).reshape(-1)


def as_taken(space: Any, action: NDArray[Any]) -> Any:
    """A policy's action in the form of this space."""
    if action.ndim == 0:
        return int(action)
    return within(space, action.reshape(space.shape))


def within(space: Any, actions: NDArray[Any]) -> NDArray[Any]:
    """The actions in the precision of the space; rounding may carry an end beyond its bounds."""
    inside: NDArray[Any] = np.minimum(
        np.maximum(actions.astype(space.dtype), space.low), space.high
    )
    return inside


def open_environment(
    name: str,
    options: Mapping[str, Any],
    horizon: int,
    wrappers: Sequence[Wrapper] = (),
    *,
    tried: bool = True,
    **more: Any,
) -> Gymnasium:
    """Make an environment whose episodes end after ``horizon`` steps, whatever its own limit.

    Unless ``tried``, a process of its own tries it first.  ``more`` are arguments of
    gymnasium.make that change how the environment is drawn.  A one-line ValueError says why it
    cannot be made.
    """
    import gymnasium

    if not tried:
        check_survival(name, options)
    with refusing(name, options):
        creator = creator_of(name)
    check_options(name, creator, options)
    with refusing(name, options), quietly():
        bare = gymnasium.make(
            name, max_episode_steps=horizon, disable_env_checker=True, **options, **more
        )
    return wear(bare, wrappers)


def try_out(environment: Gymnasium, name: str, options: Mapping[str, Any]) -> None:
    """Play a step: many options of a wrong kind fail only then."""
    with refusing(name, options):
        environment.action_space.seed(0)
        environment.reset(seed=0)
        environment.step(environment.action_space.sample())


def spaces_of(environment: Gymnasium, name: str) -> tuple[int, Actions]:
    """The length of the observation, and the actions; a ValueError for other spaces."""
    from gymnasium.spaces.utils import flatdim

    space = environment.observation_space
    if shapes := _several_shapes(space):
        raise ValueError(
            f"environment = {name!r}: its observations are {shapes}, and a policy sees a vector; "
            "objective.wrappers = ['FlattenObservation'] makes them one"
        )
    try:
        size = int(flatdim(space))
    except (ValueError, NotImplementedError) as problem:
        raise ValueError(
            f"environment = {name!r}: its observations, {space}, do not make a vector; numbers "
            "and boxes of them do"
        ) from problem
    return size, _actions(environment.action_space, name)


def _several_shapes(space: Any) -> str:
    """What the observations are if they are not a number or a vector."""
    from gymnasium import spaces

    match space:
        case spaces.Dict():
            return f"a dictionary of {', '.join(map(repr, space.spaces))}"
        case spaces.Tuple():
            return f"a tuple of {len(space.spaces)} spaces"
        case spaces.Box() if len(space.shape) > 1:
            return f"arrays of shape {space.shape}"
    return ""


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
