"""Does the command that is named for a missing package fit how straggle was installed?"""

import json
import shlex
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from simulator.system import install
from simulator.system.install import install_command, install_packages


class Installed:
    """A distribution as importlib.metadata shows it."""

    requires = (
        "jax>=0.7",
        "gymnasium[mujoco]>=1.2; extra == 'mujoco'",
        'mujoco<5,>=3.2; extra == "mujoco"',
        "pytest>=8.3; extra == 'pytest'",
    )

    def __init__(self, origin):
        self.origin = origin

    def read_text(self, name):
        assert name == "direct_url.json"
        return self.origin if self.origin is None else json.dumps(self.origin)


@pytest.fixture
def installed(monkeypatch):
    def from_origin(origin, pip=True):
        monkeypatch.setattr(install, "distribution", lambda name: Installed(origin))
        monkeypatch.setattr(install, "find_spec", lambda name: object() if pip else None)

    return from_origin


def clone_of(folder, prefix, monkeypatch):
    (folder / ".uv" / "bin").mkdir(parents=True)
    (folder / ".uv" / "bin" / "uv").touch()
    monkeypatch.setattr(sys, "prefix", str(prefix))
    return {"url": folder.as_uri(), "dir_info": {"editable": True}}


def test_a_clone_is_synchronised_by_the_uv_in_it(installed, tmp_path, monkeypatch):
    clone = tmp_path / "my clone"
    installed(clone_of(clone, clone / ".venv", monkeypatch))
    uv, *words = shlex.split(install_command("mujoco"))
    assert Path(uv) == clone / ".uv" / "bin" / "uv"
    assert words[:3] == ["sync", "--project", str(clone)]
    assert words[-2:] == ["--extra", "mujoco"]
    assert "--inexact" in words  # what is installed otherwise stays


def test_a_clone_in_an_environment_of_ones_own_is_installed_again(installed, tmp_path, monkeypatch):
    installed(clone_of(tmp_path / "clone", "/elsewhere", monkeypatch))
    words = shlex.split(install_command("video"))
    assert words == ["pip", "install", "--editable", f"{tmp_path / 'clone'}[video]"]


@pytest.mark.parametrize("origin", [None, {"url": "https://a/b", "vcs_info": {}}])
def test_without_a_clone_the_packages_of_the_extra_are_named(installed, origin):
    installed(origin)
    assert install_command("mujoco") == "pip install 'gymnasium[mujoco]>=1.2' 'mujoco<5,>=3.2'"


def test_an_environment_without_pip_is_named_to_uv(installed):
    installed(None, pip=False)
    words = shlex.split(install_packages("gymnasium[box2d]"))
    assert words == ["uv", "pip", "install", "--python", sys.prefix, "gymnasium[box2d]"]


@pytest.mark.parametrize("extra", ["mujoco", "video"])
def test_the_extras_that_messages_name_are_there(extra, monkeypatch):
    monkeypatch.setattr(install, "_clone", lambda: None)
    words = shlex.split(install_command(extra))
    packages = [Requirement(word).name for word in words[words.index("install") + 1 :]]
    assert "gymnasium" in packages
