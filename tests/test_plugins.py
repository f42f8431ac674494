"""Does a plug-in work in every command, and is what is wrong with one a line that names it?

The plug-in is that of docs/plugins.md: its examples, one after the other, are the file ``mine.py``.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from compiled import compiled_once
from plugged import no_plugins, plugins_as_before
from test_cli import one_line, straggle, written
from test_docs import ROOT, blocks_of, lay_out_plugin, plugin_of

import simulator
from algorithms.method import Method
from algorithms.methods import METHODS, greedy, rennala, synchronous
from algorithms.updates import sgd
from simulator import gate, plugins
from simulator.mistakes import Mistake
from simulator.scenario import loading
from simulator.training.schedules import schedule_key

__all__ = ["compiled_once"]  # the fixture

SCENARIO = """
seeds = [0, 1]
cluster = { workers = 3, compute = [1, 2, 4] }
objective = { kind = "quadratic", dimension = 4 }
stop = { steps = 6 }
evaluation = { every_steps = 3 }
[methods.synchronous-nigt]
step = 0.1
momentum = 0.5
"""
OURS = """
title = "everything is of the plug-in"
seeds = [0, 1]
[cluster]
workers = 4
compute = { law = "weibull", mean = { law = "lottery", fastest = 1, slowest = 9 }, shape = 0.8 }
speed = { law = "staggered-start", every = 0.5 }
[objective]
kind = "logistic"
dimension = 4
examples = 20
[evaluation]
every_steps = 3
[stop]
steps = 6
target = 0.3
[methods.quorum-nigt]
quorum = 3
step = 0.1
momentum = 0.5
[methods.mine]
method = "quorum-sign"
quorum = 3
step = 0.1
"""
CARTPOLE = (
    'objective={kind="policy-gradient", environment="CartPole-v1", horizon=10, '
    'policy={kind="linear"}}'
)
BROUGHT = ["laws.lottery", "laws.weibull", "methods.quorum-nigt", "methods.quorum-sign",
           "objectives.logistic", "speeds.staggered-start"]  # fmt: skip
BARE = """
from simulator.objectives.tables.objective import ObjectiveTable


class Bare(ObjectiveTable):
    def size(self, workers): ...
    def build(self, workers): ...


OBJECTIVES = {"bare": Bare}
"""
STORY = """
from algorithms.method import Method
from algorithms.tickets import Ticket
from algorithms.updates import sgd


def lazy():
    def story(cluster):
        cluster.broadcast(quota=1)
        ticket = yield cluster.arrival()
        {}

    return story


