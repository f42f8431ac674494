"""Does the final policy of a run act as it did in training, and without JAX?"""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_cli import CARTPOLE, straggle, written
from test_docs import blocks_of
from test_imports import loaded_by

import simulator
from simulator.mistakes import Mistake
from simulator.objectives.environments.variation import ALIKE, Variation
from simulator.objectives.policies import policy_for
from simulator.objectives.spaces import Box, Discrete
from simulator.objectives.standard import Standard
from simulator.replays.policy import TrainedPolicy

BOX = Box(low=(-1.0, 0.0, 2.0), high=(1.0, 4.0, 2.5))
STANDARD = Standard(np.array([1.0, 0.0, -2.0, 0.5]), np.array([2.0, 1.0, 0.1, 3.0]))
KINDS = {
    "categorical": policy_for(4, Discrete(6, start=2), (5, 7)),
    "Gaussian": policy_for(4, BOX, (5,)),
    "two networks": policy_for(4, BOX, (5, 6), trunk="separate"),
    "standardised": policy_for(4, BOX, (5,), standard=STANDARD),
    "linear": policy_for(4, BOX, ()),
}
SEEN = np.random.default_rng(5).normal(size=(9, 4)) * 3


def loader():
    """``load_policy`` of the page about policies."""
    (block,) = [b for b in blocks_of("docs/policies.md", "python") if "def load_policy" in b.text]
    names: dict = {}
    exec(block.text.partition("\n\n\nact = ")[0], names)
    return names["load_policy"]


def trained(policy, variation=ALIKE[0]):
    rng = np.random.default_rng(3)
    parameters = rng.normal(size=policy.dimension).astype(np.float32)
    shape = (len(policy.actions.low),) if isinstance(policy.actions, Box) else ()
    return TrainedPolicy("a", 0, parameters, policy, variation, None, shape)


@pytest.mark.parametrize("kind", KINDS)
def test_actions_equal_those_of_the_policy_in_jax(kind):
    policy = KINDS[kind]
    ours, seen = trained(policy), SEEN.astype(np.float32)
    noise = policy.host_noise(np.random.default_rng(7), len(seen), "float32")

    @jax.jit
    def act(parameters, noise):
        choices = policy.choose(policy.layers(parameters), seen, noise, jnp)
        return policy.act(choices, jnp)

    for drawn, rng in ((np.zeros_like(noise), None), (noise, np.random.default_rng(7))):
        theirs = np.asarray(act(jnp.asarray(ours.parameters), jnp.asarray(drawn)))
        np.testing.assert_allclose(ours.act(SEEN, rng), theirs, rtol=0, atol=1e-5)
    alone = np.array([ours.act(row) for row in SEEN])
    assert np.array_equal(alone, ours.act(SEEN))  # to the bit


@pytest.mark.parametrize("kind", KINDS)
def test_the_documented_loader_acts_as_the_exported_policy(kind, tmp_path):
    variation = Variation(sign=-1, flag=0.5)
    for ours, seen in (
        (trained(KINDS[kind]), SEEN),
        (trained(KINDS[kind], variation), SEEN[:, :3]),
    ):
        act = loader()(ours.export(tmp_path / "policy"))
        for row in seen:
            np.testing.assert_allclose(act(row), ours.act(row), rtol=0, atol=2e-6)


def test_the_policy_of_a_run_is_its_final_point_and_needs_no_jax(tmp_path):
    scenario = written(tmp_path / "s.toml", CARTPOLE)
    out = tmp_path / "out"
    assert straggle("run", scenario, "--out", out, "--quiet", "--figures", "none").code == 0
    modules, printed = loaded_by(
        "import simulator\n"
        f"results = simulator.load_results({str(out)!r})\n"
        "policy = results.policy('synchronous-pg')\n"
        "print(policy.act([0.0, 0.1, 0.2, 0.3]), policy)"
    )
    assert not {"jax", "pandas", "matplotlib", "scipy"} & modules
    results = simulator.load_results(out)
    point, policy = results.parameters("synchronous-pg", 0), policy_for(4, Discrete(2), [4])
    outputs = policy.outputs(policy.layers(point), np.array([0.0, 0.1, 0.2, 0.3], point.dtype), np)
    assert (
        printed.splitlines()[0]
        == f"{np.argmax(outputs)} TrainedPolicy(method='synchronous-pg', seed=0)"
    )
    for asked, reason in (
        (("synchronous",), "did you mean 'synchronous-pg'"),
        (("synchronous-pg", 4), "known: 0"),
    ):
        with pytest.raises(Mistake, match=reason):
            results.policy(*asked)


def test_actions_have_the_form_of_their_environment():
    short = (
        'objective={kind="policy-gradient", environment="Pendulum-v1", horizon=9, ',
        "stop={steps=1}",
    )
    views = "[{sign=1, flag=0}, {sign=-1, flag=1}]"
    rest = f'policy={{hidden=[3], observations="standardised"}}, workers={views}}}'
    cluster = "cluster={workers=2, compute=1}"
    results = simulator.run(
        "straggler",
        short[0] + rest,
        short[1],
        cluster,
        "seeds=[0]",
        methods="synchronous-nigt",
        quiet=True,
    )
    with pytest.raises(Mistake, match=r"name one: worker=0"):
        results.policy("synchronous-nigt")
    seen = gymnasium.make("Pendulum-v1").reset(seed=0)[0]
    one, other = (results.policy("synchronous-nigt", worker=worker) for worker in (0, 1))
    with pytest.raises(Mistake, match=r"worker = 2: must be from 0 to 1"):
        results.policy("synchronous-nigt", worker=2)
    with pytest.raises(Mistake, match=r"observation: has 2 numbers; the policy takes 3"):
        one.act(seen[:2])
    assert one.act(seen).shape == (1,)
    assert one.policy.standard is not None
    assert not np.array_equal(one.act(seen), other.act(seen))


def test_an_objective_without_a_policy_is_refused():
    short = 'objective={kind="quadratic", dimension=5}', "stop={steps=2}", "seeds=[0]"
    results = simulator.run("straggler", *short, methods="synchronous-nigt", quiet=True)
    with pytest.raises(Mistake, match=r"objective.kind = 'quadratic': has no policy"):
        results.policy("synchronous-nigt")
