"""Which environments are there, what are their spaces, and do they take these options?

Ours are written in JAX; every other registered gymnasium environment runs on the host.  Checking a
scenario imports neither JAX nor, for ours, gymnasium.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from simulator.mistakes import no_such_option
from simulator.objectives.environments import cartpole, pendulum
from simulator.objectives.environments.wrappers import Wrapper
from simulator.objectives.spaces import Actions, Environment


class Own(NamedTuple):
    """An environment of ours: how to make it, and its constants with their defaults."""

    make: Callable[[Any], Environment]
    parameters: Callable[..., Any]
    defaults: Mapping[str, Any]


OWN: dict[str, Own] = {
    "CartPole-v1": Own(cartpole.cartpole, cartpole.Parameters, cartpole.Parameters()._asdict()),
    "Pendulum-v1": Own(pendulum.pendulum, pendulum.Parameters, pendulum.Parameters()._asdict()),
}
OUTDATED = {"CartPole-v0": "CartPole-v1"}
"""Older versions of ours that gymnasium still has, slower and with other limits."""
MODULES: dict[str, str] = {}
"""The modules of the plug-ins that register environments with gymnasium, by id."""
SIGNED = {"g", "gravity"}
"""The constants that may be zero or negative."""


def located(name: str) -> str:
    """The id with the module that registers it, so that every process can open it."""
    return f"{MODULES[name]}:{name}" if name in MODULES else name


def spaces(
    name: str, options: Mapping[str, Any], wrappers: Sequence[Wrapper] = ()
) -> tuple[int, Actions]:
    """The length of an environment's observation, and its actions.

    A one-line ValueError says why the environment cannot be made with these options.

    >>> spaces("CartPole-v1", {})
    (4, Discrete(n=2, start=0))
    >>> spaces("CartPole-v1", {"lenght": 1})
    Traceback (most recent call last):
    ValueError: environment_options.lenght: CartPole-v1 has no such option; did you mean 'length'?
    """
    if name in OWN:
        ours = own_environment(name, options)
        return ours.observation_size, ours.actions
    if name in OUTDATED:
        raise ValueError(f"environment = {name!r}: is out of date; use {OUTDATED[name]!r}")
    from simulator.objectives.environments import host

    environment = host.open_environment(name, options, 1, wrappers, tried=False)
    try:
        size_and_actions = host.spaces_of(environment, name)
        host.try_out(environment, name, options)
        return size_and_actions
    finally:
        environment.close()


def own_environment(name: str, options: Mapping[str, Any]) -> Environment:
    _check_options(name, options)
    return OWN[name].make(OWN[name].parameters(**options))


def _check_options(name: str, options: Mapping[str, Any]) -> None:
    known = OWN[name].defaults
    for option, value in options.items():
        if option not in known:
            raise ValueError(no_such_option(name, option, known))
        if isinstance(known[option], bool):
            if not isinstance(value, bool):
                raise ValueError(f"environment_options.{option} = {value!r}: must be true or false")
        elif not _is_number(value):
            raise ValueError(f"environment_options.{option} = {value!r}: must be a finite number")
        elif value <= 0 and option not in SIGNED:
            raise ValueError(f"environment_options.{option} = {value!r}: must be positive")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
