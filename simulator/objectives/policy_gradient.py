"""Which way does a policy's return grow?  (arXiv 2509.24305, the estimator of section 2)

One ticket is one episode of at most H steps, or several, and its gradient

    g = sum_{t<H} ( sum_{h=t}^{H-1} gamma^h r_h ) grad log pi(a_t | s_t)

with no reward after termination; ``reinforce.py`` has its variants.  Our own environments run in
JAX (``batched.py``), all others on the host (``hosted.py``).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulator.objectives.environments.catalogue import OWN
from simulator.objectives.environments.variation import ALIKE, Variation
from simulator.objectives.estimator import in_turn
from simulator.objectives.policies import PolicyMaker, perceptron
from simulator.objectives.reinforce import Reinforce
from simulator.objectives.spaces import Environment
from simulator.objectives.standard import EPISODES, Units, standard_of, standard_root

if TYPE_CHECKING:
    from simulator.objectives.batched import Batched
    from simulator.objectives.hosted import Hosted

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
DTYPES = ("float32", "float64")
PERCEPTRON, REINFORCE = perceptron(), Reinforce()


def policy_gradient(
    environment: str | Environment,
    *,
    environment_options: Mapping[str, Any] = NO_OPTIONS,
    policy: PolicyMaker = PERCEPTRON,
    horizon: int = 200,
    estimator: Reinforce = REINFORCE,
    dtype: str = "float32",
    observations: Units = "raw",
    variations: Sequence[Variation] = ALIKE,
) -> "Batched | Hosted":
    """The expected discounted return of a stochastic policy, by REINFORCE.

    ``environment`` is a gymnasium id, or an ``Environment`` of your own; ``policy`` makes the
    policy for it; ``horizon`` is in steps and replaces the environment's own limit.
    ``observations="standardised"`` gives the policy observations in standard units
    (``standard.py``).  ``variations`` describe the environments of workers that differ: then J is
    the mean over the workers.
    """
    _check(horizon, dtype)
    settings = {"policy": policy, "horizon": horizon, "estimator": estimator, "dtype": dtype}
    objective = _objective(environment, environment_options, variations, **settings)
    if observations == "raw":
        return objective
    observed = objective.observations(standard_root(), in_turn(EPISODES, len(variations)))
    settings["standard"] = standard_of(observed)
    return _objective(environment, environment_options, variations, **settings)


def _objective(
    environment: str | Environment,
    options: Mapping[str, Any],
    variations: Sequence[Variation],
    **settings: Any,
) -> "Batched | Hosted":
    from simulator.objectives.batched import Batched
    from simulator.objectives.environments.worlds import environments_of
    from simulator.objectives.hosted import Hosted

    name = environment if isinstance(environment, str) else None
    if name is not None and name not in OWN:
        return Hosted(name, options, variations=variations, **settings)
    return Batched(environments_of(environment, options, variations), name=name, **settings)


def _check(horizon: int, dtype: str) -> None:
    if horizon < 1:
        raise ValueError(f"horizon = {horizon}: must be at least 1 step")
    if dtype not in DTYPES:
        raise ValueError(f"dtype = {dtype!r}: must be one of {', '.join(DTYPES)}")
