"""The variants of the estimator: by enumeration of all K-tuples of episodes, and by definition."""

from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest
from two_states import DISCOUNT, ENDS, FIRST, HORIZON, REWARD, STAY, two_states

from algorithms.local import mixed, reweighted
from algorithms.tickets import Ticket
from simulator.objectives.estimator import (
    episode_keys,
    keys_of_episodes,
    plain_episode,
    plain_gradient,
    scales,
)
from simulator.objectives.policies import perceptron
from simulator.objectives.policy_gradient import policy_gradient
from simulator.objectives.reinforce import Baseline, Discounting, Reinforce

ROOT = jax.random.key(7)

# --- all paths of the world of two states ---------------------------------------------------------

POINT = np.array([0.4, -0.3, 0.1, 0.6, -0.2, 0.3])
CORNERS = np.array([*product((0, 1), repeat=HORIZON)])
STATES, ACTIONS = np.repeat(CORNERS, len(CORNERS), 0), np.tile(CORNERS, (len(CORNERS), 1))
"""A row for each path; one that ends early goes on, without rewards."""
ENDED = np.cumsum(ENDS[STATES, ACTIONS], axis=1)
PLAYED = np.column_stack([np.ones(len(STATES), bool), ENDED[:, :-1] == 0])
REWARDS, LENGTHS = REWARD[STATES, ACTIONS] * PLAYED, PLAYED.sum(axis=1)


def log_policy(points: jax.Array) -> jax.Array:
    """That of each path's actions (path, time); each time has its own of ``points`` (time, 6)."""
    outputs = points[:, :4].reshape(-1, 2, 2) + points[:, None, 4:]
    return jax.nn.log_softmax(outputs)[jnp.arange(HORIZON), STATES, ACTIONS]


def likelihood(points: jax.Array) -> jax.Array:
    to_first = STAY[STATES[:, :-1], ACTIONS[:, :-1]]
    moves = np.where(STATES[:, 1:] == 0, to_first, 1 - to_first).prod(axis=1)
    return FIRST[STATES[:, 0]] * moves * jnp.exp(log_policy(points).sum(axis=1))


def value(points: jax.Array, discount: float) -> jax.Array:
    """The expected discounted return."""
    return likelihood(points) @ (REWARDS @ discount ** np.arange(HORIZON))


def by_time(point: np.ndarray, discount: float) -> jax.Array:
    """The slope of J in the policy of each time alone, (time, 6): their sum is its gradient."""
    return jax.grad(value)(jnp.tile(point, (HORIZON, 1)), discount)


def from_action(point: np.ndarray, discount: float) -> jax.Array:
    """What rewards discounted from the action on should give: slope t without its discount^t."""
    return discount ** -np.arange(HORIZON) @ by_time(point, discount)


def expectation(estimator: Reinforce, point: np.ndarray) -> np.ndarray:
    """Of the estimator, over all K-tuples of paths."""
    points, episodes = jnp.tile(point, (HORIZON, 1)), estimator.episodes
    likely, score = likelihood(points), jax.jacobian(log_policy)(points).sum(axis=2)
    tuples = np.array([*product(range(len(STATES)), repeat=episodes)])
    rows, chance = tuples.reshape(-1), np.prod(np.asarray(likely)[tuples], axis=1)
    discounts = estimator.discounts(HORIZON, "float64")
    counted = scales(estimator, jnp.asarray(REWARDS[rows].T), LENGTHS[rows], discounts)
    weights = np.asarray(counted) * np.repeat(chance, episodes) / episodes
    each = np.stack([np.bincount(rows, step, len(STATES)) for step in weights], axis=1)
    return np.einsum("pt,ptd->d", each, score)


VARIANTS: list[tuple[int, Baseline]] = [(1, "none"), (3, "none"), (2, "leave-one-out")]
VARIANTS += [(3, "leave-one-out")]