METHODS = {{"lazy": Method(lazy, sgd, "a story that goes wrong")}}
"""


@pytest.fixture(autouse=True)
def as_before():
    with plugins_as_before():
        yield


@pytest.fixture
def mine(tmp_path):
    return lay_out_plugin(tmp_path)


@pytest.fixture
def ours(tmp_path):
    return written(tmp_path / "ours.toml", OURS)


def plugin(folder, text, name="broken.py"):
    return written(folder / name, text)


# What is wrong with a plug-in


def refused(file):
    line = one_line(straggle("list", "--plugin", file))
    assert line.startswith("plug-in "), line
    assert Path(file).name in line
    assert not plugins.registry.origins, "half of it has joined"
    return line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("METHODS = {", "SyntaxError: '{' was never closed"),
        ("\n\nMETHODS = nothing", "line 3: cannot be imported: NameError: name 'nothing'"),
        ("import no_such_module", "line 1: cannot be imported: ModuleNotFoundError"),
        ("raise SystemExit(0)", "line 1: cannot be imported: SystemExit: 0"),
        ("x = 1", "brings nothing; it must define one of METHODS, LAWS, SPEEDS"),
        ("METHODS = {}", "brings nothing"),
        ("METHODS = []", "METHODS must be a dictionary of the plug-in's own"),
        ("from algorithms.methods import METHODS", "METHODS must be a dictionary of the plug-in"),
        ("METHODS = {'x': 1}", "methods.x: must be a Method"),
        (
            "from algorithms.method import Method\nMETHODS = {'x': Method(1, 2, 'y')}",
            "methods.x: its aggregation must be a function; give Method(aggregation",
        ),
        ("METHODS = {'X': 1}", "methods.X: a name is made of lower-case letters"),
        ("METHODS = {1: 1}", "methods.1: a name is made of lower-case letters"),
        ("LAWS = {'x': int}", "laws.x: must be a dataclass"),
        ("SPEEDS = {'x': 3}", "speeds.x: must be a dataclass"),
        ("OBJECTIVES = {'x': dict}", "objectives.x: must be a subclass of ObjectiveTable"),
        ("POLICIES = {'x': dict}", "policies.x: must be a subclass of PolicyTable"),
        (BARE, "objectives.bare: has no metrics"),
    ],
)  # fmt: skip
def test_invalid_plugins_are_refused_in_one_line(text, message, tmp_path):
    assert message in refused(plugin(tmp_path, text))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (("quorum: Annotated[int, Ge(1)]", "quorum"), "methods.quorum-nigt: quorum has no type"),
        (('shape: Annotated[float, Ge(0.1), Le(100)]', 'shape: "float"'),
         "laws.weibull: shape has a type in quotes"),
        (("def vary", "def varied"), "laws.weibull: has no vary"),
        (("def pace", "def paced"), "speeds.staggered-start: has no pace"),
        (("def build", "def built"), "objectives.logistic: has no build"),
        (('Literal["logistic"]', 'Literal["other"]'), "must say kind: Literal['logistic']"),
        (("def maker", "def makers"), "policies.linear: has no maker"),
        (('"weibull": Weibull', '"power": Weibull'), "laws.power: straggle itself has one of this"),
    ],
)  # fmt: skip
def test_incomplete_entries_are_named(spoil, message, tmp_path):
    text = plugin_of("docs/plugins.md").replace(*spoil)
    assert message in refused(plugin(tmp_path, text))


def test_a_missing_file(tmp_path):
    assert refused(tmp_path / "missing.py").endswith("missing.py: no such Python file")
    assert refused(plugin(tmp_path, "", "notes.txt")).endswith("notes.txt: no such Python file")


def test_a_missing_module():
    line = one_line(straggle("list", "--plugin", "no_such_module"))
    message = "plug-in no_such_module: cannot be imported: ModuleNotFoundError"
    assert line.startswith(message)


@pytest.mark.parametrize("name", ["json.py", "pytest.py", "simulator.py", "my-laws.py"])
def test_a_file_with_the_name_of_another_module(name, tmp_path):
    assert "rename the file" in refused(plugin(tmp_path, "LAWS = {}", name))


def test_two_plugins_of_one_name_are_refused(tmp_path, mine):
    plugin(tmp_path, mine.read_text(), "other.py")
    line = one_line(straggle("list", "--plugin", mine, "--plugin", tmp_path / "other.py"))
    message = "methods.quorum-nigt: the plug-in mine.py has one of this name; rename it"
    assert line == f"plug-in other.py: {message}"


def test_two_files_of_one_name_are_refused(tmp_path, mine):
    (tmp_path / "elsewhere").mkdir()
    other = plugin(tmp_path / "elsewhere", "LAWS = {}", "mine.py")
    line = one_line(straggle("list", "--plugin", mine, "--plugin", other))
    assert line.startswith(f"plug-in {other}: 'mine' is the name of another module")


def test_a_plugin_that_the_environment_names_is_refused_alike(tmp_path, monkeypatch):
    monkeypatch.setenv(plugins.VARIABLE, str(plugin(tmp_path, "x = 1")))
    assert "broken.py: brings nothing" in one_line(straggle("validate", "straggler"))


def test_a_refused_plugin_can_be_mended_and_loaded(tmp_path):
    file = plugin(tmp_path, "METHODS = {'lazy': 1}")
    with pytest.raises(Mistake, match="must be a Method"):
        simulator.load_plugin(file)
    simulator.load_plugin(plugin(tmp_path, STORY.format("pass")))
    assert METHODS["lazy"].summary == "a story that goes wrong"


# Errors in its code


def lazy_scenario(folder):
    one = 'method = "lazy"\nstep = 0.1'
    text = SCENARIO.replace("synchronous-nigt", "mine").replace("step = 0.1\nmomentum = 0.5", one)
    return written(folder / "lazy.toml", text)


def said_of(command, line, folder):
    """The one line of this command on a method whose story has this line."""
    file = plugin(folder, STORY.format(line), "lazy.py")
    words = [command, lazy_scenario(folder), "--plugin", file]
    if command == "run":
        words += ["--out", folder / "out", "--quiet", "--figures", "none", "--anyway"]
    return one_line(straggle(*words))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{}[7]", "LINE KeyError: 7"),
        ("open('/nowhere/at/all')", "LINE FileNotFoundError: "),
        ("raise SystemExit(0)", "LINE SystemExit: 0"),
        ("raise ValueError('first\\nsecond')", "LINE ValueError: first"),
        (
            "yield cluster.step([Ticket(0, 9, 0)], [1.0])",
            "LINE it closes a step with Ticket",
        ),
        (
            "yield cluster.step([Ticket(0, 0, 0)] * 2, [0.5, 0.5])",
            "LINE step 1: has a gradient twice",
        ),
        ("yield cluster.step([ticket], [])", "LINE step 1: 0 weights for 1 gradients"),
        (
            "yield cluster.step([ticket], ['a'])",
            "LINE step 1: a weight is 'a'; it must",
        ),
        (
            "yield cluster.step([ticket], [1.0], keep=[Ticket(1, 9, 0)])",
            "LINE step 1: keeps Ticket",
        ),
        (
            "yield cluster.step([ticket], [1.0], keep=[ticket], importance=2.0)",
            "LINE step 1: keeps or repeats gradients; leave importance or keep out",
        ),
        ("cluster.send(999)", "LINE an order to worker 999: there are "),
        ("cluster.send(0, quota=0)", "LINE quota = 0: must be 1 or more, or None"),
        ("cluster.send(0, limit=0)", "LINE limit = 0: must be more than 0 seconds"),
        ("cluster.broadcast(work=float('nan'))", "LINE work = nan: must be a positive number"),
        ("yield cluster.all_reduce([Ticket(9, 0, 0)])", "LINE it reduces Ticket(worker=9"),
        ("cluster.drop(Ticket(9, 0, 0))", "LINE it drops Ticket(worker=9"),
        ("yield 7", "mine (plug-in lazy.py): yielded 7, which is no request"),
        ("pass", "mine (plug-in lazy.py): its story ended"),
        ("cluster.arrival(); cluster.broadcast()", "LINE it called arrival without yield"),
        (
            "cluster.all_reduce([ticket]); yield cluster.step([ticket], [1.0])",
            "LINE it called all_reduce without yield; write: yield cluster.all_reduce(…)",
        ),
    ],
)
def test_a_story_that_goes_wrong_is_named_with_its_line(line, message, tmp_path):
    expected = message.replace("LINE", "plug-in lazy.py, line 11:")
    assert said_of("validate", line, tmp_path).startswith(expected)


def test_swapped_functions_are_named(tmp_path):
    text = STORY.format("pass").replace("Method(lazy, sgd", "Method(sgd, lazy")
    words = ["--plugin", plugin(tmp_path, text, "lazy.py")]
    line = one_line(straggle("validate", lazy_scenario(tmp_path), *words))
    found = "plug-in lazy.py: methods.lazy: its aggregation makes a Rule, not a story"
    assert line == f"{found}; give Method(aggregation, rule, summary) in this order"


@pytest.mark.parametrize("line", ["{}[7]", "cluster.send(999)", "yield 7"])
def test_a_run_gives_the_message_of_validate(line, tmp_path):
    assert said_of("run", line, tmp_path) == said_of("validate", line, tmp_path)


@pytest.mark.parametrize("word", ["yield cluster.step([], [])", "yield cluster.all_reduce([])"])
def test_a_story_that_never_waits_is_named(word, tmp_path):
    file = plugin(tmp_path, STORY.format(f"while True: {word}"), "lazy.py")
    words = ["--plugin", file, "--out", tmp_path / "out", "--quiet", "--figures", "none"]
    endless = ["--set", "stop={seconds=9}"]
    line = one_line(straggle("run", lazy_scenario(tmp_path), *endless, *words))
    assert line.startswith("plug-in lazy.py, line 11: it has made 1,0")


STRANGE = """

