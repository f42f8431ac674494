"""The estimator: exact where an MDP can be enumerated, and the same in any batch."""

import re
from collections.abc import Callable, Iterator
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest
from two_states import DISCOUNT, ENDS, FIRST, HORIZON, REWARD, STAY, two_states

from algorithms.local import ascent
from algorithms.tickets import Ticket
from simulator.objectives import backward
from simulator.objectives.batched import Batched
from simulator.objectives.environments.catalogue import own_environment
from simulator.objectives.estimator import (
    episode_keys,
    evaluation_keys,
    plain_episode,
    plain_gradient,
    start_and_noise,
)
from simulator.objectives.policies import perceptron
from simulator.objectives.policy_gradient import policy_gradient
from simulator.objectives.reinforce import Reinforce

ROOT = jax.random.key(7)

# --- a world that can be enumerated ----------------------------------------------------------


def expected_return(point: np.ndarray) -> float:
    """By enumerating every sequence of states and actions; nothing is shared with the code."""
    outputs = point[:4].reshape(2, 2) + point[4:]
    policy = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    value = 0.0
    for states in product((0, 1), repeat=HORIZON):
        for actions in product((0, 1), repeat=HORIZON):
            likely, earned, running = FIRST[states[0]], 0.0, True
            for t, pair in enumerate(zip(states, actions, strict=True)):
                likely *= policy[pair]
                earned += DISCOUNT**t * REWARD[pair] * running
                running = running and not ENDS[pair]
                if t + 1 < HORIZON:
                    likely *= STAY[pair] if states[t + 1] == 0 else 1 - STAY[pair]
            value += likely * earned
    return value


def slope(function: object, point: np.ndarray) -> np.ndarray:
    """Central differences of a smooth function; their error here is about 1e-9."""
    nudges = 1e-5 * np.eye(len(point))
    return np.array([(function(point + e) - function(point - e)) / 2e-5 for e in nudges])


def test_the_estimator_is_unbiased() -> None:
    estimator = Reinforce(discount=DISCOUNT)
    settings = {"policy": perceptron(()), "horizon": HORIZON, "dtype": "float64"}
    objective = policy_gradient(two_states(), **settings, estimator=estimator)
    point = np.array([0.4, -0.3, 0.1, 0.6, -0.2, 0.3])
    rows = 20_000
    tickets = jnp.zeros((rows, 3), jnp.int32).at[:, 2].set(jnp.arange(rows, dtype=jnp.int32))
    points = jnp.tile(jnp.asarray(point), (rows, 1))
    each, _ = one_run.gradients(objective, ROOT, points, tickets, jnp.ones(rows))
    standard_error = np.std(each, axis=0, ddof=1) / np.sqrt(rows)
    error = np.mean(each, axis=0) - slope(expected_return, point)
    assert np.all(standard_error > 0)
    assert np.all(np.abs(error) < 4.5 * standard_error)


def test_evaluation_measures_the_undiscounted_return() -> None:
    objective = policy_gradient(two_states(), policy=perceptron(()), horizon=1, dtype="float64")
    point, episodes = np.array([0.4, -0.3, 0.1, 0.6, -0.2, 0.3]), 20_000
    outputs = point[:4].reshape(2, 2) + point[4:]
    policy = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    pairs = FIRST[:, None] * policy
    mean = np.sum(pairs * REWARD)
    deviation = np.sqrt(np.sum(pairs * (REWARD - mean) ** 2))
    measured = one_run.evaluate(objective, ROOT, jnp.asarray(point), 0, episodes)["return"]
    assert abs(measured - mean) < 4.5 * deviation / np.sqrt(episodes)
    cart = policy_gradient("CartPole-v1", policy=perceptron((8,)), horizon=30)
    start = cart.initial_point(ROOT)
    played = cart.episodes.play(start, seed=3, episodes=16)
    assert all(total == length for total, length in played)  # one per step, not discounted
    assert len({length for _, length in played}) > 1
    measured = one_run.evaluate(cart, jax.random.key(3), start, 0, 16)["return"]
    assert measured == pytest.approx(np.mean([total for total, _ in played]), rel=1e-6)


# --- lengths and padding ----------------------------------------------------------------

TICKETS = [Ticket(0, 0, 0), Ticket(2, 0, 1), Ticket(1, 5, 0), Ticket(9, 3, 2), Ticket(4, 0, 0)]