@pytest.mark.parametrize(("episodes", "baseline"), VARIANTS)
def test_the_expectation_over_all_tuples_is_the_gradient(episodes: int, baseline: Baseline) -> None:
    gradient = by_time(POINT, DISCOUNT).sum(axis=0)
    biased = from_action(POINT, DISCOUNT)
    for discounting, expected in (("from-start", gradient), ("from-action", biased)):
        estimator = Reinforce(
            discount=DISCOUNT, episodes=episodes, baseline=baseline, discounting=discounting
        )
        found = expectation(estimator, POINT)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_discounts_from_the_action_are_biased() -> None:
    gradient = by_time(POINT, DISCOUNT).sum(axis=0)
    bias = from_action(POINT, DISCOUNT) - gradient
    assert np.linalg.norm(bias) > 0.1 * np.linalg.norm(gradient)
    np.testing.assert_allclose(from_action(POINT, 1.0), by_time(POINT, 1.0).sum(axis=0))
    # A gradient has a symmetric Jacobian.
    hessian = jax.jacobian(lambda at: by_time(at, DISCOUNT).sum(axis=0))(POINT)
    field = jax.jacobian(lambda at: from_action(at, DISCOUNT))(POINT)
    np.testing.assert_allclose(hessian, hessian.T, rtol=0, atol=1e-14)
    assert np.abs(field - field.T).max() > 0.01


# --- the same scales in three ways ----------------------------------------------------------------


@pytest.mark.parametrize("discounting", ["from-start", "from-action"])
@pytest.mark.parametrize(("episodes", "baseline"), VARIANTS[1:])
def test_host_jax_and_definition_agree(
    episodes: int, baseline: Baseline, discounting: Discounting
) -> None:
    rng = np.random.default_rng(0)
    estimator = Reinforce(
        discount=0.9, episodes=episodes, baseline=baseline, discounting=discounting
    )
    discounts = estimator.discounts(12, "float64")
    tickets = [[rng.normal(size=rng.integers(1, 12)) for _ in range(episodes)] for _ in range(3)]
    rewards = [each for ticket in tickets for each in ticket]
    table = jnp.stack([jnp.pad(each, (0, 12 - len(each))) for each in rewards], axis=1)
    in_jax = scales(estimator, table, jnp.array([*map(len, rewards)]), discounts)
    for number, ticket in enumerate(tickets):
        expected = estimator.by_hand([each.tolist() for each in ticket])
        for place, (own, host) in enumerate(
            zip(expected, estimator.on_host(ticket, discounts), strict=True)
        ):
            np.testing.assert_allclose(host, own, rtol=0, atol=1e-13)
            row = in_jax[:, number * episodes + place]
            np.testing.assert_allclose(row, np.pad(own, (0, 12 - len(own))), rtol=0, atol=1e-13)


def test_one_episode_counts_as_it_always_did() -> None:
    """To the last bit: its own key, and the sum of the discounted rewards from the end."""
    keys, estimator = jax.random.split(ROOT, 3), Reinforce(discount=0.97)
    assert keys_of_episodes(keys, 1) is keys
    rewards, discounts = np.random.default_rng(1).normal(size=50), 0.97 ** np.arange(50.0)
    single, factors = rewards.astype(np.float32), discounts.astype(np.float32)
    expected = np.cumsum((single * factors)[::-1])[::-1]
    (on_host,) = estimator.on_host([rewards], estimator.discounts(50, "float32"))
    in_jax = scales(estimator, jnp.asarray(single)[:, None], jnp.array([50]), factors)
    np.testing.assert_array_equal(on_host, expected)
    old = jax.lax.cumsum(jnp.asarray(single * factors), axis=0, reverse=True)
    np.testing.assert_array_equal(in_jax[:, 0], old)


