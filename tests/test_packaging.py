"""Does what we ship work where this repository is not?

The wheel is built, installed into an environment of its own, and used from an empty folder.  The
packages that it depends on are the ones of this environment, so that nothing is downloaded.
"""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("algorithms", "simulator")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [path] = folder.iterdir()
    return path


class Installed:
    """An environment that holds the wheel, and an empty folder to use it from."""

    def __init__(self, folder, wheel):
        base = {"base": str(folder / "environment")}
        self.site = Path(sysconfig.get_path("purelib", "venv", base))
        self.programs = Path(sysconfig.get_path("scripts", "venv", base))
        self.away = folder / "away"
        self.away.mkdir()
        venv.create(base["base"])
        # Only a path: pointers to this repository that lie there have no effect.
        (self.site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.run(
            "python", "-m", "pip", "install", "--no-index", "--no-deps", "--ignore-installed", wheel
        )

    def run(self, program, *arguments):
        """What a program of the environment prints, in the empty folder."""
        ours = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.away,
            env={**ours, "PYTHONSAFEPATH": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("elsewhere"), wheel)


def test_the_wheel_holds_every_module_scenario_and_the_licence(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".pyi", ".typed", ".json", ".js", ".css")
    }
    scenarios = {
        f"simulator/shipped/{path.relative_to(ROOT / 'scenarios').as_posix()}"
        for path in (ROOT / "scenarios").rglob("*")
        if path.is_file()
    }
    assert {f"{package}/py.typed" for package in PACKAGES} <= ours
    assert held == ours | scenarios
    [licence] = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/LICENSE")]
    assert zipfile.ZipFile(wheel).read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_citation_and_the_lock_have_the_version():
    assert f"\nversion: {PROJECT['version']}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    lock = (ROOT / "uv.lock").read_text("utf-8")
    assert f'name = "straggle"\nversion = "{PROJECT["version"]}"\n' in lock


def test_the_imported_packages_are_the_wheel_s(installed):
    lines = "import algorithms, simulator; print(algorithms.__file__); print(simulator.__file__)"
    files = installed.run("python", "-c", lines).splitlines()
    assert [Path(file).parent.parent for file in files] == [installed.site] * 2


def test_the_command_runs_a_shipped_scenario_by_its_name(installed):
    schema = (ROOT / "scenarios" / "schema.json").read_text(encoding="utf-8")
    assert installed.run("straggle", "schema") == schema, "straggle schema > scenarios/schema.json"
    words = ["--schedule-only", "--set", "stop={steps=5}", "--seeds", "0", "--figures", "none"]
    printed = installed.run("straggle", "run", "straggler", *words, "--out", "here", "--json")
    assert json.loads(printed)["status"] == "complete"
    assert [path.name for path in installed.away.iterdir()] == ["here"]
    assert (installed.away / "here" / "manifest.json").exists()


def test_the_packages_import_only_their_dependencies():
    optional = [name for names in PROJECT["optional-dependencies"].values() for name in names]
    declared = {_distribution(line) for line in [*PROJECT["dependencies"], *optional]}
    declared |= _pinned_by([_distribution(line) for line in PROJECT["dependencies"]])
    providers = {"mlflow": ["mlflow-skinny"], **packages_distributions()}  # may be absent
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for module in _imports(path) - sys.stdlib_module_names - set(PACKAGES):
                found = {_distribution(name) for name in providers.get(module, [module])}
                assert found & declared, f"{path.relative_to(ROOT)} imports {module}"


def _pinned_by(distributions):
    """What these hold to a single version, so that it is a part of them: pydantic's core."""
    lines = [line for name in distributions for line in requires(name) or []]
    return {_distribution(line) for line in lines if "==" in line.split(";")[0]}


def _distribution(requirement):
    """The normalised name of the distribution that a requirement asks for."""
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


def _imports(path):
    """The top-level modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module)
    return {name.split(".")[0] for name in names}
