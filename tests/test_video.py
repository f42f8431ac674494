"""Does ``straggle evaluate --video`` show the policies of a run?"""

import json
import shutil

import numpy as np
import pytest
from imageio_ffmpeg import count_frames_and_secs
from test_cli import CARTPOLE, TINY, one_line, straggle, written

from simulator.objectives.environments.playing import screen
from simulator.objectives.show import InJax
from simulator.results import results
from simulator.results.directory import files_of

STEPS = 5
SLOW = "objective.environment_options={tau=0.1, theta_threshold_radians=3}"


@pytest.fixture(autouse=True)
def _any_backend(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of an environment, as its directory."""

    def run(environment, *settings):
        folder = tmp_path_factory.mktemp("trained")
        scenario = written(folder / "s.toml", CARTPOLE)
        asked = [f"objective.environment={environment}", f"objective.horizon={STEPS}", *settings]
        sets = [word for setting in asked for word in ("--set", setting)]
        asked = ["--quiet", "--figures", "none", "--out", folder / "out"]
        answer = straggle("run", scenario, *asked, *sets)
        assert answer.code == 0, answer.err
        return folder / "out"

    return run


@pytest.fixture(scope="module")
def cartpole(trained):
    """Steps so long that no picture is like the next, and a pole that may fall."""
    return trained("CartPole-v1", SLOW, "seeds=[0, 1]")


def frames(path):
    """How many pictures it has."""
    return count_frames_and_secs(path)[0]


def test_each_run_is_filmed_and_listed(cartpole):
    answer = straggle("evaluate", cartpole, "--video")
    assert (answer.code, answer.err) == (0, "")
    counted = json.loads(straggle("evaluate", cartpole, "--episodes", "1", "--json").out)
    for row, line in zip(counted, answer.out.splitlines(), strict=True):
        path = cartpole / "videos" / f"synchronous-pg-{row['seed']}.mp4"
        message = f"return {row['return']:.6g} in {row['mean length']:.0f} steps"
        assert line == f"{path}: {message}"
        # 50 steps a second, of which every other is seen: at 0, 2, 4, and the end
        assert row["mean length"] == STEPS
        assert frames(path) == 4


def test_the_same_seed_is_the_same_film(cartpole, tmp_path):
    def filmed(name, *more):
        asked = ["--video", "--json", "--seeds", "1", "--out", tmp_path / name, *more]
        (one,) = json.loads(straggle("evaluate", cartpole, *asked).out)
        assert one["path"] == str(tmp_path / name / "synchronous-pg-1.mp4")
        return (tmp_path / name / "synchronous-pg-1.mp4").read_bytes(), one["episodes"]

    first = filmed("first")
    assert filmed("again") == first
    assert filmed("other", "--evaluation-seed", "3")[0] != first[0]
    longer, episodes = filmed("longer", "--episodes", "2")
    assert (len(episodes), episodes[0]) == (2, first[1][0])
    assert len(longer) > len(first[0])


def test_workers_with_environments_of_their_own_are_seen_in_turn(trained, tmp_path):
    """One falls at once, which a film of the other's would not show."""
    falls = "{options={theta_threshold_radians=1e-9}}"
    workers = f"objective.workers=[{{}}, {falls}]"
    directory = trained("CartPole-v1", SLOW, "cluster.workers=2", workers)
    asked = ["--video", "--episodes", "3", "--out", tmp_path]
    path = tmp_path / "synchronous-pg-0.mp4"
    message = [f"return {steps} in {steps} steps of worker {at}" for at, steps in ((0, 5), (1, 1))]
    answer = straggle("evaluate", directory, *asked)
    assert (answer.out, answer.err) == (f"{path}: {', then '.join([*message, message[0]])}\n", "")
    assert frames(path) == 4 + 2 + 4
    (one,) = json.loads(straggle("evaluate", directory, *asked, "--json").out)
    first = {"worker": 0, "return": 5, "length": 5}
    assert one["episodes"] == [first, {"worker": 1, "return": 1, "length": 1}, first]


def test_robots_are_filmed_or_the_missing_package_is_named(trained):
    """Whichever is true of the machine that runs this; being drawn changes no bit of an episode."""
    workers = "objective.workers=[{flag=0}, {flag=1, sign=-1, mass=2, options={frame_skip=4}}]"
    directory = trained("Reacher-v5", "cluster.workers=2", workers)
    answer = straggle("evaluate", directory, "--video", "--episodes", "3", "--json")
    if not any(screen._works(backend) for backend in screen.BACKENDS):
        assert one_line(answer).startswith("--video: MuJoCo cannot draw here")
        assert answer.code == 2
        return
    assert (answer.code, answer.err) == (0, "")
    found = results.load(directory)
    played = found.scenario.build_objective().episodes.play(
        found.parameters("synchronous-pg", 0), 0, 3
    )
    (one,) = json.loads(answer.out)
    seen = [(each["worker"], each["return"], each["length"]) for each in one["episodes"]]
    assert seen == [(at % 2, *each) for at, each in enumerate(played[:3])]
    # 50 steps a second, every other seen, and the end; of the second 25 steps, and all
    assert frames(directory / "videos" / "synchronous-pg-0.mp4") == 4 + 6 + 4


def test_a_film_that_is_interrupted_leaves_no_file(cartpole, tmp_path, monkeypatch):
    def interrupt(show):
        raise KeyboardInterrupt

    monkeypatch.setattr(InJax, "picture", interrupt)
    answer = straggle("evaluate", cartpole, "--video", "--out", tmp_path)
    assert answer.code == 130
    assert not list(tmp_path.iterdir())


def test_a_run_without_an_environment_cannot_be_filmed(tmp_path):
    straggle("run", written(tmp_path / "t.toml", TINY), "--quiet", "--out", tmp_path / "out")
    message = one_line(straggle("evaluate", tmp_path / "out", "--video"))
    assert message == "--video: the quadratic plays no environment; there is nothing to see"


def test_a_policy_that_is_not_finite_is_not_shown(cartpole, tmp_path):
    copy = shutil.copytree(cartpole, tmp_path / "copy", ignore=shutil.ignore_patterns("videos"))
    file = copy / files_of("synchronous-pg", 1)[0]
    point = results.load(copy).parameters("synchronous-pg", 1)
    np.savez(file, parameters=point * np.nan)
    message = one_line(straggle("evaluate", copy, "--video"))
    assert message.startswith("--video: the last point of synchronous-pg with seed 1 is not finite")
    assert not (copy / "videos").exists()
    assert straggle("evaluate", copy, "--video", "--seeds", "0").code == 0


def test_out_names_the_directory_of_films(cartpole, tmp_path):
    message = one_line(straggle("evaluate", cartpole, "--out", tmp_path))
    assert message == f"--out {tmp_path}: is for films; add --video"
    written(tmp_path / "file", "")
    message = one_line(straggle("evaluate", cartpole, "--video", "--out", tmp_path / "file"))
    assert message.startswith(f"--out {tmp_path / 'file'}: cannot be written")