@pytest.fixture(scope="module")
def cart() -> Iterator[Batched]:
    """A small net, and blocks of time so short that an episode needs several, the last cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backward, "BLOCK", 5)
        yield policy_gradient("CartPole-v1", policy=perceptron((6,)), horizon=13, dtype="float64")


def rows(tickets: list[Ticket]) -> jax.Array:
    return jnp.asarray(tickets, jnp.int32)


def close(ours: object, theirs: object) -> None:
    """Equal to 1e-12 of the largest entry."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * np.abs(theirs).max())


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.nightly), 16])
def test_lengths_agree_in_single_precision_over_many_tickets(size: int) -> None:
    """The longest-lived of them make hundreds of choices, and every one is the same."""
    cart = policy_gradient("CartPole-v1", policy=perceptron((16,)), horizon=120)
    points = jnp.tile(3 * cart.initial_point(ROOT), (size, 1))
    ones, seen = jnp.ones(size, jnp.float32), []
    for index in range(10):
        tickets = rows([Ticket(worker, 0, index) for worker in range(size)])
        seen.append(np.asarray(cart.episodes.lengths(ROOT, points, tickets, ones)))
        _, expected = one_run.gradients(cart, ROOT, points, tickets, ones)
        np.testing.assert_array_equal(seen[-1], expected)
    assert len(np.unique(np.concatenate(seen))) > 5


def test_lengths_compile_to_a_loop_that_records_nothing(cart: Batched) -> None:
    """What a gradient needs, (time, row, …) with room for 15 steps, is not even allocated."""
    points = jnp.tile(cart.initial_point(ROOT), (5, 1))
    words = jnp.tile(jax.random.key_data(ROOT), (5, 1))

    def compiled(function: Callable[..., object], roots: jax.Array) -> str:
        given = (roots, points, rows(TICKETS), jnp.ones(5))
        return jax.jit(function).lower(*given).compile().as_text()

    assert "[15,5" in compiled(cart._rows, words)
    assert "[15,5" not in compiled(cart.episodes.lengths, ROOT)


def test_padding_adds_nothing_even_where_its_dynamics_are_not_numbers(cart: Batched) -> None:
    """A cart that starts at NaN: its rows would be NaN from the first step on."""
    own = own_environment("CartPole-v1", {})
    numb = own._replace(
        reset=lambda parameters, key, dtype: jax.tree.map(
            lambda x: jnp.where(jax.random.key_data(key)[0] % 2 == 0, x, jnp.nan),
            own.reset(parameters, key, dtype),
        )
    )
    broken = policy_gradient(numb, policy=perceptron((6,)), horizon=13, dtype="float64")
    tickets = rows([Ticket(worker, 0, 0) for worker in range(5)])
    starts = jax.vmap(lambda key: jax.random.split(key)[0])(episode_keys(ROOT, tickets))
    sane = np.asarray(jax.random.key_data(starts))[:, 0] % 2 == 0
    assert 0 < sane.sum() < 5
    point, weights = 3 * cart.initial_point(ROOT), jnp.asarray(1.0 * sane)
    expected, _ = one_run.gradient(cart, ROOT, point, tickets, weights)
    close(one_run.gradient(broken, ROOT, point, tickets, weights)[0], expected)
    each, _ = one_run.gradients(broken, ROOT, jnp.tile(point, (5, 1)), tickets, weights)
    close(each.sum(axis=0), expected)
    assert np.isnan(one_run.gradient(broken, ROOT, point, tickets, jnp.ones(5))[0]).any()


