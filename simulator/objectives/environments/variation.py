"""How does one worker's environment differ from the others', and can one policy act in them all?

Variations are plain data, to be sent to other processes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.objectives.environments.catalogue import OWN, spaces
from simulator.objectives.environments.wrappers import Wrapper
from simulator.objectives.spaces import Actions

REACHER = "Reacher-"
FARTHEST_TARGET = 0.2
"""Metres: the reach of Reacher's arm."""


@dataclass(frozen=True)
class Target:
    """The region of Reacher's targets: ranges of metres and degrees from the centre."""

    radius: tuple[float, float] = (0.0, FARTHEST_TARGET)
    angle: tuple[float, float] = (0.0, 360.0)


@dataclass(frozen=True)
class Variation:
    """One worker's environment; ``mass`` and ``gravity`` are factors on a MuJoCo model."""

    options: Mapping[str, Any] = field(default_factory=dict)
    sign: int = 1
    """Factor of the observation, 1 or -1."""
    flag: float | None = None
    """A number that follows the observation."""
    mass: float = 1.0
    gravity: float = 1.0
    target: Target | None = None
    wrappers: tuple[Wrapper, ...] = ()
    """The same for all workers."""

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Variation":
        """From plain data, such as a scenario's table.

        >>> Variation.of({"sign": -1, "target": {"radius": [0.1, 0.2]}}).target
        Target(radius=(0.1, 0.2), angle=(0.0, 360.0))
        """
        target = plain.get("target")
        if target is not None:
            target = Target(**{name: tuple(ends) for name, ends in target.items()})
        return cls(**{**plain, "target": target})


ALIKE = (Variation(),)
"""One environment for all workers."""


def policy_spaces(
    name: str, options: Mapping[str, Any], variations: Sequence[Variation]
) -> tuple[int, Actions]:
    """The length of the policy's observations, and its actions, in the environments of all workers.

    A one-line ValueError names the first worker whose environment cannot be made, or needs another
    policy than that of worker 0.

    >>> policy_spaces("CartPole-v1", {}, [Variation(flag=0), Variation(flag=1)])
    (5, Discrete(n=2, start=0))
    """
    wrappers = variations[0].wrappers
    size, actions = spaces(name, options, wrappers)
    _check_physics(name, options, variations)
    known: dict[str, tuple[int, Actions]] = {}
    for worker, variation in enumerate(variations):
        own = repr(sorted(variation.options.items()))
        if own not in known:
            known[own] = _spaces(worker, name, {**options, **variation.options}, wrappers)
        if worker == 0:
            size, actions = known[own]
        _check_alike(f"workers[{worker}].options", known[own], size, actions)
        _check_flag(worker, variation, variations[0])
    return size + (variations[0].flag is not None), actions


def _spaces(
    worker: int, name: str, options: Mapping[str, Any], wrappers: Sequence[Wrapper]
) -> tuple[int, Actions]:
    try:
        return spaces(name, options, wrappers)
    except ValueError as error:
        # environment_options alone were checked before: the error lies in the worker's own.
        problem = str(error).removeprefix("environment_options")
        between = "" if problem != str(error) else ": "
        raise ValueError(f"workers[{worker}].options{between}{problem}") from error


def _check_alike(path: str, own: tuple[int, Actions], size: int, actions: Actions) -> None:
    if own[0] != size:
        raise ValueError(
            f"{path}: make observations {own[0]} long, those of worker 0 are {size}; "
            "one policy must see all"
        )
    if own[1] != actions:
        raise ValueError(f"{path}: change the actions; they must be those of worker 0")


def _check_flag(worker: int, variation: Variation, first: Variation) -> None:
    if (variation.flag is None) != (first.flag is None):
        one, none = (0, worker) if variation.flag is None else (worker, 0)
        raise ValueError(
            f"workers[{none}].flag: is missing; worker {one} has one, and the policy's "
            "observations must be of one length"
        )


def _check_physics(name: str, options: Mapping[str, Any], variations: Sequence[Variation]) -> None:
    """Refuse factors without a MuJoCo model, and targets without Reacher."""
    for worker, variation in enumerate(variations):
        if variation.target is not None and not name.rpartition("/")[2].startswith(REACHER):
            raise ValueError(f"workers[{worker}].target: is for Reacher; {name} has no such target")
        if variation.target is not None and variation.wrappers:
            raise ValueError(
                f"workers[{worker}].target: needs the bare Reacher; leave out wrappers"
            )
    factors = [
        (f"workers[{worker}].{factor} = {value!r}", value)
        for worker, variation in enumerate(variations)
        for factor, value in (("mass", variation.mass), ("gravity", variation.gravity))
    ]
    given = [text for text, value in factors if value != 1]
    if given and not _is_mujoco(name, options):
        instead = f"; its options are {', '.join(OWN[name].defaults)}" if name in OWN else ""
        raise ValueError(f"{given[0]}: is for MuJoCo models, and {name} is none{instead}")


def _is_mujoco(name: str, options: Mapping[str, Any]) -> bool:
    if name in OWN:
        return False
    from simulator.objectives.environments import host

    environment = host.open_environment(name, options, horizon=1)
    try:
        return type(getattr(environment.unwrapped, "model", None)).__name__ == "MjModel"
    finally:
        environment.close()
