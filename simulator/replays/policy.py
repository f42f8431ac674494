"""How is the final policy of a run used elsewhere?  As an object that acts, in NumPy alone."""

from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.mistakes import Mistake, did_you_mean
from simulator.objectives.environments.catalogue import OWN, spaces
from simulator.objectives.environments.playing.episode import observe
from simulator.objectives.environments.playing.varied import open_varied
from simulator.objectives.environments.variation import Variation
from simulator.objectives.networks import Perceptron, SideBySide
from simulator.objectives.policies import Gaussian, Policy, Softmax
from simulator.objectives.spaces import Box
from simulator.objectives.standard import LIMIT, Standard
from simulator.objectives.tables.policy_gradient import PolicyGradientTable
from simulator.results.results import Results
from simulator.system import files


@dataclass(frozen=True)
class TrainedPolicy:
    """The final policy of a run.

    ``parameters`` is its flat point.
    """

    method: str
    seed: int
    parameters: NDArray[Any] = field(repr=False)
    policy: Policy = field(repr=False)
    variation: Variation = field(repr=False)
    observation_space: Any = field(repr=False)
    """Gymnasium's; None if observations are vectors."""
    action_shape: tuple[int, ...] = field(repr=False)
    """Of the environment's actions; empty for one of n."""

    def act(self, observation: Any, rng: np.random.Generator | None = None) -> Any:
        """The environment's action for its observation.

        Without ``rng`` it is the most likely one of n actions, or that of the mean.  With it the
        action is drawn, as in training.  Vectors may have leading axes, a row for each observation.
        """
        seen = self._seen(observation)
        rows = seen.reshape(-1, seen.shape[-1])
        noise = self.policy.host_noise(rng or np.random.default_rng(0), len(rows), seen.dtype.name)
        drawn = noise if rng is not None else np.zeros_like(noise)
        # One product for each row, as in training: the rows beside it change no bit of an action.
        choices = self.policy.choose(self._layers, rows[:, None], drawn[:, None], np)[:, 0]
        shaped = self.policy.act(choices, np).reshape((*seen.shape[:-1], *self.action_shape))
        return shaped if shaped.ndim else int(shaped)

    def export(self, path: str | Path) -> Path:
        """Write the networks as plain arrays to a ``.npz`` file, and return its path.

        A Mistake for a policy of a plug-in, whose form is not known.
        """
        target = Path(path).with_suffix(".npz")
        try:
            files.replace(target, lambda beside: files.save_arrays(beside, self._arrays()))
        except OSError as error:
            raise Mistake(f"export: {target}: cannot be written: {error.strerror}") from None
        return target

    @cached_property
    def _layers(self) -> Any:
        return self.policy.layers(self.parameters)

    def _seen(self, observation: Any) -> NDArray[Any]:
        """The observation as the policy takes it: a vector, with the worker's sign and flag."""
        raw = self._vector(observation).astype(self.parameters.dtype)
        size = raw.shape[-1] + (self.variation.flag is not None)
        seen = np.empty((*raw.shape[:-1], size), raw.dtype)
        observe(raw, self.variation, seen)
        if isinstance(self.policy, Softmax | Gaussian):
            takes = len(self._networks()[0][0][0])
            if size != takes:
                extra = size - raw.shape[-1]
                reason = f"has {raw.shape[-1]} numbers; the policy takes {takes - extra}"
                raise Mistake(f"act: observation: {reason}")
        return seen

    def _vector(self, observation: Any) -> NDArray[Any]:
        space = self.observation_space
        if space is None:
            return np.atleast_1d(np.asarray(observation))
        from gymnasium import spaces

        if not isinstance(space, spaces.Box):
            return np.asarray(spaces.flatten(space, observation)).reshape(-1)
        raw = np.asarray(observation)
        return raw.reshape(*raw.shape[: raw.ndim - len(space.shape)], -1)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        policy, dtype = self.policy, self.parameters.dtype
        if not isinstance(policy, Softmax | Gaussian):
            kind = type(policy).__name__
            raise Mistake(f"export: the policy is a {kind}, of a plug-in; use act, or parameters")
        standard = policy.standard
        if standard is None:
            size = len(self._networks()[0][0][0])
            standard = Standard(np.zeros(size), np.ones(size))
        limit = LIMIT if policy.standard else np.inf
        flag = [] if self.variation.flag is None else [self.variation.flag]
        arrays = {
            "sign": np.array(self.variation.sign),
            "flag": np.array(flag),
            "mean": standard.mean,
            "deviation": standard.deviation,
            "limit": np.array(limit),
            **_bounds(policy),
        }
        arrays = {name: values.astype(dtype) for name, values in arrays.items()}
        for network, layers in enumerate(self._networks()):
            for layer, (weights, biases) in enumerate(layers):
                arrays[f"weights_{network}_{layer}"] = weights
                arrays[f"biases_{network}_{layer}"] = biases
        return arrays

    def _networks(self) -> list[list[tuple[NDArray[Any], NDArray[Any]]]]:
        """The matrices and biases of each network."""
        assert isinstance(self.policy, Softmax | Gaussian)
        network, layers = self.policy.network, self._layers
        match network:
            case Perceptron():
                return [layers]
            case SideBySide():
                return list(layers)


