"""Do CI's workflow and the action use existing commands, and can no input run as one?

GitHub is not here; but every target and option they name is looked up, and the scripts of the
action are run, with a uv that only notes what it is asked for and hands the rest to this straggle.
So is all that docs/guard.md shows.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from itertools import chain

import pytest
import yaml
from test_cli import straggle, written
from test_docs import blocks_of, check_straggle, keys_in, lay_out_plugin, make_targets
from test_packaging import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
TRIGGERS = WORKFLOW[True]
"""``on`` is a truth in YAML 1.1, which PyYAML reads."""
JOBS = WORKFLOW["jobs"]
STEPS = {
    **{name: job["steps"] for name, job in JOBS.items()},
    "the action": ACTION["runs"]["steps"],
}
GUARD = "docs/guard.md"
GIVEN = {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY"}
"""What GitHub puts into the environment of every step."""


def every_step():
    return chain.from_iterable(STEPS.values())


def scripts():
    return [step["run"] for step in every_step() if "run" in step]


# What they name exists


def made(job):
    """The targets that a job makes, with what it hands to them."""
    words = [word for step in job["steps"] for word in shlex.split(step.get("run", ""))]
    rows = job.get("strategy", {}).get("matrix", {}).get("include", [])
    for word in words[1:] if words[:1] == ["make"] else []:
        yield from [row["target"] for row in rows] if word == "$TARGET" else [word]


def test_every_job_makes_targets_that_there_are():
    for name, job in JOBS.items():
        targets = [word for word in made(job) if "=" not in word]
        assert targets or name == "action", f"{name} makes nothing"
        assert {*targets} <= {*make_targets()}, name


def test_the_workflow_does_all_that_ci_does():
    ours = re.search(r"for target in (.*); do", (ROOT / ".ci" / "run").read_text("utf-8"))
    theirs = {target for job in JOBS.values() for target in made(job)}
    assert {*ours[1].split()} <= theirs
    pythons = [row["python"] for row in JOBS["test"]["strategy"]["matrix"]["include"]]
    assert pythons == ["3.11", "3.13", "3.11"]


def test_the_gates_options_are_straggles():
    [given] = [word for word in made(JOBS["gate"]) if word.startswith("CHECK=")]
    [recipe] = re.findall(
        r"straggle (check .*) \$\(CHECK\)", (ROOT / "Makefile").read_text("utf-8")
    )
    words = shlex.split(given.removeprefix("CHECK="))
    assert "$GITHUB_STEP_SUMMARY" in words
    check_straggle([*recipe.split(), *words])
    uploads = [step for step in JOBS["gate"]["steps"] if "upload-artifact" in step.get("uses", "")]
    assert uploads[0]["with"]["path"] == words[words.index("--junit") + 1]


def test_the_settings_of_nightly_jobs_have_effect():
    settings = JOBS["nightly"]["steps"][-1]["env"]
    assert settings["STRAGGLE_KILLS"] == "50"
    assert "STRAGGLE_KILLS" in (ROOT / "tests" / "test_resume.py").read_text("utf-8")
    assert int(settings["STRAGGLE_EXAMPLES"]) > 1
    assert "STRAGGLE_EXAMPLES" in (ROOT / "tests" / "cases.py").read_text("utf-8")
    assert TRIGGERS["schedule"]


# Nothing more is allowed than is needed


def test_foreign_actions_have_a_major_version():
    others = [step["uses"] for step in every_step() if step.get("uses", "./") != "./"]
    assert all(re.fullmatch(r"(actions|astral-sh)/[\w-]+@v\d+", each) for each in others)


def test_no_job_may_write():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [name for name, job in JOBS.items() if "permissions" in job]
    assert "pull_request_target" not in TRIGGERS


def test_no_expression_stands_in_a_script():
    assert len(scripts()) > 6
    assert not [script for script in scripts() if "${{" in script]


def test_scripts_parse_and_use_only_given_variables():
    for step in (step for step in every_step() if "run" in step):
        parsed = subprocess.run(["bash", "-n"], input=step["run"], text=True, capture_output=True)
        assert parsed.returncode == 0, parsed.stderr
        used = {*re.findall(r"\$\{?([A-Z][A-Z_]*)", step["run"])}
        known = {*step.get("env", {}), *GIVEN, *JOBS["test"]["env"]}
        assert used <= known, step["run"]


# The action's inputs and outputs


def test_every_input_is_used_and_no_other():
    used = {*re.findall(r"\binputs\.([\w-]+)", yaml.safe_dump(ACTION["runs"]))}
    assert used == ACTION["inputs"].keys()
    assert [name for name, each in ACTION["inputs"].items() if each.get("required")] == ["suite"]


def test_given_inputs_are_declared():
    uses = [step["with"] for step in every_step() if step.get("uses") == "./"]
    uses += [step["with"] for step in guarded()["jobs"]["guard"]["steps"] if "with" in step]
    assert len(uses) == 2
    for given in uses:
        assert {"suite"} <= given.keys() <= ACTION["inputs"].keys()


def test_outputs_come_from_an_existing_step():
    [check] = [step for step in STEPS["the action"] if step.get("id") == "check"]
    for name, output in ACTION["outputs"].items():
        assert output["value"] == f"${{{{ steps.check.outputs.{name} }}}}"
        assert f'echo "{name}=' in check["run"]


# The action's scripts, run

UV = f"""#!/bin/bash
printf '%s\\n' "$@" >> "$ASKED"
if [[ $1 == run ]]; then
    while [[ $1 != straggle ]]; do shift; done
    shift
    exec {shlex.quote(sys.executable)} -m simulator "$@"