def test_a_gradient_without_baseline_is_the_mean_of_its_episodes() -> None:
    """The first is the one that the ticket has alone; no two share a random number."""
    settings = {"policy": perceptron(()), "horizon": HORIZON, "dtype": "float64"}
    objective = policy_gradient(two_states(), **settings, estimator=Reinforce(episodes=3))
    point, ticket = jnp.asarray(POINT), Ticket(1, 2, 3)
    rows = jnp.array([ticket, ticket._replace(worker=0)], jnp.int32)
    keys = keys_of_episodes(episode_keys(ROOT, rows), 3)
    assert len({tuple(words) for words in np.asarray(jax.random.key_data(keys)).tolist()}) == 6
    world, policy = objective.worlds.first, objective.policy
    played = [plain_episode(world, policy, point, key, HORIZON) for key in keys[:3]]
    each = [plain_gradient(policy, point, [episode], Reinforce()) for episode in played]
    found, steps = one_run.gradient(objective, ROOT, point, rows[:1], jnp.ones(1))
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=0, atol=1e-13)
    assert steps == sum(len(rewards) for *_, rewards in played)
    alone = policy_gradient(two_states(), **settings).sample(ROOT, point, ticket)[0]
    np.testing.assert_array_equal(alone, each[0])


def test_several_episodes_give_the_same_bits_in_any_company() -> None:
    """A run alone, among other runs, and its tickets one by one."""
    estimator = Reinforce(episodes=4, baseline="leave-one-out")
    objective = policy_gradient(
        "CartPole-v1", policy=perceptron((8,)), horizon=40, estimator=estimator
    )
    roots = jax.random.split(ROOT, 3)
    points = jnp.stack([3 * objective.initial_point(root) for root in roots])
    rows = jnp.array([[0, 0, 0], [1, 0, 2]], jnp.int32)
    weights = jnp.array([[0.5, 0.25]] * 3, jnp.float32)
    together, steps = objective.gradient(roots, points, rows, weights)
    alone, own = one_run.gradient(objective, roots[1], points[1], rows, weights[1])
    np.testing.assert_array_equal(together[1], alone)
    assert steps[1] == own
    at = jnp.repeat(points[:, None], 2, axis=1)
    each, _ = objective.gradients(roots, at, rows, weights)
    single, _ = one_run.gradients(objective, roots[2], at[2, 1:], rows[1:], weights[2, 1:])
    np.testing.assert_array_equal(each[2, 1], single[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discount": 1.5}, "discount = 1.5: must be above 0"),
        ({"episodes": 0}, "episodes = 0: must be at least 1"),
        ({"baseline": "leave-one-out"}, "baseline = 'leave-one-out': compares a gradient's"),
    ],
)
def test_settings_without_sense_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Reinforce(**settings)


# --- samples of other points ----------------------------------------------------------------------


@pytest.mark.parametrize(("episodes", "baseline"), VARIANTS[::2])
def test_mixtures_and_weights_estimate_what_enumeration_gives(
    episodes: int, baseline: Baseline
) -> None:
    """Within five standard errors; the second point takes decisions 1 and 2 of the mixture."""
    second = np.array([-0.4, 0.6, 0.8, -0.9, 0.4, -0.6])
    points, count = np.stack([POINT, second]), 20_000
    acting = points[[0, 1, 1]]
    slope = jax.grad(lambda shift: value(acting + shift, DISCOUNT))(np.zeros(6))
    estimator = Reinforce(discount=DISCOUNT, episodes=episodes, baseline=baseline)
    settings: dict[str, Any] = {"policy": perceptron(()), "dtype": "float64"}
    objective = policy_gradient(two_states(), **settings, horizon=HORIZON, estimator=estimator)
    tickets = np.stack([np.zeros(count), np.zeros(count), np.arange(count)], 1).astype(np.int32)
    assert objective.local is not None
    for work, rest, expected in (
        (mixed(2), [0.0, 0.3], slope),
        (reweighted, [np.inf], by_time(second, DISCOUNT).sum(axis=0)),
    ):
        payloads = np.tile(np.concatenate([*points, rest]), (count, 1))
        values = objective.local(work)
        each, _ = one_run.gradients(values, ROOT, payloads, tickets, np.ones(count))
        error = each.std(0, ddof=1) / np.sqrt(count)
        assert np.all(np.abs(each.mean(0) - expected) <= 5 * error)
