"""Is advice what the schedule and the rule of steps say?  Closed forms, and a user's question."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from plugged import plugins_as_before

from simulator import advise, load_plugin
from simulator.advice.candidates import candidates, size_of, sizes
from simulator.advice.forecast import forecast
from simulator.advice.needs import steps
from simulator.advice.noise import Noise
from simulator.advice.paths import path as path_of
from simulator.advice.probe import start_of
from simulator.mistakes import Mistake
from simulator.scenario.loading import load
from simulator.scenario.prescription import constants_of

PAGE = Path(__file__).parent.parent / "docs" / "advise.md"


@pytest.fixture
def short(monkeypatch):
    """Fewer events, enough for clusters without chance."""
    monkeypatch.setattr("simulator.advice.advise.FEW", 400)
    monkeypatch.setattr("simulator.advice.advise.SEVERAL", 800)
    monkeypatch.setattr("simulator.advice.flips.EVENTS", 400)
    monkeypatch.setattr("simulator.advice.forecast.OF_A_SEED", 200)


def cluster(workers=4, compute=1.0, **more):
    return {"cluster": {"workers": workers, "compute": compute}, **more}


def of(tables, **options):
    return advise(tables, quiet=True, **{"noise": 20.0, **options})


def candidate(tables, method, size=None):
    given = {"objective": {"kind": "quadratic"}, "stop": {"steps": 1}}
    settings = {"step": 0.1, "momentum": 0.1}
    if setting := size_of(method):
        settings[setting] = size
    found = candidates(load({**given, **tables, "methods": {method: settings}}))
    return next(each for each in found if each.size == size)


def test_a_forecast_is_the_closed_form_of_its_rounds():
    straggler = cluster(10, [1.0] * 9 + [100.0])
    waits = forecast(candidate(straggler, "synchronous-nigt"), 3000, [0])
    assert (waits.seconds, waits.last, waits.last_share) == (100.0, 9, 1.0)
    assert waits.batch == pytest.approx(10.0)
    assert waits.idle == pytest.approx(0.9 * 0.99)
    quick = forecast(candidate(straggler, "rennala-nigt", 18), 3000, [0])
    assert (quick.seconds, quick.delay, quick.idle) == (2.0, 0.0, 0.0)
    assert quick.batch == pytest.approx(18.0)
    assert quick.wasted == pytest.approx(0.1)


def test_arrivals_among_equal_workers_are_n_minus_1_steps_old():
    found = forecast(candidate(cluster(5), "afedpg"), 3000, [0])
    assert found.delay == pytest.approx(4.0)
    assert found.seconds == pytest.approx(1 / 5, rel=1e-2)


def test_traffic_counts_every_message():
    network = {"message_bytes": 1000, "upload": {"bandwidth": 1000.0}}
    found = forecast(candidate(cluster(5, network=network), "synchronous-nigt"), 3000, [0])
    assert (found.seconds, found.bytes) == (2.0, 10 * 1000)


@pytest.mark.parametrize("path", [None, 10])
def test_the_rule_of_steps(path):
    noise, size = Noise(20.0, "", path=path), {"rennala-nigt": 4, "afedpg": None}
    needed = {}
    for method in size:
        row = candidate(cluster(), method, size[method])
        needed[method] = steps(row, forecast(row, 3000, [0]), noise)
    if path is None:
        assert tuple(needed["rennala-nigt"]) == (1.0, 0.0, 1.6 * 5)
        assert tuple(needed["afedpg"]) == pytest.approx((1, 3 * 3, 2.4 * 20))
        assert needed["afedpg"].whole == pytest.approx(1 + 2.4 * 20)
    else:
        noisy = [9 * averaged**0.5 + averaged**1.5 for averaged in (5, 20)]
        assert tuple(needed["rennala-nigt"]) == pytest.approx((12, 0.0, noisy[0]))
        assert tuple(needed["afedpg"]) == pytest.approx((12, 1.5 * 10 * 3, noisy[1]))


def test_the_path_has_the_fewest_steps_of_any_length():
    """On a chain, steps of 1/L_g are a hundredth of the best ones."""
    scenario = load("tables/chain")
    start, smoothness = start_of(scenario), constants_of(scenario).smoothness.value
    found = path_of(scenario, start, smoothness)
    assert found is not None
    assert found.steps == 4
    norm = np.linalg.norm(start.exact.ascent(found.end[None])[0])
    assert norm <= scenario.stop.target


def test_a_best_size_at_the_edge_is_named(short):
    far = cluster(network={"upload": 10.0})
    found = of(far, methods=["rennala-pg", "asynchronous-pg"], noise=1e4)
    assert "batch = 64 is the largest size that was tried for rennala-pg" in repr(found)
    assert "the largest size" not in repr(of(cluster(), methods=["rennala-pg"], noise=1.0))


def test_the_numbers_of_a_method_do_not_depend_on_the_others(short):
    failing = cluster()
    failing["cluster"]["failures"] = {"mean_time_between_failures": 50, "mean_time_to_repair": 5}
    lists = ["rennala-pg"], ["rennala-pg", "malenia-pg", "asynchronous-pg", "synchronous-pg"]
    alone, among = (of(failing, methods=methods).frame for methods in lists)
    among = among[among["method"] == "rennala-pg"]
    assert alone["seconds_per_step"].tolist() == among["seconds_per_step"].tolist()


def test_a_slower_upload_is_the_network_that_is_slower():
    """At every speed of it: seconds, latency and bandwidth, and the shared uplink."""
    for network, slower in (
        ({"upload": 0.5}, {"upload": 1.5}),
        (
            {"upload": {"bandwidth": 800.0, "latency": 0.25}},
            {"upload": {"bandwidth": 800.0 / 3, "latency": 0.75}},
        ),
        (
            {"collective": "parameter-server", "uplink": {"bandwidth": 1600.0}},
            {"collective": "parameter-server", "uplink": {"bandwidth": 1600.0 / 3}},
        ),
    ):
        thrice = forecast(candidate(cluster(network=network), "afedpg"), 900, [0], slowness=3.0)
        other = forecast(candidate(cluster(network=slower), "afedpg"), 900, [0])
        assert thrice.seconds == pytest.approx(other.seconds, rel=1e-12)


def test_the_leader_changes_at_the_upload_time_that_is_named(short):
    """A step of all waits for the slow worker, and single gradients pay every upload."""
    methods, compute = ["synchronous-pg", "asynchronous-pg"], [1.0, 1.0, 1.0, 8.0]
    found = of(cluster(4, compute, network={"upload": 1.0}), methods=methods)
    (change,) = found.changes[found.changes["what"] == "upload seconds"].to_dict("records")
    assert (found.method, change["method"]) == ("asynchronous-pg", "synchronous-pg")
    for seconds, leader in ((change["value"] * 1.05, 0), (change["value"] / 1.2, 1)):
        again = of(cluster(4, compute, network={"upload": seconds}), methods=methods)
        assert again.method == methods[leader]


def test_more_noise_asks_for_a_larger_batch(short):
    batches = [
        of(cluster(network={"upload": 2.0}), methods="rennala-pg", noise=noise).settings["batch"]
        for noise in (1.0, 30.0, 1000.0)
    ]
    assert batches == sorted(batches)
    assert batches[0] < batches[-1]


def test_scaling_all_times_changes_no_ranking(short):
    slow = cluster(4, [1.0, 1.0, 2.0, 8.0], network={"upload": 0.5})
    fast = cluster(4, [8.0, 8.0, 16.0, 64.0], network={"upload": 4.0})
    one, other = (of(tables, methods=["rennala-pg", "afedpg"]) for tables in (slow, fast))
    assert one.frame["times"].tolist() == pytest.approx(other.frame["times"].tolist())


def test_methods_that_favour_fast_workers_never_lead_on_unequal_objectives(short):
    unequal = {"kind": "quadratic", "variant": "random", "dimension": 5}
    tables = cluster(3, [1.0, 1.0, 50.0], objective=unequal, stop={"seconds": 1})
    found = of(tables, methods=["rennala-pg", "malenia-pg"])
    assert found.ranking["verdict"].tolist() == ["leads", "biased"]
    assert found.method == "malenia-pg"


def test_the_noise_of_an_exact_objective_follows_from_its_constants(short):
    found = advise("one-straggler", methods="rennala-nigt", quiet=True)
    constants = load("one-straggler").objective.constants(10)
    expected = constants.deviation.value**2 / (2 * constants.smoothness.value * 0.1)
    assert found.advice.noise.batch == pytest.approx(expected)
    probed = advise("one-straggler", methods="rennala-nigt", probe=True, quiet=True)
    start = 20 / 2.7259**2  # sigma², and the norm of the gradient at the initial point
    assert probed.advice.noise.batch == pytest.approx(start, rel=5 * math.sqrt(2 / (64 * 20)))


def test_the_question_of_the_page_has_its_answer(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    methods = re.findall(r"advise mine.toml --methods (\S+)", text)[0].split(",")
    found = advise(file, methods=methods, quiet=True)
    shown = text.split("```text\n")[1].split("```")[0]
    assert repr(found).splitlines() == shown.splitlines()


@pytest.mark.parametrize(
    ("tables", "options", "message"),
    [
        (cluster(), {"noise": -1.0},
         "--noise -1: must be a finite number of gradients, more than 0"),
        (cluster(), {"noise": None, "probe": True},
         "--probe: needs an objective; give the file a table [objective]"),
        (cluster(), {"methods": "renala-pg"}, "--methods renala-pg: no such method; did you mean"),
        (cluster(), {"methods": "mindflayer-pg"},
         "--methods mindflayer-pg: its schedule depends on attempts, limit, probability;"),
        (cluster(network={"upload": {"bandwidth": 9.0}}), {},
         "network.message_bytes: is missing; a bandwidth needs the size of a message"),
        (cluster(2, [1.0, math.inf]), {"methods": "synchronous-pg"},
         "no step closes with any of these methods: synchronous-pg; see straggle validate"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(tables, options, message):
    with pytest.raises(Mistake) as refused:
        of(tables, **options)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_sizes_are_multiples_of_the_workers_and_the_own_one():
    assert sizes(10, own=18) == [1, 2, 5, 10, 18, 20, 40, 80, 160]
    assert sizes(64)[:4] == [1, 4, 16, 32]


def test_a_method_of_a_plug_in_is_advised_as_well(short, tmp_path):
    page = PAGE.with_name("plugins") / "methods.md"
    file = tmp_path / "quorum.py"
    file.write_text(page.read_text("utf-8").split("```python\n")[1].split("```")[0], "utf-8")
    with plugins_as_before():
        load_plugin(file)
        found = of(cluster(4, [1.0, 1.0, 1.0, 9.0]), methods=["quorum-nigt", "synchronous-nigt"])
    assert (found.method, found.settings) == ("quorum-nigt", {"quorum": 2})
    assert found.frame.set_index("size")["verdict"][8] == "never"  # four workers are no quorum of 8
    assert "never" in repr(found)


def test_json_is_finite_and_has_every_candidate(capsys, tmp_path, short):
    from simulator.cli.command_line import run_command

    file = tmp_path / "cluster.toml"
    file.write_text("[cluster]\nworkers = 2\ncompute = 1\n")
    command = ["advise", str(file), "--methods", "rennala-pg,synchronous-pg", "--json"]
    assert run_command(command) == 0
    data = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert len(data["candidates"]) == 1 + len(sizes(2))
    assert np.isfinite(data["noise"])
