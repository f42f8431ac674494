"""Is a suite read as it is meant, and refused in a line where it could judge nothing?"""

import json

import pytest
from test_cli import written

from simulator.commands.json_schema import suite_schema
from simulator.gate import baselines
from simulator.gate.suite_file import read
from simulator.mistakes import Mistake
from simulator.scenario.files import shipped
from simulator.scenario.loading import load
from simulator.statistics.bounds import fewest_seeds

SCENARIO = """
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 4, scale = 0.05 }
stop = { steps = 12 }
[methods.rennala-nigt]
batch = 2
step = 0.1
momentum = 0.5
[methods.synchronous-nigt]
step = 0.1
momentum = 0.5
[methods.asynchronous-pg]
step = 0.1
"""
HEAD = 'scenario = "small.toml"\nwhy = "as it should be"\n'
CLAIM = f'kind = "claim"\n{HEAD}of = "rennala-nigt"\nover = "synchronous-nigt"\n'
STEPS = CLAIM + 'measure = "time-to-steps"\ncount = 10\n'


@pytest.fixture
def folder(tmp_path):
    written(tmp_path / "small.toml", SCENARIO)
    return tmp_path


def suite(folder, text, name="b"):
    return read(written(folder / "suite.toml", f"[benchmarks.{name}]\n{text}"))


def benchmark(folder, text):
    return suite(folder, text).benchmarks["b"]


def test_a_benchmark_is_its_scenario_with_its_settings(folder):
    found = benchmark(
        folder,
        f'kind = "exact"\n{HEAD}seeds = [7]\nmethods = ["rennala-nigt"]\n'
        'set = { "stop.steps" = 5, cluster.in_flight = "finish" }\n',
    )
    settings = ["stop.steps=5", "cluster.in_flight=finish", "seeds=[7]"]
    same = load(str(folder / "small.toml"), settings).restrict(["rennala-nigt"], None)
    assert found.scenario == same
    assert found.schedule_only


def test_a_method_that_the_scenario_lacks_can_be_set(folder):
    text = f'kind = "exact"\n{HEAD}methods = ["ringmaster-pg"]\n'
    found = benchmark(folder, text + "set = { methods.ringmaster-pg = { threshold=2, step=1.0 } }")
    assert found.scenario.methods["ringmaster-pg"].threshold == 2


def test_the_count_of_a_claim_is_the_only_end_of_its_runs(folder):
    found = benchmark(folder, STEPS)
    assert found.scenario.stop.model_dump(exclude_none=True) == {"steps": 10}
    assert list(found.scenario.methods) == ["rennala-nigt", "synchronous-nigt"]
    assert found.schedule_only
    assert not benchmark(folder, CLAIM + "set = { stop.target = 0.1 }").schedule_only


