"""Does a method with ``theory`` get what theory chooses, and is what takes too long refused?"""

import pytest

from algorithms.methods import METHODS
from algorithms.theory import Problem
from simulator.mistakes import Mistake
from simulator.scenario import prescription
from simulator.scenario.loading import check

WORKERS = 4
PRESCRIBED = {name: method.prescribe for name, method in METHODS.items() if method.prescribe}


def scenario(methods, objective="quadratic", stop=None, **options):
    return check(
        {
            "cluster": {"workers": WORKERS, "compute": 1.0},
            "objective": {"kind": objective, **options},
            "stop": stop or {"steps": 10},
            "methods": methods,
        }
    )


@pytest.mark.parametrize("method", PRESCRIBED)
def test_missing_settings_are_chosen(method):
    found = scenario({method: {"theory": {"eps": 0.5}}}, dimension=10, scale=0.1)
    constants = prescription.constants_of(found)
    problem = Problem(*(constant.value for constant in constants))
    chosen = PRESCRIBED[method](problem, 0.5, WORKERS, 1.0)
    settings = prescription.settings_of(found, method)
    assert settings.items() >= chosen.settings.items()
    assert None not in [settings[name] for name in chosen.settings]


def test_given_settings_stay():
    found = scenario({"rennala-nigt": {"step": 0.125, "theory": {"eps": 0.5}}})
    settings = prescription.settings_of(found, "rennala-nigt")
    assert settings["step"] == 0.125
    assert settings["batch"] >= 1


def mistake(*arguments, **options):
    with pytest.raises(Mistake) as caught:
        scenario(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_too_long_runs_are_refused_with_their_cost():
    theory = {"eps": 0.01, "limit": 1000}
    message = mistake({"rennala-pg": {"theory": theory}}, stop={"seconds": 10.0})
    chosen = PRESCRIBED["rennala-pg"](
        prescription.problem_of(scenario({"rennala-pg": {"batch": 1, "step": 0.1}}), "rennala-pg"),
        0.01,
        WORKERS,
        1.0,
    )
    assert message.startswith("methods.rennala-pg.theory.eps = 0.01: asks for ")
    assert f"{chosen.steps:,} steps, {chosen.gradients:,} gradients" in message
    # A run with an earlier stop computes no more than that.
    scenario({"rennala-pg": {"theory": theory}}, stop={"gradients": 1000})


def test_a_larger_hessian_smoothness_may_be_said_but_no_smaller_one():
    theory = {"eps": 0.5, "hessian_smoothness": 0.25}
    found = scenario({"rennala-nigt": {"theory": theory}})
    assert prescription.problem_of(found, "rennala-nigt").hessian_smoothness == 0.25
    message = mistake(
        {"rennala-nigt": {"theory": {"eps": 9.0, "hessian_smoothness": 1e-9}}}, "chain", length=2
    )
    assert "hessian_smoothness = 1e-09: must be at least what the objective has" in message


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"fedbuff": {"theory": {"eps": 1.0}}},
         "methods.fedbuff.theory: prescribes no settings for fedbuff, but for: afedpg, "),
        ({"rennala-nigt": {"step": 0.1, "momentum": 0.1}},
         "methods.rennala-nigt.batch: is missing"),
        ({"rennala-nigt": {"theory": {}}}, "methods.rennala-nigt.theory.eps: is missing"),
        ({"rennala-nigt": {"theory": {"eps": 0}}},
         "methods.rennala-nigt.theory.eps = 0: must be "),
        ({"rennala-nigt": {"theory": {"eps": 1, "factor": 0.5}}},
         "methods.rennala-nigt.theory.factor = 0.5: must be greater than or equal to 1"),
        ({"mindflayer-pg": {"attempts": [1, 2], "limit": 1.0, "probability": 1.0, "step": 1.0}},
         "methods.mindflayer-pg.attempts has 2 entries: must be one number, or one per worker: 4"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(methods, message):
    assert mistake(methods).startswith(message)


def test_an_environment_knows_no_constants():
    message = mistake(
        {"rennala-nigt": {"theory": {"eps": 1.0}}}, "policy-gradient", environment="CartPole-v1"
    )
    assert message.startswith("objective.kind = 'policy-gradient': theory needs the constants")


def test_local_steps_need_an_environment_in_jax_and_times_of_gradients():
    local = {"fedbuff": {"buffer": 2, "step": 1.0, "local_step": 1.0}}
    message = mistake(local, "policy-gradient", environment="Acrobot-v1")
    assert message.startswith(
        "methods.fedbuff: its workers take steps of their own, which needs an"
    )


def test_an_accuracy_beyond_numbers_is_refused():
    message = mistake({"rennala-nigt": {"theory": {"eps": 1e-300}}})
    assert message.startswith("methods.rennala-nigt.theory.eps = 1e-300: asks for more steps than")