def test_the_gradient_is_the_slope_of_the_surrogate_on_a_fixed_path() -> None:
    """The path replayed in numpy, the densities written out, and differences of their sum."""
    objective = policy_gradient("Pendulum-v1", policy=perceptron((3,)), horizon=12, dtype="float64")
    start, ticket = 3 * objective.initial_point(ROOT), Ticket(1, 2, 3)
    (key,) = episode_keys(ROOT, rows([ticket]))
    first, noise = start_and_noise(objective.policy, key, 12, jnp.float64)
    pendulum = own_environment("Pendulum-v1", {})
    state = pendulum.reset(pendulum.parameters, first, jnp.float64)
    seen, drawn, earned = [], [], []
    for row in np.asarray(noise):
        seen.append(np.asarray(pendulum.observe(None, state)))
        mean, deviation = moments(np.asarray(start), seen[-1])
        drawn.append(mean + deviation * row[0])
        action = jnp.asarray([2 * np.tanh(drawn[-1])])
        state, reward, _ = pendulum.step(pendulum.parameters, state, action)
        earned.append(float(reward))
    to_go = [sum(0.99**h * earned[h] for h in range(t, 12)) for t in range(12)]

    def surrogate(point: np.ndarray) -> float:
        terms = (moments(point, observation) for observation in seen)
        densities = [
            -0.5 * ((u - mean) / deviation) ** 2 - np.log(deviation)
            for u, (mean, deviation) in zip(drawn, terms, strict=True)
        ]
        return float(np.dot(to_go, densities))

    ours, length = objective.sample(ROOT, start, ticket)
    assert length == 12
    expected = slope(surrogate, np.asarray(start))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


def moments(point: np.ndarray, observation: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of a perceptron 3 → 3 → 2, written out."""
    hidden = np.tanh(observation @ point[:9].reshape(3, 3) + point[9:12])
    mean, raw = hidden @ point[12:18].reshape(3, 2) + point[18:]
    return mean, np.log1p(np.exp(raw))


# --- random numbers, precision, refusals --------------------------------------------------------


def test_tickets_start_and_evaluation_share_no_random_number(cart: Batched) -> None:
    tickets = rows([Ticket(a, b, c) for a, b, c in product(range(5), repeat=3)])
    keys = [episode_keys(ROOT, tickets)] + [evaluation_keys(ROOT, step, 25) for step in range(5)]
    words = np.concatenate([np.asarray(jax.random.key_data(key)) for key in keys])
    assert len(np.unique(words, axis=0)) == 250
    one, other = (cart.initial_point(jax.random.key(seed)) for seed in (0, 1))
    assert np.any(one != other)
    values = {float(one_run.evaluate(cart, ROOT, one, step, 4)["return"]) for step in range(6)}
    assert len(values) > 1


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
def test_float32_stays_float32(name: str) -> None:
    objective = policy_gradient(name, policy=perceptron((8,)), horizon=10)
    start = objective.initial_point(ROOT)
    weights, points = jnp.ones(5, jnp.float32), jnp.tile(start, (5, 1))
    words = jnp.tile(jax.random.key_data(ROOT), (5, 1))
    calls = [
        jax.make_jaxpr(objective.gradient)(ROOT[None], start[None], rows(TICKETS), weights[None]),
        jax.make_jaxpr(objective._rows)(words, points, rows(TICKETS), weights),
        jax.make_jaxpr(lambda at: one_run.evaluate(objective, ROOT, at, 0, 3))(start),
    ]
    assert start.dtype == jnp.float32
    for call in calls:
        assert "f32[" in str(call)
        assert not re.search(r"f64\[\d", str(call))  # a scalar literal is no computation
    total, steps = jax.eval_shape(
        objective.gradient, ROOT[None], start[None], rows(TICKETS), weights[None]
    )
    assert (total.dtype, steps.dtype) == (jnp.float32, jnp.int32)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"horizon": 0}, "horizon = 0: must be at least 1"),
        ({"dtype": "float16"}, "dtype = 'float16': must be one of float32, float64"),
        ({"environment_options": {"g": 1}}, "environment_options.g: CartPole-v1 has no such"),
    ],
)
def test_settings_without_sense_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        policy_gradient("CartPole-v1", **settings)


def test_local_work_of_one_step_is_the_gradient_itself(cart: Batched) -> None:
    """A client that takes one step of length 1 sends its gradient; its episode is another one."""
    ticket, point = Ticket(1, 0, 3), cart.initial_point(ROOT)
    sent, steps = cart.local(ascent(1, 1.0)).sample(ROOT, point, ticket)
    key = jax.random.fold_in(episode_keys(ROOT, rows([ticket]))[0], 0)
    episode = plain_episode(cart.worlds.first, cart.policy, point, key, 13)
    expected = plain_gradient(cart.policy, point, [episode], Reinforce(discount=0.99))
    np.testing.assert_allclose(sent, expected, rtol=1e-10, atol=1e-12)
    assert steps == len(episode[-1])
