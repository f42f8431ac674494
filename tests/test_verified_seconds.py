"""Are the seconds of communicating and of idling checked, each by itself and not only their sum?"""

import numpy as np
import pandas as pd
import pytest
from test_verification import ALL, CASES, CHANCE, DAY, FAILURES, RANDOM, SERVED, TO_AND_FRO, WIRE
from verified import recorded, retell, sealed

from simulator.results.results import load
from simulator.verification import verify_directory

LOST = {"compute": RANDOM, **FAILURES}
PAUSED = LOST | {"in_outage": "continued"}
EXACT = {name: case for name, case in CASES.items() if case[1]} | {
    "queue-of-two": (
        {"compute": RANDOM},
        {**SERVED, "upload": CHANCE, "uplink": {"bandwidth": 40.0, "channels": 2}},
    ),
    "lost-queue": (LOST, {**SERVED, "download": 0.3, "uplink": {"bandwidth": 64.0}}),
    "paused-ring": (PAUSED, {**WIRE, "collective": "ring"}),
    "paused-gather-finish": (
        PAUSED | {"in_flight": "finish", "speed": DAY},
        {**TO_AND_FRO, "collective": "gather"},
    ),
    "slow-downloads": ({"compute": RANDOM}, {"download": 2.5, "upload": [0.5, 0.1, 0.9, 0.3]}),
}
BUSY = {"ringleader-pg", "ringleader-nigt"}
"""They compute while they send; where they receive in no time there is nothing to alter."""
NUDGE = 1e-6
"""Ten times as much as rounding is allowed in a minute."""


def shifted(directory):
    """Some seconds moved to the other kind, of up to two workers of every run, in all files.

    Returns of how many workers of each run.
    """
    file = directory / "workers.parquet"
    whole = pd.read_parquet(file)
    tables = [table.copy() for _, table in whole.groupby(["method", "seed"], sort=False)]
    many = [_shift(table) for table in tables]
    pd.concat(tables).to_parquet(file)

    def tell(manifest):
        for run, table in zip(manifest["runs"], tables, strict=True):
            for name in ("communicating", "idle"):
                run[f"{name}_share"] = float(table[name].mean() / run["simulated_seconds"])

    retell(directory, tell)
    return many


def _shift(table):
    """The laziest worker communicates more in the file, and a remaining one idles more."""
    idle, talking = table["idle"].to_numpy(), table["communicating"].to_numpy().copy()
    lazy = int(np.argmax(idle))
    moves = {lazy: NUDGE} if idle[lazy] > NUDGE else {}
    talking[list(moves)] = 0.0
    if talking.max() > NUDGE:
        moves[int(np.argmax(talking))] = -NUDGE
    for worker, more in moves.items():
        row = table.index[worker]
        table.loc[row, "communicating"] += more
        table.loc[row, "idle"] -= more
    return len(moves)


def found_in(directory):
    """Of how many workers of each run communicating and idle differ, and nothing else does."""
    report = verify_directory(directory)
    found = [findings.wrong for findings in report.findings]
    assert set().union(*found) <= {"replay"}
    assert all("communicating" in message or "idle" in message for *_, message in report.problems)
    return [wrong["replay"] / 2 for wrong in found[1:]]


@pytest.mark.parametrize("case", EXACT)
def test_a_misattributed_microsecond_is_found_under_every_method(case, tmp_path):
    cluster, network = EXACT[case]
    recorded(tmp_path, ALL, cluster, network=network, stop={"seconds": 30.5})
    many = shifted(tmp_path)
    assert {name for name, moved in zip(ALL, many, strict=True) if not moved} <= BUSY
    assert found_in(sealed(tmp_path)) == many


MINDFLAYER = {"mindflayer-pg": {"attempts": 1, "limit": 9.0, "probability": 1.0, "step": 0.1}}
BY_HAND = {
    # Gradients are done at 1, 1 and 2 s; the last is worker 0's, and worker 1 still computes then.
    "done as another fills the batch": (
        {"rennala-pg": {"batch": 3, "step": 0.1}},
        {"workers": 2, "compute": 1.0, "in_flight": "finish"},
        {"collective": "gather", "upload": [0.25, 0.75]},
        {"steps": 1},
        (2.25, [0.25, 0.0]),
    ),
    # The batch is full at 1.5 s, and sent until the end; worker 1 has nothing to wait for.
    "an order that is void": (
        {"rennala-pg": {"batch": 1, "step": 0.1}},
        {"workers": 2, "compute": 1.0},
        {"download": [0.5, 3.0], "upload": [9.0, 0.0]},
        {"seconds": 5.0},
        (5.0, [4.0, 1.5]),
    ),
    # Worker 1 forfeits the round at 1 s, and is sent nothing when it is back.
    "lost while it receives": (
        MINDFLAYER,
        {"workers": 2, "compute": 1.0, "outages": [{"worker": 1, "begin": 1.0, "end": 1.25}]},
        {"download": [0.5, 3.0], "upload": 0.25},
        {"steps": 1},
        (1.75, [0.75, 1.0]),
    ),
    # The first round is over at 1 s, with nothing; the second is sent at 3 s.
    "all workers are away": (
        MINDFLAYER,
        {"workers": 1, "compute": 1.0, "outages": [{"worker": 0, "begin": 1.0, "end": 3.0}]},
        {"download": 0.5, "upload": 0.25},
        {"steps": 2},
        (4.75, [1.25]),
    ),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_seconds_that_are_reckoned_by_hand_are_those_that_are_verified(case, tmp_path):
    methods, cluster, network, stop, (end, communicating) = BY_HAND[case]
    recorded(tmp_path, methods, cluster, network=network, stop=stop)
    workers = load(tmp_path).workers
    assert workers["seconds"].tolist() == [end] * len(communicating)
    assert workers["communicating"].tolist() == pytest.approx(communicating)
    assert verify_directory(tmp_path).problems == []
    (many,) = shifted(tmp_path)
    assert found_in(sealed(tmp_path)) == [many]
