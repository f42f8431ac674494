"""A method: an aggregation (when) times an update rule (what), and its facets.

The settings of a method are the parameters of its two factories; their signatures also define the
keys of a scenario file.  Facets are optional: a command that needs an absent one says "not known"
and goes on.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from algorithms.theory import ClosedForm, Complexity, Prescribe
from algorithms.updates import Rule
from algorithms.vocabulary import Aggregation


class Mark(NamedTuple):
    """A method's mark in figures: a colour, and the number of its dashes and marker."""

    colour: str
    dashes: int


class Method(NamedTuple):
    """Two factories, a line of summary, and optional facets.

    >>> from algorithms.methods import rennala
    >>> from algorithms.updates import sgd
    >>> method = Method(rennala, sgd, "the first M gradients, plain ascent")
    >>> list(method.parameters())
    ['batch', 'initial_batch', 'count', 'step']
    """

    aggregation: Callable[..., Aggregation]
    rule: Callable[..., Rule]
    summary: str
    prescribe: Prescribe | None = None  # the settings that theory chooses for an accuracy eps
    complexity: Complexity | None = None  # the seconds until eps, by theory
    closed_form: ClosedForm | None = None  # the seconds to a goal, on workers with fixed times
    baseline: bool = False  # whether speed-ups refer to it
    mark: Mark | None = None

    def aggregate(self, settings: Mapping[str, Any]) -> Aggregation:
        return self.aggregation(**_settings_of(self.aggregation, settings))

    def update_rule(self, settings: Mapping[str, Any]) -> Rule:
        return self.rule(**_settings_of(self.rule, settings))

    def works_locally(self, settings: Mapping[str, Any]) -> bool:
        """Whether workers take local steps; settings that theory chooses may be None."""
        given = {name: 1.0 if value is None else value for name, value in settings.items()}
        return self.update_rule(given).work is not None

    def parameters(self) -> dict[str, inspect.Parameter]:
        """The settings with types and defaults: the aggregation's first, then the rule's."""
        return {
            name: parameter
            for factory in (self.aggregation, self.rule)
            for name, parameter in inspect.signature(factory).parameters.items()
        }


def _settings_of(factory: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    names = inspect.signature(factory).parameters
    return {name: value for name, value in settings.items() if name in names}
