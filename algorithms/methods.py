"""Which methods are there?  A method is an aggregation (when) times an update rule (what).

``METHODS`` is the whole registry: to add a method, add a line.  A method's settings are the
parameters of its two factories, so their signatures are also what a scenario file may say.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from algorithms.aggregation import (
    buffered,
    delay_adaptive,
    greedy,
    local_rounds,
    malenia,
    mindflayer,
    rennala,
    ringleader,
    ringmaster,
    synchronous,
)
from algorithms.aggregation.vocabulary import Aggregation
from algorithms.updates import (
    Rule,
    afedpg,
    fedbuff,
    fedhapg_m,
    fedsvrpg_m,
    nigt,
    normalised,
    sgd,
)


class Method(NamedTuple):
    """Two factories and a line that tells the method from its neighbours."""

    aggregation: Callable[..., Aggregation]
    rule: Callable[..., Rule]
    summary: str

    def aggregate(self, settings: Mapping[str, Any]) -> Aggregation:
        return self.aggregation(**_meant_for(self.aggregation, settings))

    def update_rule(self, settings: Mapping[str, Any]) -> Rule:
        return self.rule(**_meant_for(self.rule, settings))

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


METHODS: dict[str, Method] = {
    "rennala-nigt": Method(rennala, nigt, "the first M gradients, normalised momentum step"),
    "malenia-nigt": Method(malenia, nigt, "balanced counts from all workers, normalised step"),
    "afedpg": Method(greedy, afedpg, "each gradient on arrival, delay-aware normalised step"),
    "synchronous-nigt": Method(synchronous, nigt, "one gradient per worker, normalised step"),
    "rennala-pg": Method(rennala, sgd, "the first M gradients, plain ascent"),
    "malenia-pg": Method(malenia, sgd, "balanced counts from all workers, plain ascent"),
    "synchronous-pg": Method(synchronous, sgd, "one gradient per worker, plain ascent"),
    "asynchronous-pg": Method(greedy, sgd, "each gradient on arrival, plain ascent"),
    "synchronous-fedpg": Method(synchronous, normalised, "one gradient per worker, no look-ahead"),
    "vanilla-asynchronous-pg": Method(greedy, normalised, "AFedPG without its look-ahead"),
    "delay-adaptive-pg": Method(delay_adaptive, sgd, "on arrival, shorter steps for old gradients"),
    "ringmaster-pg": Method(ringmaster, sgd, "on arrival, too old ones dropped, plain ascent"),
    "ringmaster-nigt": Method(ringmaster, nigt, "on arrival, too old ones dropped, normalised"),
    "ringleader-pg": Method(ringleader, sgd, "on arrival, everybody's gradients in each step"),
    "ringleader-nigt": Method(ringleader, nigt, "the same with a normalised momentum step"),
    "mindflayer-pg": Method(mindflayer, sgd, "what is done within a time limit, plain ascent"),
    "mindflayer-nigt": Method(mindflayer, nigt, "what is done within a time limit, normalised"),
    "fedbuff": Method(buffered, fedbuff, "several arrivals at a time, each of local steps"),
    "fedsvrpg-m": Method(local_rounds, fedsvrpg_m, "rounds of local steps, importance weights"),
    "fedhapg-m": Method(local_rounds, fedhapg_m, "rounds of local steps, Hessian products"),
}
