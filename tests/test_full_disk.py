"""Does a disk that is full while figures are drawn name the file, in every way to draw?"""

import re
from pathlib import Path

import pytest
from test_cli import one_line, straggle
from test_plots import results_of, scenario_of

from simulator.figures import painter, plots
from simulator.figures.painter import Painter
from simulator.results import results
from simulator.system.files import Unwritable

FULL = Path("/dev/full")
"""A device that takes no byte, as a full disk does."""
REASON = "cannot be written: No space left on device; the results are complete"

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is full")


def full(file):
    file.parent.mkdir(parents=True)
    file.symlink_to(FULL)
    return file


@pytest.mark.parametrize(
    ("suffix", "module"),
    [("png", "sys"), ("svg", "sys"), ("pdf", "sys"), ("svg", "no such module")],
)
def test_the_figure_that_cannot_be_written_is_named(suffix, module, tmp_path, monkeypatch):
    monkeypatch.setenv("STRAGGLE_CORES", "2")
    monkeypatch.setattr(painter, "MODULE", module)
    found = results_of(scenario_of(seeds=[0], stop={"steps": 3}), tmp_path / "race")
    file = full(tmp_path / "figures" / f"steps-time.{suffix}")
    with Painter([suffix]) as painting:
        assert (painting._process is None) == (module == "sys")
        painting.paint({"steps-time": plots.steps_over_time(found)}, file.parent)
        with pytest.raises(Unwritable, match=re.escape(f"{file}: {REASON}")):
            painting.finish()


def test_a_run_names_the_figure_and_its_results_are_whole(tmp_path, monkeypatch):
    out = tmp_path / "out"
    drawing = plots.pictures

    def pictures(outcome, seconds):
        full(out / "figures" / "steps-time.png")
        return drawing(outcome, seconds)

    monkeypatch.setattr(plots, "pictures", pictures)
    options = ("--schedule-only", "--set", "stop.seconds=3", "--quiet", "--out", out)
    message = one_line(straggle("run", "straggler", *options), code=3)
    assert message.startswith(f"{out / 'figures' / 'steps-time.png'}: {REASON}")
    assert results.load(out).manifest["status"] == "complete"
