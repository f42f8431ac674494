"""Which way does a policy's return grow?  (arXiv 2509.24305, the estimator of section 2)

One ticket is one episode of at most H steps, and its gradient

    g = sum_{t<H} ( sum_{h=t}^{H-1} gamma^h r_h ) grad log pi(a_t | s_t)

with the discount counted from time 0, no baseline, and no reward after termination.  Here are
the questions an objective answers; ``batched.py`` and ``hosted.py`` answer them.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from algorithms.local import Work
from algorithms.tickets import Ticket
from simulator.objectives.environments.catalogue import OWN
from simulator.objectives.environments.variation import ALIKE, Variation
from simulator.objectives.estimator import episode_keys, initial_key
from simulator.objectives.objective import Direction, Played, Values
from simulator.objectives.policies import PolicyMaker, perceptron
from simulator.objectives.spaces import Environment
from simulator.objectives.standard import EPISODES, Sight, standard_of, standard_root

if TYPE_CHECKING:
    from jax import Array

    from simulator.objectives.batched import Batched
    from simulator.objectives.hosted import Hosted
    from simulator.objectives.show import Show

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
DTYPES = ("float32", "float64")
PERCEPTRON = perceptron()


class PolicyGradient:
    """The expected discounted return of a stochastic policy, by REINFORCE.

    ``environment`` is a gymnasium id, or an ``Environment`` of one's own; ``policy`` makes the
    policy for it; ``horizon`` is in steps and rules over the environment's own limit.
    ``observations="standardised"`` shows the policy what it observes in units of its own
    (``standard.py``).  ``variations`` say what each worker's environment is, where they differ:
    then J is the mean over the workers, and tickets name them.
    """

    metrics: Mapping[str, Direction] = MappingProxyType({"return": "higher"})

    def __init__(
        self,
        environment: str | Environment,
        *,
        environment_options: Mapping[str, Any] = NO_OPTIONS,
        policy: PolicyMaker = PERCEPTRON,
        horizon: int = 200,
        discount: float = 0.99,
        dtype: str = "float32",
        observations: Sight = "raw",
        variations: Sequence[Variation] = ALIKE,
    ) -> None:
        _check(horizon, discount, dtype)
        self.dtype = np.dtype(dtype)
        self.worlds = len(variations)
        self._environment = environment
        open_with = partial(
            _episodes,
            environment,
            environment_options,
            variations,
            policy=policy,
            horizon=horizon,
            discount=discount,
            dtype=dtype,
        )
        self._episodes = open_with()
        if observations == "standardised":
            seen = self._episodes.observations(standard_root(), self._in_turn(EPISODES))
            self._episodes = open_with(standard=standard_of(seen))
        self._for_all: Any = _for_all(self, self._episodes)
        self.policy = self._episodes.policy
        self.dimension: int = self.policy.dimension

    @property
    def on_host(self) -> bool:
        """Whether something besides JAX has to do with the points, and sees their numbers."""
        from simulator.objectives.hosted import Hosted

        return isinstance(self._episodes, Hosted)

    def initial_point(self, root: "Array") -> "Array":
        """Where every method of one seed starts: hidden layers as LeCun's, outputs nearly 0."""
        return self.policy.initial_point(initial_key(root), self.dtype)

    def gradient(
        self, root: "Array", point: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """The weighted sum of gradients at one point, and the environment steps it took."""
        return self._episodes.gradient(root, point, tickets, weights)

    def gradients(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """Each ticket's gradient at its own point, times its weight, and the steps of each."""
        return self._episodes.gradients(root, points, tickets, weights)

    def gradient_for_all(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """``gradient`` for several runs, in one call where the environment is in JAX."""
        total, taken = self._for_all.gradient_for_all(roots, points, tickets, weights)
        return total, taken

    def gradients_for_all(
        self, roots: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "tuple[Array, Array]":
        """``gradients`` for several runs, likewise."""
        each, taken = self._for_all.gradients_for_all(roots, points, tickets, weights)
        return each, taken

    def lengths(
        self, root: "Array", points: "Array", tickets: "Array", weights: "Array"
    ) -> "Array":
        """The steps of each ticket's episode at its own point, 0 for padding; no gradient."""
        return self._episodes.lengths(root, points, tickets, weights)

    def sample(self, root: "Array", point: "Array", ticket: Ticket) -> "tuple[Array, int]":
        """One ticket's gradient without batching or compilation, and the steps it took."""
        import jax.numpy as jnp

        return self._episodes.sample(root, point, jnp.asarray(ticket, jnp.int32))

    def evaluate(
        self, root: "Array", point: "Array", step: int, episodes: int
    ) -> "dict[str, Array]":
        """The mean undiscounted return of the stochastic policy, truncated at the horizon."""
        totals, _ = self._play(root, point, step, episodes)
        return {"return": totals.mean()}

    def evaluate_for_all(
        self, roots: "Array", points: "Array", step: int, episodes: int, going: NDArray[np.bool_]
    ) -> "dict[str, Array]":
        """``evaluate`` for several runs, likewise."""
        many = self._in_turn(episodes)
        looks: dict[str, Array] = self._for_all.evaluate_for_all(roots, points, step, many, going)
        return looks

    def worked(self, work: Work) -> Values:
        """The values of tickets that are a method's local work, where the environment is in JAX."""
        from simulator.objectives.batched import Batched
        from simulator.objectives.episodes import Episodes
        from simulator.objectives.exact.sampled import worked

        if not isinstance(self._episodes, Batched):
            raise ValueError("local steps need an environment in JAX, such as CartPole-v1")
        return worked(Episodes(self._episodes), self.dimension, work, episode_keys)

    def play(self, point: "Array", seed: int, episodes: int) -> list[Played]:
        """Play the policy: the episodes that ``evaluate`` would, at step 0 of a run so seeded.

        Where workers' environments differ, episode e is played in that of worker e mod n.
        """
        import jax

        totals, lengths = self._play(jax.random.key(seed), point, 0, episodes)
        return [
            Played(float(total), int(length))
            for total, length in zip(np.asarray(totals), np.asarray(lengths), strict=True)
        ]

    def show(self, worker: int) -> "Show":
        """This worker's environment, to see its episodes of ``play``; or a one-line ValueError."""
        from simulator.objectives.show import open_show

        return open_show(self._environment, self._episodes, worker)

    def _play(
        self, root: "Array", point: "Array", step: int, episodes: int
    ) -> "tuple[Array, Array]":
        import jax.numpy as jnp

        many = self._in_turn(episodes)
        return self._episodes.play(root, jnp.int32(step), point, episodes=many)

    def _in_turn(self, episodes: int) -> int:
        """So many at least that every worker's environment has equally many."""
        return -(-episodes // self.worlds) * self.worlds


def _episodes(
    environment: str | Environment,
    options: Mapping[str, Any],
    variations: Sequence[Variation],
    **settings: Any,
) -> "Batched | Hosted":
    """The engine for this environment: ours run in JAX, all others on the host."""
    from simulator.objectives.batched import Batched
    from simulator.objectives.environments.worlds import environments_of
    from simulator.objectives.hosted import Hosted

    if isinstance(environment, str) and environment not in OWN:
        return Hosted(environment, options, variations=variations, **settings)
    return Batched(environments_of(environment, options, variations), **settings)


def _for_all(objective: PolicyGradient, episodes: "Batched | Hosted") -> Any:
    """What answers for several runs: one call in JAX, but the host plays one run at a time."""
    from simulator.objectives.batched import Batched
    from simulator.objectives.in_turn import InTurn

    return episodes if isinstance(episodes, Batched) else InTurn(objective)


def _check(horizon: int, discount: float, dtype: str) -> None:
    if horizon < 1:
        raise ValueError(f"horizon = {horizon}: must be at least 1 step")
    if not 0 < discount <= 1:
        raise ValueError(f"discount = {discount}: must be above 0 and at most 1")
    if dtype not in DTYPES:
        raise ValueError(f"dtype = {dtype!r}: must be one of {', '.join(DTYPES)}")