class Strange(Exception):  # cannot be pickled
    def __init__(self, one, two):
        super().__init__(one)
"""


def test_an_error_in_a_process_of_a_sweep_names_its_line(tmp_path, ours, monkeypatch):
    monkeypatch.setenv("STRAGGLE_CORES", "2")
    text = plugin_of("docs/plugins.md")
    before, after = text.split("        return self._data[")
    spoiled = f"{before}        raise Strange(1, 2)  # [{after}{STRANGE}"
    file = plugin(tmp_path, spoiled, "odd.py")
    sweep = written(tmp_path / "sweep.toml", SWEEP)
    answer = straggle("sweep", sweep, "--plugin", file, "--out", tmp_path / "out", "--quiet")
    line = before.count("\n") + 1
    assert one_line(answer) == f"plug-in odd.py, line {line}: Strange: 1 (--debug shows all)"


GIVES = "cluster.compute: the law odd.Weibull gives {}; give 4 floats, one for each worker"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("scale = base", "scale = bass", "LINE NameError: name 'bass' is not defined"),
        ("return inner.seconds(", "return np.ones(2) + np.ones(3)  #", "LINE ValueError: operands"),
        ("Started(self.every", "Started(self.ever", "LINE AttributeError: 'StaggeredStart' obj"),
        ("return inner.seconds(", "return np.ones(7) #", GIVES.format("float64 of shape (7,)")),
        ("return inner.seconds(", "return None #", GIVES.format("object of shape ()")),
        ("return scale * ", "return [1] * 4 #", GIVES.format("int64 of shape (4,)")),
        *(
            (f"def {answer}(", f"def no_{answer}(",
             f"cluster.speed: odd.Started has no {answer}; a pace needs one")
            for answer in ("work", "finish", "finish_all")
        ),
    ],
)  # fmt: skip
def test_an_error_in_a_law_is_named_with_its_line(before, after, message, tmp_path, ours):
    text = plugin_of("docs/plugins.md").replace(before, after)
    line = text[: text.index(after)].count("\n") + 1
    answer = straggle("validate", ours, "--plugin", plugin(tmp_path, text, "odd.py"))
    assert one_line(answer).startswith(message.replace("LINE", f"plug-in odd.py, line {line}:"))


def test_a_wrong_number_is_a_mistake_of_the_scenario(mine, ours):
    wrong = "cluster.compute.mean.slowest=0.5"
    line = one_line(straggle("validate", ours, "--plugin", mine, "--set", wrong))
    assert line == "cluster.compute.mean.slowest = 0.5: must be at least 1"


# Which runs share a schedule

LAW = """
from dataclasses import dataclass
import numpy as np
from simulator.cluster.random_words import uniforms

