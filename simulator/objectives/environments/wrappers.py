"""Which wrappers does an environment have?  Gymnasium's by their class names, and plug-ins' own."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from simulator.mistakes import did_you_mean, no_such_option
from simulator.objectives.environments.refusals import line

WRAPPERS: dict[str, type] = {}
"""Those of plug-ins, by their names in scenarios."""
PAST = "its statistics come from earlier episodes, on which no gradient may depend"
REFUSED = {
    "NormalizeObservation": f"{PAST}; policy.observations = 'standardised' takes constants",
    "NormalizeReward": PAST,
    "TimeLimit": "objective.horizon ends the episodes",
    "Autoreset": "straggle begins the episodes",
    "RecordVideo": "straggle evaluate RUN --video shows a policy",
    "HumanRendering": "straggle evaluate RUN --video shows a policy",
}
"""Classes of gymnasium that would break a promise, and the remedy."""
Entry: TypeAlias = str | Mapping[str, Any]
"""A name, or a table with the name as ``wrapper`` and its arguments."""


class Wrapper(NamedTuple):
    """A wrapper's place in the list of the scenario, its class and its arguments."""

    place: str
    make: type
    options: Mapping[str, Any]

    def __call__(self, environment: Any) -> Any:
        try:
            return self.make(environment, **self.options)
        except Exception as problem:  # wrappers are foreign code
            raise ValueError(f"{self.place}: {line(problem)}") from problem


def wrappers_of(entries: Sequence[Entry]) -> tuple[Wrapper, ...]:
    """The wrappers of a scenario, the innermost first; a one-line ValueError for a wrong one."""
    return tuple(_wrapper(at, entry) for at, entry in enumerate(entries))


def wear(environment: Any, wrappers: Sequence[Wrapper]) -> Any:
    """The environment in its wrappers."""
    for wrapper in wrappers:
        environment = wrapper(environment)
    return environment


def _wrapper(at: int, entry: Entry) -> Wrapper:
    options = {} if isinstance(entry, str) else {k: v for k, v in entry.items() if k != "wrapper"}
    name = entry if isinstance(entry, str) else entry.get("wrapper")
    if not isinstance(name, str):
        raise ValueError(f"wrappers[{at}].wrapper: is missing; name a class of gymnasium.wrappers")
    place = f"wrappers[{at}] = {name!r}"
    make = _class(place, name)
    _check(f"wrappers[{at}]", name, make, options)
    return Wrapper(place, make, options)


def _class(place: str, name: str) -> type:
    if name in WRAPPERS:
        return WRAPPERS[name]
    from gymnasium import wrappers

    if name in REFUSED:
        raise ValueError(f"{place}: leave it out; {REFUSED[name]}")
    known = [each for each in wrappers.__all__ if each[0].isupper()]  # others are modules
    if name not in known:
        hint = did_you_mean(name, [*WRAPPERS, *known])
        raise ValueError(f"{place}: neither gymnasium nor a plug-in has such a wrapper; {hint}")
    try:
        found: type = getattr(wrappers, name)
    except Exception as problem:  # the package that it converts from is not installed
        raise ValueError(f"{place}: {line(problem)}") from problem
    return found


def _check(place: str, name: str, make: type, options: Mapping[str, Any]) -> None:
    """Refuse unknown and missing arguments."""
    known = list(_parameters(make))
    names = [each.name for each in known if each.kind is not each.VAR_KEYWORD]
    for option in options:
        if option not in names and len(names) == len(known):
            message = no_such_option(name, option, names)
            raise ValueError(f"{place}.{message.removeprefix('environment_options.')}")
    missing = [each for each in known if each.default is each.empty and each.name in names]
    for each in missing:
        if each.name not in options:
            reason = f"is missing; write {{ wrapper = {name!r}, {each.name} = … }}"
            if "Callable" in str(each.annotation):
                reason = (
                    "is a function, which a scenario cannot hold; write the wrapper as a plug-in"
                )
            raise ValueError(f"{place}.{each.name}: {reason}")


def _parameters(make: type) -> Iterator[inspect.Parameter]:
    """Those after the environment."""
    every = list(inspect.signature(make).parameters.values())[1:]
    return (each for each in every if each.kind is not each.VAR_POSITIONAL)
