"""Does a process of its own draw the same figures, and does nothing hang when it is gone?"""

import os
import signal
import subprocess
import sys

import pytest
from test_plots import results_of, scenario_of

from simulator.figures import painter, plots
from simulator.figures.painter import Painter
from simulator.system.files import Unwritable


@pytest.fixture
def apart(monkeypatch):
    """Have figures drawn in a process, although matplotlib is loaded in this one."""
    monkeypatch.setenv("STRAGGLE_CORES", "2")
    monkeypatch.setattr(painter, "MODULE", "no such module")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    found = results_of(scenario_of(seeds=[0]), tmp_path_factory.mktemp("race"))
    return {"steps-time": plots.steps_over_time(found), "timeline": plots.timeline(found)}


def drawn(pictures, directory, formats=("svg",)):
    with Painter(formats) as painting:
        if painting._process is not None:
            os.kill(painting._process.pid, signal.SIGINT)  # which it does not hear
        painting.paint(pictures, directory)
        return painting, painting.finish()


@pytest.mark.usefixtures("apart")
def test_its_figures_are_those_that_this_process_draws(pictures, tmp_path, monkeypatch):
    painting, apart = drawn(pictures, tmp_path / "apart")
    assert painting._process.returncode is not None  # it has ended
    monkeypatch.setattr(painter, "MODULE", "sys")
    painting, here = drawn(pictures, tmp_path / "here")
    assert painting._process is None
    assert [path.name for path in apart] == [path.name for path in here]
    for one, other in zip(apart, here, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.usefixtures("apart")
def test_after_a_killed_painter_the_figures_are_drawn_here(pictures, tmp_path):
    with Painter(["png"]) as painting:
        painting._process.kill()
        painting._process.wait()
        painting.paint(pictures, tmp_path / "figures")
        assert all(path.stat().st_size > 2000 for path in painting.finish())


@pytest.mark.usefixtures("apart")
def test_an_error_of_the_process_is_raised_here(pictures, tmp_path):
    (tmp_path / "figures").write_text("a file where a folder should be")
    with pytest.raises(Unwritable, match="figures: cannot be written: File exists"):
        drawn(pictures, tmp_path / "figures")


@pytest.mark.usefixtures("apart")
def test_without_formats_there_is_no_process():
    with Painter([]) as painting:
        assert painting._process is None
        assert not painting.wanted


def test_its_process_loads_no_package_that_drawing_does_not_need():
    code = (
        "import sys, simulator.figures.drawing; "
        "print({'pandas', 'jax', 'pydantic', 'simpy', 'scipy', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
