"""Can a project's own tests hold its benchmarks, and do they say what has moved?"""

import os
import subprocess
import sys
import tomllib

import pytest
from test_cli import written
from test_gate import SUITE
from test_imports import HEAVY, loaded_by
from test_packaging import ROOT
from test_suite_file import SCENARIO

from simulator import gate

TEST = """
def test_no_regression(straggle_benchmarks):
    straggle_benchmarks.check("bench/suite.toml", only=["schedule", "rounds"], jobs=1)
"""


@pytest.fixture
def project(tmp_path):
    """Another project, with a suite, its baselines and a test."""
    bench = tmp_path / "bench"
    bench.mkdir()
    written(bench / "small.toml", SCENARIO)
    written(bench / "suite.toml", SUITE)
    written(tmp_path / "test_bench.py", TEST)
    gate.conduct(bench / "suite.toml", only=["schedule", "rounds"], update=True, jobs=1)
    return tmp_path


def outcome_of(project):
    """The outcome of pytest there, with the plugin as if straggle were installed."""
    asked = [sys.executable, "-m", "pytest", "-p", "simulator.pytest_plugin", "--rootdir", "."]
    # Were it installed from here, too, pytest would refuse to have it twice.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(asked, cwd=project, env=environment, capture_output=True, text=True)


def test_a_test_holds_a_suite_and_fails_with_the_differences(project):
    assert outcome_of(project).returncode == 0
    file = project / "bench" / "baselines" / "suite" / "schedule.json"
    written(file, file.read_text().replace('"seconds": 4.0', '"seconds": 3.5'))
    failed = outcome_of(project)
    assert failed.returncode == 1
    assert "Small: 1 of 2 benchmarks hold" in failed.stdout
    assert "rennala-nigt, seed 0: step 2 closed at 4 s, baseline 3.5 s (+0.5 s)" in failed.stdout
    assert "why it matters: schedules are what they were" in failed.stdout
    assert "Traceback" not in failed.stdout


def test_a_mistake_in_the_suite_fails_in_its_own_words(project):
    suite = project / "bench" / "suite.toml"
    written(suite, suite.read_text().replace('kind = "exact"', 'kind = "exakt"'))
    failed = outcome_of(project)
    assert failed.returncode == 1
    assert "benchmarks.schedule.kind = 'exakt': did you mean 'exact'?" in failed.stdout


def test_pytest_finds_the_plugin_and_loads_nothing_heavy_with_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"straggle": "simulator.pytest_plugin"}
    modules, _ = loaded_by("import simulator.pytest_plugin")
    assert not {*HEAVY, "numpy", "pydantic"} & modules
