"""Does the timeline show what it should: a full round of every method, or the seconds asked for?"""

import math

import pytest
from test_cli import one_line, straggle
from test_plots import METHODS, results_of, scenario_of

from simulator.figures import opening
from simulator.figures.drawing import draw
from simulator.figures.opening import opening_seconds
from simulator.figures.plots import pictures, timeline
from simulator.figures.timeline import MOST_EDGES, WIDE_EDGES


@pytest.fixture
def straggler(tmp_path):
    return results_of(scenario_of(), tmp_path / "straggler")


def test_every_method_steps_in_the_window(straggler):
    openings = timeline(straggler).openings
    assert list(openings) == list(METHODS)
    assert all(each.step_times for each in openings.values())


def test_a_method_that_never_steps_does_not_stretch_the_window(tmp_path):
    dead = results_of(scenario_of([1.0, math.inf]), tmp_path)
    assert opening_seconds(dead) < 120.0
    assert not timeline(dead).openings["synchronous-nigt"].step_times


def test_a_round_of_very_many_gradients_is_cut(straggler, monkeypatch):
    monkeypatch.setattr(opening, "MOST_GRADIENTS", 10)
    assert opening_seconds(straggler) == pytest.approx(10 * 10 / 9, rel=0.02)


def test_the_seconds_that_are_asked_for_are_shown(straggler):
    assert timeline(straggler, 7.5).seconds == 7.5
    assert pictures(straggler, 7.5)["timeline"].seconds == 7.5
    (*_, axes) = draw(timeline(straggler, 7.5)).axes
    assert axes.get_xlim() == (0.0, 7.5)


def test_bars_too_many_to_tell_apart_are_drawn_as_one_without_edges(tmp_path):
    seconds = {WIDE_EDGES // 2: 0.4, WIDE_EDGES + 20: 0.2, MOST_EDGES + 20: 0.0}
    alone = {"afedpg": METHODS["afedpg"]}
    found = results_of(scenario_of([1.0], methods=alone, stop={"seconds": 300.0}), tmp_path)
    for end, edge in seconds.items():
        (axes,) = draw(timeline(found, float(end))).axes
        used = axes.collections[0]
        assert used.get_linewidth().tolist() == [edge]
        assert len(used.get_paths()) == (end if edge else 1)


@pytest.mark.parametrize("seconds", ["0", "-3", "inf", "nan"])
def test_a_timeline_without_length_is_refused(seconds):
    message = one_line(straggle("run", "straggler", "--timeline", seconds))
    assert message == f"--timeline {seconds}: must be a positive number of seconds"