MISTAKES = {
    "benchmarks.b.kind: is missing": HEAD,
    "benchmarks.b.kind = 'exakt': did you mean 'exact'?": f'kind = "exakt"\n{HEAD}',
    "benchmarks.b.why: is missing": 'kind = "exact"\nscenario = "small.toml"',
    "benchmarks.b.relativ: unknown key; did you mean 'relative'?": (
        f'kind = "tolerance"\n{HEAD}relativ = 1e-6'
    ),
    "benchmarks.b.relative: is missing": f'kind = "tolerance"\n{HEAD}',
    "benchmarks.b.relative = -1.0: must be greater than or equal to 0": (
        f'kind = "tolerance"\n{HEAD}relative = -1.0'
    ),
    "benchmarks.b.relative: unknown key": f'kind = "exact"\n{HEAD}relative = 1e-6',
    "benchmarks.b: scenario = 'smal': no such file beside this one or shipped scenario": (
        'kind = "exact"\nscenario = "smal"\nwhy = "x"'
    ),
    "benchmarks.b: methods = 'rennala': not in this scenario; did you mean 'rennala-nigt'?": (
        f'kind = "exact"\n{HEAD}methods = ["rennala"]'
    ),
    "benchmarks.b: of = 'rennala': not in this scenario": STEPS.replace("rennala-nigt", "rennala"),
    "benchmarks.b: over = 'rennala-nigt': is the method itself": STEPS.replace(
        "synchronous-nigt", "rennala-nigt"
    ),
    "benchmarks.b: stop.target: is missing; time-to-target needs one": CLAIM,
    "benchmarks.b: count: is missing; time-to-steps needs": STEPS.replace("count = 10", ""),
    "benchmarks.b: count = 10: only time-to-steps and": (
        CLAIM + "count = 10\nset = { stop.target = 0.1 }"
    ),
    "benchmarks.b: at_least = 'predicted': theory tells times to a target only up to a factor": (
        CLAIM + 'at_least = "predicted"\nset = { stop.target = 0.1 }'
    ),
    "benchmarks.b.at_least = 'predictd'": STEPS + 'at_least = "predictd"',
    "benchmarks.b: seeds: has 2; test = 'sign' needs 5 or more at confidence 0.95": (
        STEPS + 'test = "sign"'
    ),
    "benchmarks.b: stop.steps = 0: must be": f'kind = "exact"\n{HEAD}set = {{ stop.steps = 0 }}',
    "benchmarks.b: set.cluster.compute[7]": (
        f'kind = "exact"\n{HEAD}set = {{ "cluster.compute[7]" = 1 }}'
    ),
    "benchmarks.b: metric = 'return': this objective does not measure it": (
        f'kind = "tolerance"\n{HEAD}relative = 0.1\nmetric = "return"'
    ),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_a_suite_that_makes_no_sense_is_refused_in_a_line(folder, message):
    with pytest.raises(Mistake) as refused:
        suite(folder, MISTAKES[message])
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_only_exact_curves_are_held(folder):
    with pytest.raises(Mistake, match="only of an exact objective is a curve no chance"):
        suite(folder, 'kind = "tolerance"\nrelative = 1.0\nwhy = "x"\nscenario = "straggler"\n')
    with pytest.raises(Mistake, match=r"such times depend on episodes; a schedule has none"):
        suite(folder, 'kind = "exact"\nwhy = "x"\nscenario = "short-episodes"\n')


def test_names_of_benchmarks_are_names_of_files(folder):
    with pytest.raises(Mistake, match="and names a file"):
        suite(folder, f'kind = "exact"\n{HEAD}', name='"a/b"')


def test_an_invalid_suite_is_refused(folder):
    with pytest.raises(Mistake, match="is a scenario, not a suite; straggle run"):
        read(folder / "small.toml")
    with pytest.raises(Mistake, match=r"straggle check .* runs it"):
        load("stragglers")
    with pytest.raises(Mistake, match="is a sweep, not a suite; straggle sweep"):
        read("straggler-steps")
    with pytest.raises(Mistake, match="did you mean 'stragglers'"):
        read("straglers")
    with pytest.raises(Mistake, match="is a directory"):
        read(folder)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_of_fewer_seeds_even_equal_signs_are_likely_by_chance(confidence):
    least = fewest_seeds("sign", confidence)
    assert 0.5**least <= 1 - confidence + 1e-12 < 0.5 ** (least - 1)


def test_shipped_suites_are_no_scenarios_and_satisfy_the_schema():
    assert "stragglers" in shipped("suite")
    assert not [name for name in shipped() if "suites" in name or "baselines" in name]
    for path in shipped("suite").values():
        assert path.read_text().startswith("#:schema schema.json\n")
        schema = json.loads((path.parent / "schema.json").read_text())
        assert schema == suite_schema(), "straggle schema --suite > scenarios/suites/schema.json"


@pytest.mark.parametrize("name", shipped("suite"))
def test_a_shipped_suite_has_the_baselines_of_its_benchmarks(name):
    suite = read(name)
    directory = suite.path.parent / "baselines" / name
    assert {path.stem for path in directory.iterdir()} == suite.benchmarks.keys()
    for label, benchmark in suite.benchmarks.items():
        now = baselines.of(benchmark, [], "")
        assert not baselines.changes(now, baselines.read(directory, label))
