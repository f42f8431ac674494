"""Unequal environments: each worker has its own, in any batch, and J is the mean over them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import one_run
import pytest
from compiled import compiled_once

from algorithms.local import ascent
from algorithms.tickets import Ticket
from simulator.mistakes import Mistake
from simulator.objectives.catalogue import PolicyGradientTable
from simulator.objectives.environments.catalogue import own_environment
from simulator.objectives.environments.variation import (
    ALIKE,
    Target,
    Variation,
    policy_spaces,
)
from simulator.objectives.environments.worlds import varied
from simulator.objectives.objective import Objective
from simulator.objectives.policies import perceptron
from simulator.objectives.policy_gradient import policy_gradient
from simulator.objectives.spaces import Discrete, Environment
from simulator.scenario.loading import check
from simulator.scenario.scenario import Scenario

__all__ = ["compiled_once"]  # the fixture

ROOT = jax.random.key(7)
UNEQUAL = (
    Variation(options={"length": 1.0, "gravity": 4.0}, flag=0.0),
    Variation(options={"force_mag": 3.0, "sutton_barto_reward": True}, sign=-1, flag=1.0),
    Variation(flag=-0.5),
)
SMALL: dict[str, Any] = {"policy": perceptron((6,)), "horizon": 11, "dtype": "float64"}


@pytest.fixture(scope="module")
def fleet() -> Objective:
    return policy_gradient("CartPole-v1", **SMALL, variations=UNEQUAL)


def rows(tickets: list[Ticket]) -> jax.Array:
    return jnp.asarray(tickets, jnp.int32)


def close(ours: object, theirs: object) -> None:
    """Equal to 1e-12 of the largest entry."""
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * np.abs(theirs).max())


def test_a_workers_tickets_are_those_of_its_environment_alone(
    fleet: Objective,
) -> None:
    """Made by hand: nothing is stacked or gathered there, and the keys are the same."""
    worker, own = 1, UNEQUAL[1]
    alone = policy_gradient(
        varied(own, own_environment("CartPole-v1", own.options)), **SMALL, variations=ALIKE
    )
    point = 3 * fleet.initial_point(ROOT)
    expected, length = alone.sample(ROOT, point, Ticket(worker, 4, 2))
    ours, steps = fleet.sample(ROOT, point, Ticket(worker, 4, 2))
    close(ours, expected)
    assert steps == length
    other, _ = fleet.sample(ROOT, point, Ticket(2, 4, 2))
    assert not np.allclose(other, expected, rtol=1e-6)


def test_equal_variations_change_nothing() -> None:
    """A table for every worker that says nothing is no table."""
    plain, said = (
        policy_gradient("CartPole-v1", **SMALL, variations=variations)
        for variations in (ALIKE, [Variation()] * 3)
    )
    point = 3 * plain.initial_point(ROOT)
    expected, length = plain.sample(ROOT, point, Ticket(1, 0, 1))
    ours, steps = said.sample(ROOT, point, Ticket(1, 0, 1))
    close(ours, expected)
    assert steps == length


def test_the_policy_sees_sign_and_flag() -> None:
    cart = own_environment("CartPole-v1", {})
    mirrored = varied(Variation(sign=-1, flag=2.5), cart)
    state = mirrored.reset(mirrored.parameters, jax.random.key(1), jnp.float32)
    seen = mirrored.observe(mirrored.parameters, state)
    assert (seen.dtype, len(seen), mirrored.observation_size) == (jnp.float32, 5, 5)
    np.testing.assert_array_equal(seen[:4], -cart.observe(cart.parameters, state))
    assert seen[4] == 2.5


def test_float32_stays_float32() -> None:
    fleet = policy_gradient("CartPole-v1", policy=perceptron((6,)), horizon=10, variations=UNEQUAL)
    point = fleet.initial_point(ROOT)
    given = ROOT[None], point[None], rows([Ticket(1, 0, 0)] * 5), jnp.ones((1, 5), "float32")
    text = str(jax.make_jaxpr(fleet.gradient)(*given))
    assert "f32[" in text
    assert "f64[5" not in text


def test_local_work_is_done_in_the_workers_own_environment(fleet: Objective) -> None:
    point, work = 3 * fleet.initial_point(ROOT), ascent(2, 0.1)
    ours, other = (fleet.local(work).sample(ROOT, point, Ticket(at, 0, 0)) for at in (1, 2))
    own = UNEQUAL[1]
    alone = policy_gradient(varied(own, own_environment("CartPole-v1", own.options)), **SMALL)
    expected, taken = alone.local(work).sample(ROOT, point, Ticket(1, 0, 0))
    close(ours[0], expected)
    assert ours[1] == taken
    assert not np.allclose(ours[0], other[0])


# --- evaluation --------------------------------------------------------------------------------


def test_evaluation_plays_as_many_episodes_in_every_environment() -> None:
    """One pole falls at once, so the turns are seen; 7 episodes of 3 workers are 9."""
    falls = Variation(options={"theta_threshold_radians": 1e-9})
    fleet = policy_gradient("CartPole-v1", **SMALL, variations=[Variation(), falls, Variation()])
    point = fleet.initial_point(ROOT)
    played = fleet.episodes.play(point, seed=3, episodes=7)
    assert len(played) == 9
    assert [episode.length == 1 for episode in played] == [False, True, False] * 3
    measured = one_run.evaluate(fleet, jax.random.key(3), point, 0, 7)["return"]
    assert measured == pytest.approx(np.mean([episode.total for episode in played]), rel=1e-12)


def test_the_standard_is_that_of_all_environments_together() -> None:
    """All workers play equally many episodes, all of one length, as the flags show."""
    swings = [Variation(options={"g": 2.0}, flag=0), Variation(sign=-1, flag=1), Variation(flag=2)]
    sight = {"variations": swings, "observations": "standardised"}
    standard = policy_gradient("Pendulum-v1", **SMALL, **sight).policy.standard
    assert standard.mean[-1] == pytest.approx(1, rel=1e-12)
    assert standard.deviation[-1] == pytest.approx(np.sqrt(2 / 3), rel=1e-12)


# --- the mean over the workers ----------------------------------------------------------------


POINT = np.array([0.5, -0.4, 0.3, 0.2])


def chosen(sign: int) -> float:
    """How likely action 1 is where the only state is seen as ``sign``."""
    return float(1 / (1 + np.exp(sign * POINT[0] + POINT[2] - sign * POINT[1] - POINT[3])))


def one_state() -> Environment:
    """One step in one state, where action 1 earns 1: J_i is the probability p to choose it.

    Of one episode the gradient's first entry is -sign (1 - p) if it is chosen, and else 0.
    """

    def step(parameters: None, state: jax.Array, action: jax.Array) -> tuple[object, ...]:
        return state, action.astype(state.dtype), jnp.ones((), bool)

    return Environment(
        observation_size=1,
        actions=Discrete(2),
        parameters=None,
        reset=lambda parameters, key, dtype: jnp.ones(1, dtype),
        observe=lambda parameters, state: state,
        step=step,
    )


def test_the_mean_over_workers_is_maximised_and_other_weights_are_biased() -> None:
    """Three gradients of the fast worker for one of the slow.

    Malenia takes the mean of each worker's first, Rennala that of all: so it follows the fast.
    """
    fleet = policy_gradient(
        one_state(), policy=perceptron(()), horizon=1, dtype="float64",
        variations=[Variation(), Variation(sign=-1)],
    )  # fmt: skip
    many = np.array([6000, 2000])
    tickets = rows([Ticket(worker, 0, k) for worker in (0, 1) for k in range(many[worker])])
    signs = np.array([1, -1])
    likely = np.array([chosen(1), chosen(-1)])
    own = -signs * (1 - likely) * likely
    errors = (1 - likely) * np.sqrt(likely * (1 - likely) / many)
    seen = []
    for malenia in (True, False):
        shares = np.array([0.5, 0.5]) if malenia else many / many.sum()
        weights = jnp.asarray(np.repeat(shares / many, many))
        total, _ = one_run.gradient(fleet, ROOT, jnp.asarray(POINT), tickets, weights)
        seen.append((float(total[0]), 4.5 * float(np.sqrt(shares**2 @ errors**2))))
        assert abs(total[0] - shares @ own) < seen[-1][1]
    (mean, doubt), (biased, other) = seen
    assert abs(biased - mean) > doubt + other


# --- plain data, spaces and refusals ------------------------------------------------------------


def test_plain_data_and_back() -> None:
    variation = Variation(
        options={"g": 2.0}, sign=-1, flag=1.0, mass=2.0, target=Target(radius=(0.1, 0.2))
    )
    target = {"radius": [0.1, 0.2], "angle": [0.0, 360.0]}
    plain = {"options": {"g": 2.0}, "sign": -1, "flag": 1.0, "mass": 2.0, "target": target}
    assert Variation.of(plain) == variation
    assert Variation.of({}) == Variation() == ALIKE[0]


def table(environment: str, *workers: dict[str, Any], **settings: Any) -> PolicyGradientTable:
    given = {"kind": "policy-gradient", "environment": environment, "workers": list(workers)}
    return PolicyGradientTable(**given, **settings)


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1"])
def test_a_flag_makes_the_policy_larger(name: str) -> None:
    without, flagged = table(name), table(name, {"flag": 0}, {"flag": 1.5, "sign": -1})
    assert flagged.size(2).dimension - without.size(2).dimension == 64
    assert flagged.build(2).dimension == flagged.size(2).dimension
    assert flagged.variations[1] == Variation(flag=1.5, sign=-1)
    assert without.variations == ALIKE


@pytest.mark.parametrize(
    ("environment", "workers", "message"),
    [
        ("CartPole-v1", [{}], "workers has 1 entries: must be one per worker of the cluster, 2"),
        ("CartPole-v1", [{"flag": 1}, {}], r"workers\[1\].flag: is missing; worker 0 has one"),
        ("CartPole-v1", [{}, {"flag": 1}], r"workers\[0\].flag: is missing; worker 1 has one"),
        (
            "CartPole-v1",
            [{}, {"options": {"lenght": 1}}],
            r"workers\[1\].options.lenght: .* did you mean 'length'",
        ),
        (
            "CartPole-v1",
            [{"options": {"length": -1}}, {}],
            r"workers\[0\].options.length = -1: must be positive",
        ),
        (
            "CartPole-v1",
            [{}, {"mass": 2.0}],
            r"workers\[1\].mass = 2.0: is for MuJoCo models, and CartPole-v1 is none; .* masspole",
        ),
        ("Pendulum-v1", [{"gravity": 0.5}, {}], r"workers\[0\].gravity = 0.5: is for MuJoCo"),
        (
            "Acrobot-v1",
            [{}, {"gravity": 0.5}],
            r"workers\[1\].gravity = 0.5: .* Acrobot-v1 is none$",
        ),
        ("Acrobot-v1", [{}, {"target": {}}], r"workers\[1\].target: is for Reacher; Acrobot-v1"),
        ("CartPole-v1", [{"target": {}}, {}], r"workers\[0\].target: is for Reacher"),
        (
            "Pendulum-v1",
            [{}, {"options": {"max_torque": 3.0}}],
            r"workers\[1\].options: change the actions",
        ),
        (
            "FrozenLake-v1",
            [{"options": {"map_name": "8x8"}}, {}],
            r"workers\[1\].options: make observations 16 long, those of worker 0 are 64",
        ),
        (
            "FrozenLake-v1",
            [{}, {"options": {"map_name": "9x9"}}],
            r"workers\[1\].options: environment = 'FrozenLake-v1': cannot be made",
        ),
    ],
)
def test_variations_that_one_policy_cannot_play_are_refused_in_one_line(
    environment: str, workers: list[dict[str, Any]], message: str
) -> None:
    for ask in (PolicyGradientTable.check, PolicyGradientTable.size):
        with pytest.raises(ValueError, match=f"^{message}") as refusal:
            ask(table(environment, *workers), 2)
        assert "\n" not in str(refusal.value)


def test_a_workers_own_options_go_before_those_of_all() -> None:
    fleet = table(
        "CartPole-v1",
        {"options": {"length": 2.0}},
        {},
        environment_options={"length": 1.0, "gravity": 5.0},
    ).build(2)
    constants = [fleet.worlds.of(worker).parameters.constants for worker in (0, 1)]
    assert [(own.length, own.gravity) for own in constants] == [(2.0, 5.0), (1.0, 5.0)]


def test_mujocos_models_take_factors_and_targets() -> None:
    pytest.importorskip("mujoco")
    seen = [Variation(mass=2.0, gravity=0.5), Variation(target=Target())]
    assert policy_spaces("Reacher-v5", {}, seen) == policy_spaces("Reacher-v5", {}, ALIKE)


# --- as a scenario says it ----------------------------------------------------------------------

METHODS = {
    "rennala-nigt": {"batch": 4, "step": 0.1, "momentum": 0.5},
    "malenia-nigt": {"batch": 4, "step": 0.1, "momentum": 0.5},
    "afedpg": {"step": 0.1, "momentum": 0.5},
}


def scenario(workers: list[dict[str, Any]], environment: str = "CartPole-v1") -> Scenario:
    objective = {
        "kind": "policy-gradient", "environment": environment, "workers": workers,
        "policy": {"hidden": [3]}, "horizon": 4, "dtype": "float64",
    }  # fmt: skip
    return check(
        {
            "seeds": [0],
            "cluster": {"workers": len(workers), "compute": [1.0, 1.2, 1.5][: len(workers)]},
            "objective": objective,
            "evaluation": {"every_steps": 100, "episodes": 1},
            "stop": {"steps": 2},
            "methods": METHODS,
        }
    )


@pytest.mark.parametrize(
    ("worker", "message"),
    [
        ({"sgn": 1}, "workers[1].sgn: unknown key; did you mean 'sign'?"),
        ({"sign": 2}, "workers[1].sign = 2: must be 1 or -1"),
        ({"mass": 0.0}, "workers[1].mass = 0.0: must be greater than or equal to 0.001"),
        ({"mass": 1e300}, "workers[1].mass = 1e+300: must be less than or equal to 1000"),
        ({"gravity": 1e300}, "workers[1].gravity = 1e+300: must be less than or equal to 1000"),
        ({"flag": 1e300}, "workers[1].flag = 1e+300: must be less than or equal to 1000000"),
        (
            {"target": {"angle": [0.0, 361.0]}},
            "workers[1].target.angle: must be from -360 to 360 degrees",
        ),
        ({"flag": "a"}, "workers[1].flag = 'a': must be a number"),
        ({"options": {"g": 1}}, "workers[1].options.g: CartPole-v1 has no such option; known: "),
        (
            {"target": {"radius": [0.2, 0.1]}},
            "workers[1].target.radius: must be from the smaller to the larger, such as [0.1, 0.2]",
        ),
        (
            {"target": {"radius": [0.1, 0.3]}},
            "workers[1].target.radius: must be from 0 to 0.2 metres, within the arm's reach",
        ),
        ({"target": {"angle": [0.0]}}, "workers[1].target.angle = [0.0]: must have at least 2"),
    ],
)
def test_a_scenarios_mistakes_name_the_worker(worker: dict[str, Any], message: str) -> None:
    with pytest.raises(Mistake) as refusal:
        scenario([{}, worker])
    assert str(refusal.value).startswith(f"objective.{message}")