@dataclass(frozen=True)
class Law:
    "a law"
    varies = False
    {draws}

    def base(self, workers, bits):
        return 1 + uniforms(bits) if {used} else np.arange(1.0, workers + 1)

    def vary(self, base, bits):
        return base

LAWS = {{"steady": Law}}
"""


@pytest.mark.parametrize(
    ("draws", "used", "shared"),
    [("draws = True", True, False), ("draws = False", False, True), ("", False, False)],
)
def test_seeds_share_a_schedule_if_a_law_draws_nothing(draws, used, shared, tmp_path):
    simulator.load_plugin(plugin(tmp_path, LAW.format(draws=draws, used=used), "steady.py"))
    file = written(tmp_path / "steady.toml", SCENARIO.replace("[1, 2, 4]", '{ law = "steady" }'))
    loaded = loading.load(str(file))
    first, second = (schedule_key(loaded.restrict(None, [seed])) for seed in (0, 1))
    assert (first == second) == shared
    done = simulator.run(file, "seeds=[0,1]", out=tmp_path / "out", quiet=True)
    times = [done.steps[done.steps["seed"] == seed]["time"].tolist() for seed in (0, 1)]
    assert (times[0] == times[1]) == (not used)


# Every command

SWEEP = """
scenario = "ours.toml"
[grid]
"methods.*.step" = [0.1, 0.2]
"""
SUITE = """
title = "ours"
[benchmarks.schedule]
kind = "exact"
why = "schedules are what they were"
scenario = "ours.toml"
methods = ["quorum-nigt"]
[benchmarks.curve]
kind = "tolerance"
why = "curves are what they were"
scenario = "ours.toml"
methods = ["mine"]
relative = 1e-6
[benchmarks.sooner]
kind = "claim"
why = "theory knows when three of four are there"
scenario = "ours.toml"
set = { "cluster.compute" = [1, 2, 3, 8], "cluster.speed" = { law = "staggered-start", every = 0 } }
of = "mine"
over = "quorum-nigt"
measure = "time-to-steps"
count = 5
"""


@pytest.fixture
def done(mine, ours, tmp_path):
    words = ["--out", tmp_path / "out", "--quiet", "--figures", "none"]
    answer = straggle("run", ours, "--plugin", mine, *words)
    assert answer.code == 0, answer.err
    return tmp_path / "out"


def manifest_of(directory):
    return json.loads((directory / "manifest.json").read_text())


def test_it_is_listed_and_in_the_schema(mine):
    listed = straggle("list", "--plugin", mine).out
    schema = straggle("schema", "--plugin", mine).out
    for name in (key.split(".")[1] for key in BROUGHT):
        assert re.search(rf"^  {name} +\w", listed, re.M), name
        assert f'"{name}"' in schema
    policies = listed.partition("\npolicies\n")[2].partition("\nenvironments\n")[0]
    assert [line.split()[0] for line in policies.splitlines()] == ["perceptron", "linear"]
    assert '"LinearTable"' in schema


def test_the_environment_names_it_for_every_command(mine, ours, monkeypatch):
    monkeypatch.setenv(plugins.VARIABLE, str(mine))
    assert "quorum-sign" in straggle("list").out
    assert straggle("validate", ours).code == 0


def test_a_scenario_alone_loads_no_plugin(mine, ours):
    answer = straggle("validate", ours)
    assert answer.code == 2
    assert "no method 'quorum-nigt'; " in answer.err
    assert "mine" not in sys.modules


def test_errors_name_the_nearest_known(mine, ours):
    words = ["validate", ours, "--plugin", mine, "--set"]
    line = one_line(straggle(*words, "methods.mine.method=quorum-sing"))
    assert line.endswith("no method 'quorum-sing'; did you mean 'quorum-sign'?")
    assert "did you mean 'quorum'?" in one_line(straggle(*words, "methods.mine.quorun=2"))


def test_a_run_of_shipped_parts_names_no_plugin(mine, tmp_path):
    file = written(tmp_path / "plain.toml", SCENARIO)
    out = tmp_path / "plain"
    straggle("run", file, "--plugin", mine, "--out", out, "--quiet", "--figures", "none")
    assert manifest_of(out)["plugins"] == {}
    with no_plugins():
        assert straggle("verify", out).code == 0


def test_a_finished_run_is_named_verified_played_and_drawn(done, mine):
    named = manifest_of(done)["plugins"]
    assert sorted(named) == BROUGHT
    ((file, version),) = {tuple(each) for each in named.values()}
    assert file == "mine.py"
    assert re.fullmatch(r"sha256 [0-9a-f]{16}", version)
    verified = straggle("verify", done, "--plugin", mine)
    assert (verified.code, verified.err) == (0, "")
    assert "quorum-nigt, seed 0" in verified.out
    assert "loss" in straggle("evaluate", done, "--plugin", mine).out
    assert straggle("timeline", done, "--plugin", mine).code == 0
    words = ["--method", "mine", "--seed", 0, "--plugin", mine]
    assert straggle("replay", done, "0.0.0", *words).code == 0


def test_a_run_that_was_cut_short_is_finished(done, mine):
    whole = (done / "steps.parquet").read_bytes()
    manifest = manifest_of(done)
    words = ["--plugin", mine, "--quiet", "--figures", "none"]
    assert straggle("run", "--resume", done, *words).code == 0
    assert (done / "steps.parquet").read_bytes() == whole
    assert manifest_of(done)["plugins"] == manifest["plugins"]


COMMANDS = [["run", "--resume"], ["verify"], ["evaluate"], ["timeline"], ["replay"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_run_asks_for_its_plugins(command, done, mine):
    rest = ["0.0.0", "--method", "mine", "--seed", 0] if command == ["replay"] else []
    with no_plugins():
        line = one_line(straggle(*command, done, *rest))
        assert "comes from the plug-in mine.py (sha256 " in line
        assert "which is not loaded; --plugin FILE_OR_MODULE names it" in line
    mine.write_text(mine.read_text() + "# altered\n")
    with no_plugins():
        line = one_line(straggle(*command, done, *rest, "--plugin", mine))
        assert re.search(r"mine.py \(sha256 .*\), but mine.py \(sha256 .*\) is loaded", line)


def test_policies_are_played(mine, ours, tmp_path):
    words = ["--set", CARTPOLE, "--set", "stop={steps=2}", "--seeds", 0, "--methods", "mine"]
    words += ["--out", tmp_path / "out", "--quiet", "--figures", "none", "--plugin", mine]
    answer = straggle("run", ours, *words)
    assert answer.code == 0, answer.err
    assert "policies.linear" in manifest_of(tmp_path / "out")["plugins"]
    assert "return" in straggle("evaluate", tmp_path / "out", "--episodes", 2, "--plugin", mine).out


def test_the_processes_of_a_sweep_load_it(mine, ours, tmp_path, monkeypatch):
    monkeypatch.setenv("STRAGGLE_CORES", "2")
    sweep = written(tmp_path / "sweep.toml", SWEEP)
    words = ["--plugin", mine, "--quiet", "--figures", "none", "--seeds", 0]
    answer = straggle("sweep", sweep, "--out", tmp_path / "out", *words)
    assert answer.code == 0, answer.err
    assert len(list((tmp_path / "out" / "runs").iterdir())) == 4


def test_a_study_repeats_the_runs_of_another_version(mine, ours, tmp_path):
    words = ["complexity", ours, "--vary", "cluster.workers=3,4", "--out", tmp_path / "out"]
    words += ["--quiet", "--figures", "none", "--methods", "mine", "--seeds", 0, "--plugin", mine]
    for runs in (2, 4):
        with no_plugins():
            assert straggle(*words).code == 0
        assert len(list((tmp_path / "out" / "runs").iterdir())) == runs
        mine.write_text(mine.read_text() + "# altered\n")


def test_a_sweep_does_not_mix_versions(mine, ours, tmp_path):
    sweep = written(tmp_path / "sweep.toml", SWEEP)
    words = ["sweep", sweep, "--out", tmp_path / "out", "--quiet", "--figures", "none"]
    words += ["--methods", "mine", "--seeds", 0, "--plugin", mine]
    assert straggle(*words).code == 0
    mine.write_text(mine.read_text() + "# altered\n")
    with no_plugins():
        assert "holds another sweep" in one_line(straggle(*words))


def test_a_suite_says_which_plugin_has_changed(mine, ours, tmp_path):
    suite = written(tmp_path / "suite.toml", SUITE)
    words = ["check", suite, "--plugin", mine]
    assert straggle(*words, "--update", "--quiet").code == 0
    baseline = json.loads((tmp_path / "baselines/suite/schedule.json").read_text())
    assert baseline["versions"]["plug-in mine.py"].startswith("sha256 ")
    assert baseline["command"] == f"straggle check {suite} --update --only schedule --plugin {mine}"
    mine.write_text(mine.read_text() + "# altered\n")
    with no_plugins():
        answer = straggle(*words)
    assert answer.code == 0
    assert re.search(r"plug-in mine.py sha256 \w+ here, sha256 \w+ in the baseline", answer.out)


# From Python


def test_registered_entries_run_in_this_process(tmp_path, ours):
    namespace = {"__name__": "__main__"}
    exec(compile(plugin_of("docs/plugins.md"), "<notebook>", "exec"), namespace)
    brought = {kind: namespace.get(kind.upper(), {}) for kind in plugins.REGISTRIES}
    simulator.register(**brought)
    found = simulator.run(ours, out=tmp_path / "out", quiet=True, seeds=0)
    assert {plugin for plugin, _ in found.manifest["plugins"].values()} == {"this program"}
    assert not plugins.is_portable(loading.tables_of(str(ours))[0])
    swept = simulator.sweep(
        written(tmp_path / "sweep.toml", SWEEP), out=tmp_path / "swept", jobs=2, quiet=True
    )
    assert len(swept.frame) == 8
    grown = simulator.complexity(
        ours, "cluster.workers=3,4", out=tmp_path / "grown", jobs=2, quiet=True
    )
    assert len(grown.frame) == 8
    suite = written(tmp_path / "suite.toml", SUITE)
    assert gate.conduct(suite, update=True, jobs=2).good


def test_a_second_call_replaces_the_entries_of_the_first(tmp_path):
    file = lazy_scenario(tmp_path)
    text = 'scenario = "lazy.toml"\n[grid]\n"methods.mine.step" = [0.1, 0.2]\n'
    sweep = written(tmp_path / "sweep.toml", text)
    for story, gradients in ((greedy, 6), (synchronous, 18)):
        simulator.register(methods={"lazy": Method(story, sgd, story.__name__)})
        assert METHODS["lazy"].summary == story.__name__
        out = tmp_path / story.__name__
        found = simulator.run(file, seeds=0, out=out / "run", quiet=True)
        swept = simulator.sweep(sweep, seeds=0, out=out / "sweep", jobs=1, quiet=True)
        assert found.runs["used"].tolist() == [gradients]
        assert swept.frame["gradients"].tolist() == [gradients] * 2


def test_shipped_names_stay():
    with pytest.raises(Mistake, match="straggle itself has one of this name"):
        simulator.register(methods={"afedpg": Method(rennala, sgd, "another")})


def test_no_entry_joins_if_one_is_wrong():
    good, bad = Method(rennala, sgd, "good"), "bad"
    with pytest.raises(Mistake, match=r"methods\.bad: must be a Method"):
        simulator.register(methods={"good": good, "bad": bad})
    assert "good" not in METHODS


# The pages, to the letter

COMMANDS_IN_ONE_PROCESS = """
import json, shlex, sys
from simulator.cli.command_line import run_command
for line in json.loads(sys.argv[1]):
    code = run_command(shlex.split(line))
    print(f"{line.split()[0]}: exit code {code}", flush=True)
