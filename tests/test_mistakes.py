"""Are all mistakes of a file reported at once, a line each, in the order of the file?"""

import pickle

import pytest
from test_cli import straggle

from simulator.gate import suite_file
from simulator.mistakes import MOST, Mistake, all_of, check_all
from simulator.scenario.loading import load
from simulator.sweeps import sweep_file

SPOILED = """
bogus = 3
stop = { seconds = -1 }

[methods.rennala-nigt]
step = 0.1
momentum = 7
batch = 0

[methods.nonsense]
step = 1

[cluster]
compute = { law = "log-normal", sigma = -3, mean = { law = "powr" } }
workers = 0

[objective]
kind = "quadratic"
dimenson = 5
"""
MISTAKES = [
    "bogus: unknown key",
    "stop.seconds = -1: must be greater than 0",
    "methods.rennala-nigt.momentum = 7: must be less than or equal to 1",
    "methods.rennala-nigt.batch = 0: must be greater than or equal to 1",
    "methods.nonsense: no method 'nonsense'",
    "cluster.compute.sigma = -3: must be greater than or equal to 0",
    "cluster.compute.mean.law = 'powr': did you mean 'power'?",
    "cluster.workers = 0: must be greater than or equal to 1",
    "objective.dimenson: unknown key; did you mean 'dimension'?",
]


def mistakes_of(read, path, text):
    path.write_text(text)
    with pytest.raises(Mistake) as caught:
        read(str(path))
    return caught.value.args


def agree(lines, expected):
    assert len(lines) == len(expected)
    assert all(map(str.startswith, lines, expected)), lines


def test_a_scenario_reports_all_mistakes_in_the_order_of_the_file(tmp_path):
    agree(mistakes_of(load, tmp_path / "spoiled.toml", SPOILED), MISTAKES)


def test_the_command_prints_a_line_for_each_mistake(tmp_path):
    file = tmp_path / "spoiled.toml"
    file.write_text(SPOILED)
    answer = straggle("run", file)
    assert (answer.code, answer.out) == (2, "")
    agree(answer.err.splitlines(), [f"straggle: {mistake}" for mistake in MISTAKES])


def test_a_misspelt_key_is_one_mistake_though_its_value_is_missing(tmp_path):
    text = 'objective = { kind = "quadratic" }\ncluster = { workers = 2, compute = 1 }\n'
    text += "stop = { secnds = 3 }\nmethods.afedpg = { step = 0.1, momentum = 1 }\n"
    lines = mistakes_of(load, tmp_path / "one.toml", text)
    assert lines == ("stop.secnds: unknown key; did you mean 'seconds'?",)
    misspelt = text.replace("secnds", "seconds").replace("compute", "compute_")
    lines = mistakes_of(load, tmp_path / "one.toml", misspelt)
    assert lines == ("cluster.compute_: unknown key; did you mean 'compute'?",)


def test_mistakes_of_a_whole_scenario_are_collected_too():
    with pytest.raises(Mistake) as caught:
        load(
            "straggler",
            [
                "cluster.outages=[{worker=99}]",
                "cluster.per=environment-step",
                "objective={kind='quadratic', dimension=0.5}",
            ],
        )
    assert len(caught.value.args) == 1  # the form comes first
    with pytest.raises(Mistake) as caught:
        load(
            "straggler",
            [
                "cluster.outages=[{worker=99}]",
                "cluster.per=environment-step",
                "objective={kind='quadratic'}",
                "cluster.compute=[1, 2]",
            ],
        )
    starts = "cluster.outages[0].worker = 99", "cluster.compute", "cluster.per = "
    agree(caught.value.args, starts)


def test_sweeps_and_suites_report_all_mistakes(tmp_path):
    sweep = 'scenario = "straggler"\nseeds = [-1]\nscroe = 1\nscore = { kind = "worst" }\n'
    lines = mistakes_of(sweep_file.read, tmp_path / "sweep.toml", sweep)
    agree(lines, ["seeds[0] = -1", "scroe: unknown key", "score.kind = 'worst'"])
    misspelt = '[benchmarks.a]\nwhy = "x"\nknd = "exact"\nscenario = "straggler"\n'
    lines = mistakes_of(suite_file.read, tmp_path / "suite.toml", misspelt)
    assert lines == ("benchmarks.a.knd: unknown key; did you mean 'kind'?",)
    suite = "".join(
        f'[benchmarks.{name}]\nwhy = "x"\nkind = "exact"\nscenario = "{name}"\n'
        for name in ("stragler", "flakey")
    )
    lines = mistakes_of(suite_file.read, tmp_path / "suite.toml", suite)
    agree(lines, ["benchmarks.stragler: scenario", "benchmarks.flakey: scenario"])


def test_a_study_reports_all_mistakes_of_its_scenario(tmp_path):
    file = tmp_path / "spoiled.toml"
    file.write_text(SPOILED)
    answer = straggle("complexity", file, "--vary", "objective.noise=1,2")
    assert (answer.code, answer.out) == (2, "")
    agree(answer.err.splitlines(), [f"straggle: {mistake}" for mistake in MISTAKES])


def test_a_long_list_of_mistakes_ends_with_their_number():
    lines = [f"seeds[{at}] = -1: no" for at in range(MOST + 3)]
    assert all_of(lines).args == (*lines[:MOST], "and 3 more")
    assert all_of(lines[:MOST]).args == tuple(lines[:MOST])


def test_mistakes_survive_the_way_between_processes():
    mistake = Mistake("a: no", "b: no")
    assert pickle.loads(pickle.dumps(mistake)).args == mistake.args
    assert str(mistake) == "a: no\nb: no"


def test_check_all_makes_every_check():
    def refuse():
        raise Mistake("no")

    with pytest.raises(Mistake) as caught:
        check_all([refuse, refuse])
    assert caught.value.args == ("no", "no")
    assert check_all([lambda: 1, lambda: 2]) == [1, 2]
