"""Do the examples that the documents show do what they show?"""

import os
import subprocess
import sys
import tomllib

from test_docs import blocks_of, lay_out_modules

import simulator

MARGIN = 50.0
"""By how much every run has to improve; all of ten seeds do by 80."""


def scenario_in(document, title):
    """The text of the scenario with this title."""
    texts = [block.text for block in blocks_of(document, "toml")]
    [text] = [text for text in texts if tomllib.loads(text).get("title") == title]
    return text


def test_policies_of_the_guide_learn(tmp_path):
    file = tmp_path / "slow-network.toml"
    file.write_text(scenario_in("docs/compare.md", "Six workers behind a slow network"))
    results = simulator.run(file, out=tmp_path / "results", quiet=True)
    found = results.steps.dropna(subset="return").groupby(["method", "seed"])["return"]
    assert len(found) == len(results.runs) == 4
    assert (found.last() - found.first()).min() > MARGIN


def lay_out_the_walk(folder):
    """The files of the example, beside each other."""
    page = "docs/environment.md"
    assert [*lay_out_modules(page, folder)]
    (folder / "line-walk.toml").write_text(scenario_in(page, "A walk on a line"))


def in_a_shell(folder, *words):
    """The installed command, which does not look for modules where it is called."""
    command = [sys.executable, "-P", "-m", "simulator", *words]
    environment = {**os.environ, "PYTHONPATH": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_an_environment_of_ones_own_is_played_and_learnt(tmp_path):
    lay_out_the_walk(tmp_path)
    words = "run", "line-walk.toml", "--quiet", "--figures", "none", "--out", "walk"
    done = in_a_shell(tmp_path, *words, "--plugin", "my_env.py")
    assert (done.returncode, done.stderr) == (0, "")
    returns = simulator.load_results(tmp_path / "walk").steps["return"].dropna()
    assert returns.iloc[-1] > returns.iloc[0] + 8.0  # going right alone pays 21


def test_a_missing_plug_in_is_reported_with_the_remedy(tmp_path):
    lay_out_the_walk(tmp_path)
    done = in_a_shell(tmp_path, "validate", "line-walk.toml")
    assert done.returncode == 2
    assert "'LineWalk-v0': gymnasium has no environment of this name; --plugin" in done.stderr