"""


def commands(python, folder, *lines, **variables):
    """What these commands print, one after the other in one new process, and their exit codes."""
    ours = {name: text for name, text in os.environ.items() if name != plugins.VARIABLE}
    ran = subprocess.run(
        [python, "-c", COMMANDS_IN_ONE_PROCESS, json.dumps(lines)],
        cwd=folder,
        env={**ours, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    codes = re.findall(r"^(\w+): exit code (\d+)$", ran.stdout, re.M)
    return [int(code) for _, code in codes], ran.stdout + ran.stderr


def environment(folder):
    """The Python of an environment of its own, in which straggle is, and what it depends on."""
    base = {"base": str(folder)}
    venv.create(folder)
    site = Path(sysconfig.get_path("purelib", "venv", base))
    (site / "straggle.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    return Path(sysconfig.get_path("scripts", "venv", base)) / "python"


def pip(python, *words):
    """Offline, with the backend that is here."""
    run = subprocess.run([python, "-m", "pip", *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def package_of_the_page(folder):
    folder.mkdir()
    lay_out_plugin(folder)
    (project,) = (b.text for b in blocks_of("docs/plugins.md", "toml") if "[project]" in b.text)
    written(folder / "pyproject.toml", project)
    return folder


def test_the_package_of_the_page_is_built_installed_used_and_removed(tmp_path):
    python = environment(tmp_path / "environment")
    package = package_of_the_page(tmp_path / "package")
    pip(python, "install", "--no-index", "--no-deps", "--no-build-isolation", package)
    written(tmp_path / "ours.toml", OURS)
    written(tmp_path / "sweep.toml", SWEEP)
    codes, said = commands(
        python,
        tmp_path,
        "list",
        "run ours.toml --out out --seeds 0 --figures none --quiet",
        "verify out",
        "sweep sweep.toml --out swept --seeds 0 --figures none --quiet",
    )
    assert codes == [0] * 4, said
    named = manifest_of(tmp_path / "out")["plugins"]
    assert sorted(named) == BROUGHT
    ((plugin, version),) = {tuple(each) for each in named.values()}
    assert plugin == "straggle-mine"
    assert re.fullmatch(r"1\.0, sha256 [0-9a-f]{16}", version)
    pip(python, "uninstall", "--yes", "straggle-mine")
    codes, said = commands(python, tmp_path, "list", "validate ours.toml", "verify out")
    assert codes == [0, 2, 2]
    assert "quorum-sign  " not in said
    assert "no method 'quorum-nigt'; " in said
    assert "comes from the plug-in straggle-mine (1.0, sha256 " in said


def test_a_method_is_shipped_in_the_two_steps_of_the_page(tmp_path):
    for package in ("algorithms", "simulator", "scenarios"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pyc*"))
    method = next(
        b.text for b in blocks_of("docs/plugins/methods.md", "python") if "METHODS = {" in b.text
    )
    written(tmp_path / "algorithms/methods/quorum.py", method)
    imported, line = (block.text for block in blocks_of("CONTRIBUTING.md", "text")[:2])
    registry = tmp_path / "algorithms/methods/__init__.py"
    text = registry.read_text().replace("\nMETHODS: dict", f"{imported}\nMETHODS: dict")
    registry.write_text(text.replace("    **RESCALED,\n", f"    **RESCALED,\n{line}"))
    (command,) = (b.text for b in blocks_of("CONTRIBUTING.md", "sh") if "quorum-nigt" in b.text)
    command = command.replace("\\\n", " ").strip().removeprefix("straggle ")
    short = f"{command} --seeds 0 --set stop.steps=3 --out out --figures none --quiet"
    path = {"PYTHONPATH": str(tmp_path)}
    codes, said = commands(sys.executable, tmp_path, "list", short, "verify out", **path)
    assert codes == [0, 0, 0], said
    assert re.search(r"^  quorum-nigt +one gradient from each", said, re.M)