def _bounds(policy: Softmax | Gaussian) -> dict[str, NDArray[Any]]:
    if isinstance(policy.actions, Box):
        return {"low": np.array(policy.actions.low), "high": np.array(policy.actions.high)}
    return {"start": np.array(policy.actions.start)}


def trained(
    results: Results, method: str, seed: int | None = None, worker: int | None = None
) -> TrainedPolicy:
    """The final policy of a method, on its first seed if none is named."""
    table = results.scenario.objective
    if not isinstance(table, PolicyGradientTable):
        reason = "has no policy; results.parameters(method, seed) is its final point"
        raise Mistake(f"policy: objective.kind = {table.kind!r}: {reason}")
    seed = _seed(results, method, seed)
    parameters = results.parameters(method, seed)
    if not np.isfinite(parameters).all():
        raise Mistake(f"policy: {method}, seed {seed}: its run failed; not all numbers are finite")
    if table.policy.observations != "raw":  # JAX plays episodes to measure them
        from simulator.training.jax_setup import prepare

        prepare()
    policy = table.build_policy(results.scenario.cluster.workers)
    variation = _variation(table, worker, results.scenario.cluster.workers)
    return TrainedPolicy(method, seed, parameters, policy, variation, *_spaces(table))


def _spaces(table: PolicyGradientTable) -> tuple[Any, tuple[int, ...]]:
    """Gymnasium's space of observations, if it is not a vector, and the shape of actions."""
    if table.environment in OWN:
        _, actions = spaces(table.environment, table.environment_options)
        return None, (len(actions.low),) if isinstance(actions, Box) else ()
    first = table.variations[0]
    whole = replace(first, options={**table.environment_options, **first.options})
    with closing(open_varied(table.gymnasium_id, whole, 1)) as opened:
        return opened.observation_space, opened.action_space.shape or ()


def _seed(results: Results, method: str, seed: int | None) -> int:
    """The seed of an existing run; a Mistake names those that exist."""
    runs = [(run["method"], int(run["seed"])) for run in results.manifest["runs"]]
    seeds = [other for label, other in runs if label == method]
    if results.schedule_only or not runs:
        raise Mistake(f"policy: {results.directory} has no trained policy")
    if not seeds:
        hint = did_you_mean(method, dict(runs))
        raise Mistake(f"policy: method = {method!r}: is not in these results; {hint}")
    if seed is not None and seed not in seeds:
        known = ", ".join(map(str, seeds))
        raise Mistake(f"policy: seed = {seed!r}: is not in these results; known: {known}")
    return seeds[0] if seed is None else seed


def _variation(table: PolicyGradientTable, worker: int | None, workers: int) -> Variation:
    """The sign and flag of a worker's observations."""
    variations = table.variations
    views = {(each.sign, each.flag) for each in variations}
    if worker is None:
        if len(views) > 1:
            raise Mistake("policy: workers see signs or flags of their own; name one: worker=0")
        return variations[0]
    if not 0 <= worker < workers:
        raise Mistake(f"policy: worker = {worker}: must be from 0 to {workers - 1}")
    return variations[worker % len(variations)]
