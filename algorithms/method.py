"""What is a method?  An aggregation (when) times an update rule (what), and what is known of it.

The settings of a method are the parameters of its two factories, so their signatures are also what
a scenario file may say.  The other facets are optional: a command that needs one which is absent
says "not known" and goes on.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from algorithms.theory import ClosedForm, Complexity, Prescribe
from algorithms.updates import Rule
from algorithms.vocabulary import Aggregation


class Mark(NamedTuple):
    """How figures mark a method: a colour, and the number of its dashes and marker."""

    colour: str
    dashes: int


class Method(NamedTuple):
    """Two factories, a line that tells the method from its neighbours, and optional facets.

    >>> from algorithms.methods import rennala
    >>> from algorithms.updates import sgd
    >>> method = Method(rennala, sgd, "the first M gradients, plain ascent")
    >>> list(method.parameters())
    ['batch', 'initial_batch', 'count', 'step']
    """

    aggregation: Callable[..., Aggregation]
    rule: Callable[..., Rule]
    summary: str
    prescribe: Prescribe | None = None
    """The settings that theory chooses for an accuracy eps."""
    complexity: Complexity | None = None
    """The seconds until eps, by theory."""
    closed_form: ClosedForm | None = None
    """When so many steps have closed or gradients are used, on workers with fixed times."""
    baseline: bool = False
    """Whether speed-ups refer to it."""
    mark: Mark | None = None

    def aggregate(self, settings: Mapping[str, Any]) -> Aggregation:
        return self.aggregation(**_meant_for(self.aggregation, settings))

    def update_rule(self, settings: Mapping[str, Any]) -> Rule:
        return self.rule(**_meant_for(self.rule, settings))

    def works_locally(self, settings: Mapping[str, Any]) -> bool:
        """Whether its workers take steps of their own; settings that theory chooses are absent."""
        said = {name: 1.0 if value is None else value for name, value in settings.items()}
        return self.update_rule(said).work is not None

    def parameters(self) -> dict[str, inspect.Parameter]:
        """What can be set, with types and defaults: the aggregation's first, then the rule's."""
        return {
            name: parameter
            for factory in (self.aggregation, self.rule)
            for name, parameter in inspect.signature(factory).parameters.items()
        }


def _meant_for(factory: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    names = inspect.signature(factory).parameters
    return {name: value for name, value in settings.items() if name in names}
