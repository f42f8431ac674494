"""Are the values the wanted ones, and is every mistake one line?"""

import copy
import tomllib

import numpy as np
import pytest
from test_cli import straggle, written

from simulator.mistakes import Mistake
from simulator.study.varying import read, together

LIST = """
seeds = [0]
cluster = { workers = 4, compute = [1, 1, 1, 10] }
objective = { kind = "quadratic", dimension = 4, scale = 0 }
evaluation = { metric = "gradient_norm" }
stop = { seconds = 1000, target = 0.1 }
[methods.synchronous-pg]
theory = { eps = 0.3 }
[methods.rennala-pg]
step = 0.5
batch = 3
[methods.mine]
method = "malenia-pg"
step = 0.5
batch = 4
[methods.malenia-pg]
theory = { eps = 0.3 }
"""


def varied(text, value):
    """What the scenario's tables become, and what they were."""
    before = tomllib.loads(LIST)
    asked = copy.deepcopy(before)
    found = read(text).tables(asked, value)
    assert asked == before  # the other values begin from the same
    return found, before


# Values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("n=10:1000:log3", (10, 100, 1000)),
        ("n=1000:10:log3", (1000, 100, 10)),
        ("n=0.1:100:log4", (0.1, 1.0, 10.0, 100.0)),
        ("n=1:3:lin5", (1, 2, 3)),  # whole numbers, each once
        ("n=1.0:3:lin5", (1.0, 1.5, 2.0, 2.5, 3.0)),
        (" n = 3, 1,3 ", (3, 1)),
        ("n=1e2", (100.0,)),
    ],
)
def test_a_range_has_its_ends_and_its_count(text, values):
    found = read(text)
    assert found.path == "n"
    assert found.values == values
    assert [type(value) for value in found.values] == [type(value) for value in values]


def test_a_logarithmic_range_has_equal_ratios():
    values = np.array(read("eps=0.4:0.05:log7").values)
    assert values[[0, -1]].tolist() == [0.4, 0.05]
    # Six digits are kept: each is off by 5e-6 of itself at most.
    np.testing.assert_allclose(values[1:] / values[:-1], (0.05 / 0.4) ** (1 / 6), rtol=1e-5)


# Places


def test_only_the_varied_key_is_set():
    found, before = varied("cluster.workers=9", 9)
    before["cluster"]["workers"] = 9
    assert found == before


@pytest.mark.parametrize("index", [3, -1])
def test_an_entry_of_a_list(index):
    found, before = varied(f"cluster.compute[{index}]=7", 7)
    before["cluster"]["compute"] = [1, 1, 1, 7]
    assert found == before


def test_a_star_is_every_method_that_says_it():
    found, before = varied("methods.*.batch=7", 7)
    before["methods"]["rennala-pg"]["batch"] = before["methods"]["mine"]["batch"] = 7
    assert found == before


def test_batch_is_that_of_every_method_that_has_one():
    found, before = varied("batch=7", 7)
    for method in ("rennala-pg", "mine", "malenia-pg"):
        before["methods"][method]["batch"] = 7
    assert found == before


def test_eps_is_the_target_and_the_accuracy_of_theory():
    found, before = varied("eps=0.2", 0.2)
    before["stop"]["target"] = 0.2
    for method in ("synchronous-pg", "malenia-pg"):
        before["methods"][method]["theory"]["eps"] = 0.2
    assert found == before


def test_keys_that_vary_together_take_the_values_in_order():
    before = tomllib.loads(LIST)
    vary = together(["eps=0.2,0.1", "cluster.compute[0]=5,5", "cluster.compute[-1]=20,40"])
    found = [vary.tables(before, value)["cluster"]["compute"] for value in vary.values]
    assert found == [[5, 1, 1, 20], [5, 1, 1, 40]]
    assert [vary.tables(before, value)["stop"]["target"] for value in (0.2, 0.1)] == [0.2, 0.1]
    with pytest.raises(Mistake, match="batch: has 2 values, and eps 3 different ones"):
        together(["eps=0.3:0.1:log3", "batch=1,2"])


def test_an_axis_names_its_key():
    assert read("cluster.workers=9").name == "workers n"
    assert read("stop.seconds=9").name == "stop.seconds"


# Mistakes

MISTAKES = [
    ("cluster.workers", "write PATH=START:STOP:logN, or PATH=A,B"),
    ("cluster.workers=", "write PATH=START"),
    ("=1,2", "write PATH=START"),
    ("cluster.workers=1:9", "write a range as START:STOP:logN"),
    ("cluster.workers=1:9:log", "write a range as START:STOP:logN"),
    ("cluster.workers=1:9:log1", "1 values; must be from 2 to 1000"),
    ("cluster.workers=1:9:lin9999", "9999 values; must be from 2 to 1000"),
    ("cluster.workers=0:9:log3", "needs positive ends"),
    ("cluster.workers=0:9:lin3", "must be positive numbers"),
    ("cluster.workers=many", "'many' is not a number"),
    ("cluster.workers=a:9:log3", "'a' is not a number"),
    ("cluster.workers=4,-1", "must be positive numbers"),
    ("cluster.workers=nan", "must be positive numbers"),
    ("eps=inf", "must be positive numbers"),
    ("cluster.wokers=4", "at cluster.wokers = 4: cluster.wokers: unknown key; did you mean"),
    ("cluster.workers=4,5", "at cluster.workers = 5: cluster.compute"),
    ("batch=3,2.5", "at batch = 2.5: methods.rennala-pg.batch = 2.5: must be a whole number"),
    ("title=3", "title = 3: must be a string"),
    ("cluster.compute[4]=1", "cluster.compute has 4 entries, from [0]"),
    ("cluster.compute[-5]=1", "cluster.compute has 4 entries, from [0]"),
    ("cluster.compute[x]=1", "name an entry of it by its number, such as cluster.compute[0]"),
    ("cluster.compute.seconds=1", "cluster.compute is a list"),
    ("cluster[0]=1", "cluster is not a list"),
    ("stop.target.deep=1", "stop.target is not a table"),
    ("methods.*.momentum=0.1", "nothing in methods has momentum"),
    ("stop..target=1", "write it as path=value"),
]


@pytest.mark.parametrize(("vary", "complaint"), MISTAKES)
def test_a_mistake_is_one_line_and_nothing_is_written(vary, complaint, tmp_path):
    scenario = written(tmp_path / "list.toml", LIST)
    answer = straggle("complexity", scenario, "--vary", vary, "--out", tmp_path / "out")
    assert answer.code == 2
    assert answer.err.startswith("straggle: ")
    assert complaint in answer.err
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "out").exists()