fi
"""


@pytest.fixture
def project(tmp_path):
    """Another project with the suite of the page, and its baseline."""
    (tmp_path / "project" / "bench").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    written(tmp_path / "bin" / "uv", UV).chmod(0o755)
    first, _ = blocks_of(GUARD, "toml")
    suite = written(tmp_path / "project" / "bench" / "suite.toml", first.text)
    assert straggle("check", suite, "--update", "--quiet", "--jobs", 1).code == 0
    return tmp_path / "project"


def play(project, name, **values):
    """Run a step of the action as GitHub does, its variables replaced by these values."""
    [step] = [step for step in STEPS["the action"] if step.get("name") == name]
    place = project.parent
    variables = dict.fromkeys(step["env"], "") | {"STRAGGLE": str(ROOT), "OUT": str(place)}
    files = {file: str(place / file) for file in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "ASKED")}
    path = os.pathsep.join([str(place / "bin"), os.environ["PATH"]])
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    script = written(place / "script.sh", step["run"])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=project,
        env={**os.environ, **variables, **files, **values, "PATH": path, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )


def outputs(project):
    lines = (project.parent / "GITHUB_OUTPUT").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_suite_that_holds_passes_with_a_summary(project):
    lay_out_plugin(project)
    inputs = {"SUITE": "bench/suite.toml", "ONLY": "rounds", "PLUGINS": "mine.py, json"}
    refused = play(project, "Check", **inputs)
    assert "plug-in json: brings nothing" in refused.stderr
    done = play(project, "Check", **inputs | {"PLUGINS": "mine.py", "SUMMARY": "true"})
    assert done.returncode == 0, done.stderr
    assert outputs(project)["code"] == "0"
    assert "1 of 1 benchmarks hold" in (project.parent / "GITHUB_STEP_SUMMARY").read_text()
    with open(outputs(project)["junit"], encoding="utf-8") as junit:
        assert 'failures="0"' in junit.read()


def test_a_suite_that_moved_fails_with_a_summary(project):
    baseline = project / "bench" / "baselines" / "suite" / "rounds.json"
    moved = re.sub(
        r'"step": 1, "seconds": [\d.]+', '"step": 1, "seconds": 0.5', baseline.read_text()
    )
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    written(elsewhere / "rounds.json", moved)
    done = play(project, "Check", SUITE="bench/suite.toml", BASELINE="elsewhere", SUMMARY="false")
    assert done.returncode == 1
    assert outputs(project)["code"] == "1"
    assert not (project.parent / "GITHUB_STEP_SUMMARY").exists()
    with open(outputs(project)["markdown"], encoding="utf-8") as table:
        assert "waits for the two old nodes" in table.read()


@pytest.mark.parametrize("suite", ["$(touch pwned)", "`touch pwned`; touch pwned", "--update"])
def test_a_name_is_a_name_and_never_a_command(project, suite):
    done = play(project, "Check", SUITE=suite, ONLY="", SUMMARY="true")
    assert done.returncode == 2
    assert outputs(project)["code"] == "2"
    assert done.stderr.count("\n") == 1
    assert not list(project.glob("**/pwned"))


@pytest.mark.parametrize(
    ("extras", "asked"),
    [
        ("", []),
        ("mujoco", ["--extra=mujoco"]),
        ("mujoco, video", ["--extra=mujoco", "--extra=video"]),
    ],
)
def test_straggle_is_installed_as_it_is_locked(project, extras, asked):
    done = play(project, "Install straggle", EXTRAS=extras, PYTHON="3.13")
    assert done.returncode == 0, done.stderr
    words = (project.parent / "ASKED").read_text().splitlines()
    place = ["--project", str(ROOT), "--frozen", "--no-dev", "--python", "3.13"]
    assert words == ["sync", *place, *asked]


# The page


def guarded():
    """The workflow that the page shows."""
    return yaml.safe_load(blocks_of(GUARD, "yaml")[0].text)


def test_it_is_ten_lines_and_ten_lines():
    suite, workflow = blocks_of(GUARD, "toml")[0], blocks_of(GUARD, "yaml")[0]
    assert len(suite.text.splitlines()) <= 10
    assert len(workflow.text.splitlines()) <= 10
    assert guarded()["permissions"] == {"contents": "read"}
    [action] = [step["uses"] for step in guarded()["jobs"]["guard"]["steps"] if "with" in step]
    assert action == "OWNER/straggle@main"


def test_the_page_names_every_input_and_output():
    named = keys_in(GUARD).keys()
    assert ACTION["inputs"].keys() | ACTION["outputs"].keys() <= named


def test_other_ci_servers_run_the_same_command(project):
    [_, elsewhere] = blocks_of(GUARD, "yaml")
    commands = yaml.safe_load(elsewhere.text)["guard"]["script"]
    check_straggle(shlex.split(commands[-1])[1:])


def test_the_page_s_claim_holds(project):
    _, second = blocks_of(GUARD, "toml")
    suite = written(project / "bench" / "more.toml", second.text)
    answer = straggle("check", suite, "--json", "--jobs", 1)
    assert answer.code == 0
    [finding] = json.loads(answer.out)["benchmarks"]
    assert finding["kind"] == "claim"


def test_the_page_s_test_holds_the_suite(project):
    [test] = blocks_of(GUARD, "python")
    written(project / "test_cluster.py", test.text)
    asked = [sys.executable, "-m", "pytest", "-p", "simulator.pytest_plugin", "--rootdir", "."]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(asked, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
