"""Successive halving: rounds grow, the choice is that of the whole grid, and nothing is lost."""

import pandas as pd
import pytest
from compiled import compiled_once
from hypothesis import given
from hypothesis import strategies as st
from test_cli import one_line, straggle, written
from test_sweep import SCENARIO, run, same

from simulator.scenario.loading import load
from simulator.sweeps.halving import HalvingTable, rounds_of

__all__ = ["compiled_once"]  # the fixture

GRID = """
scenario = "small.toml"
seeds = [0, 1, 2, 3]
[grid]
"methods.*.step" = [0.0001, 0.001, 0.01, 0.03, 0.1, 0.3]
"""
HALVING = "[halving]\nrounds = 2\nfirst = 0.25\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("halving")
    written(folder / "small.toml", SCENARIO)
    written(folder / "grid.toml", GRID)
    written(folder / "halving.toml", GRID + HALVING)
    return folder


@pytest.fixture(scope="module")
def halved(folder, tmp_path_factory):
    return run(folder / "halving.toml", tmp_path_factory.mktemp("halved") / "out")


@given(st.integers(2, 10), st.floats(0.1, 0.9), st.none() | st.floats(0.01, 0.9))
def test_rounds_grow_to_the_whole_run_and_settings_become_fewer(rounds, keep, first):
    found = [*rounds_of(HalvingTable(rounds=rounds, keep=max(keep, 0.3), first=first))]
    shares = [each.share for each in found]
    assert [each.number for each in found] == [*range(1, rounds + 1)]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    if first is not None:
        assert shares[0] == pytest.approx(first)
    assert all(1 <= each.survivors(n) <= n for each in found for n in (1, 2, 7))
    assert [each.seeds([5, 6, 7]) for each in found][-1] == [5, 6, 7]


def test_every_setting_is_tried_briefly_and_the_best_third_wholly(halved):
    frame = halved.frame
    first, last = (frame[frame["round"] == number] for number in (1, 2))
    assert (len(first), len(last)) == (3 * 6 * 1, 3 * 2 * 4)
    assert set(first["seed"]) == {0}
    assert set(last["seed"]) == {0, 1, 2, 3}
    for method, mine in first.groupby("method"):
        kept = set(last.loc[last["method"] == method, "step"])
        assert kept == set(mine.nsmallest(2, "score")["step"])
    curves = pd.read_parquet(halved.directory / "curves.parquet")
    assert curves.loc[curves["round"] == 1, "time"].max() <= 0.25 * 20


def test_the_choice_is_that_of_the_whole_grid_for_less_than_half(folder, halved, tmp_path):
    whole = run(folder / "grid.toml", tmp_path / "out")
    chosen, expected = (load(str(d / "best.toml")) for d in (halved.directory, whole.directory))
    assert chosen.methods == expected.methods
    assert 2 * halved.frame["gradients"].sum() < whole.frame["gradients"].sum()


def test_the_last_round_is_the_runs_of_the_whole_grid(folder, halved, tmp_path):
    """So a sweep that halves goes on as one that does not, for what is new."""
    whole = run(folder / "grid.toml", tmp_path / "out").frame.set_index("key")
    last = halved.frame[halved.frame["round"] == 2].set_index("key")
    ours, theirs = (each.drop(columns=["real_seconds", "round"]) for each in (last, whole))
    pd.testing.assert_frame_equal(ours, theirs.loc[ours.index])


def test_an_interrupted_sweep_goes_on_in_its_round(folder, halved, tmp_path, monkeypatch):
    from simulator.campaign.rows import Rows

    add, ended = Rows.add, []

    def interrupted(self, task, done):
        add(self, task, done)
        ended.append(task.key)
        if len(ended) == 20:  # in the second round
            raise KeyboardInterrupt

    monkeypatch.setattr(Rows, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(folder / "halving.toml", tmp_path / "out")
    same(run(folder / "halving.toml", tmp_path / "out").frame, halved.frame)
    assert len(ended) == len(set(ended)) == len(halved.frame)


def test_the_table_tells_which_setting_was_dropped_when(folder, tmp_path):
    answer = straggle("sweep", folder / "halving.toml", "--out", tmp_path / "out")
    assert answer.code == 0
    lines = [line for line in answer.out.splitlines() if "afedpg" in line and "round 1" in line]
    assert len(lines) == 4
    assert all("25%, 1 seed" in line for line in lines)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("rounds = 1", "halving.rounds = 1: must be greater than or equal to 2"),
        ("keep = 1.0", "halving.keep = 1.0: must be less than 1"),
        ("first = 0.0", "halving.first = 0.0: must be greater than 0"),
        ("rounds = 10\nkeep = 0.1", "first round is 1e-09 of a run; give first = 0.1"),
        ("round = 3", "halving.round: unknown key; did you mean 'rounds'?"),
    ],
)
def test_impossible_rounds_are_refused_in_a_line(folder, said, message):
    file = written(folder / "wrong.toml", GRID + "[halving]\n" + said)
    assert message in one_line(straggle("sweep", file))
