"""Does ``straggle show`` list what is there, whole or broken, and load nothing?"""

import json

import pytest
from test_cli import straggle, written

from simulator import Mistake, compare, complexity, run, show, sweep
from simulator.commands import shelf


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run, a sweep, a study, a comparison, and a run that was spoilt."""
    folder = tmp_path_factory.mktemp("results")
    once = {"methods": "afedpg", "quiet": True}
    words = ["--set", "cluster.workers=3", "--seeds", "0-2,5", "--quiet"]
    words += ["--methods", "afedpg", "--figures", "none", "--out", folder / "deep" / "run"]
    scenario = written(folder.parent / "mine.toml", TOML)
    assert straggle("run", scenario, *words).code == 0
    tables = {"scenario": str(scenario), "grid": {"methods.afedpg.step": [0.1, 0.2]}}
    sweep(tables, out=folder / "sweep", jobs=1, **once)
    complexity(scenario, "cluster.workers=2,4", out=folder / "complexity-mine", jobs=1, **once)
    compare(scenario, out=folder / "compared", jobs=1, quiet=True)
    run(scenario, out=folder / "spoilt", **once)
    (folder / "spoilt" / "manifest.json").write_text("{")
    (folder / "empty").mkdir()
    return folder


TOML = """
seeds = [0, 1]
cluster = { workers = 2, compute = 1 }
objective = { kind = "quadratic", dimension = 5 }
stop = { steps = 4, target = 1e9 }
methods.afedpg = { step = 0.1, momentum = 0.1 }
methods.synchronous-pg = { step = 0.1 }
"""


def test_each_directory_has_a_line(results):
    found = {
        entry.path.relative_to(results).as_posix(): entry for entry in shelf.entries([results])
    }
    kinds = {name: entry.kind for name, entry in found.items()}
    assert kinds == {
        "deep/run": "run",
        "sweep": "sweep",
        "complexity-mine": "study",
        "compared": "comparison",
        "spoilt": "run",
    }
    ran = found["deep/run"]
    assert (ran.methods, ran.seeds, ran.changed) == (
        ["afedpg"],
        [0, 1, 2, 5],
        ["cluster.workers=3"],
    )
    assert ran.scenario.endswith("mine.toml")
    assert ran.outcome.startswith("afedpg first, ")
    assert found["spoilt"].outcome == "cannot be read"
    assert found["sweep"].outcome == "4 runs"
    assert found["complexity-mine"].outcome == "4 runs"
    assert found["compared"].outcome == "complete"
    assert all(entry.bytes > 500 and 0 <= entry.seconds < 600 for entry in found.values())


def test_the_command_prints_a_table_and_one_run_in_full(results):
    listed = straggle("show", results)
    assert listed.code == 0
    assert "0-2,5" in listed.out
    assert len(json.loads(straggle("show", results, "--json").out)) == 5
    full = straggle("show", results / "deep" / "run").out
    assert "[methods.afedpg]" in full
    assert "command:  straggle run" in full
    assert straggle("show", results / "empty").out == "no results; straggle run makes some\n"


def test_in_python_the_list_is_a_frame(results):
    frame = show(results)
    assert sorted(frame["kind"]) == ["comparison", "run", "run", "study", "sweep"]
    assert frame["seconds"].is_monotonic_increasing


def test_a_place_that_is_no_directory_is_refused(tmp_path):
    with pytest.raises(Mistake, match="is no directory; name one with results"):
        shelf.entries([tmp_path / "none"])
