"""How good was a run?  One number from its learning curve, and where a setting stands among others.

A run is a step function: what was last measured holds until the next look, and, past its end, for
ever, as a run at its target keeps its policy.  A run that failed or stalled has no score.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from simulator.cluster.law import Floats
from simulator.statistics.samples import HIGH, LOW, median, spread
from simulator.sweeps.halving import Round

NAN = float("nan")
BROKEN = ("failed", "stalled")
LATE = 0.2
"""The part of the time whose median a late score is."""


def score_of(row: dict[str, Any], kind: str, seconds: float | None) -> float:
    """Of one run: its metric at a time, over the time up to then, or the time to its target.

    >>> row = {"end": "stop", "metric": "return", "seconds": NAN}
    >>> row["curve"] = {"time": [0.0, 1.0, 3.0], "return": [2.0, 4.0, 8.0]}
    >>> score_of(row, "value", 2.0), score_of(row, "average", 4.0), score_of(row, "time", None)
    (4.0, 4.5, inf)
    >>> score_of(row, "late", 4.0)
    8.0
    """
    if row["end"] in BROKEN:
        return NAN
    if kind == "time":
        return math.inf if math.isnan(row["seconds"]) else float(row["seconds"])
    times = np.array(row["curve"]["time"], np.float64)
    values = np.array(row["curve"][row["metric"]], np.float64)
    if kind == "average":
        assert seconds is not None
        edges = np.append(np.minimum(times, seconds), seconds)
        return float((np.diff(edges) * values).sum() / seconds)
    if kind == "late":
        assert seconds is not None
        first = np.searchsorted(times, (1 - LATE) * seconds, side="right") - 1
        return float(np.median(values[first : np.searchsorted(times, seconds, side="right")]))
    last = len(times) if seconds is None else np.searchsorted(times, seconds, side="right")
    return float(values[last - 1])


def latest(frame: pd.DataFrame) -> pd.DataFrame:
    """The runs of every setting in the last round that it came to."""
    return frame[frame["round"] == frame.groupby("setting")["round"].transform("max")]


def ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """A row per case, method and setting, the best first: ``runs, failed, score, low, high, …``.

    A setting's score is the mean over its seeds, that of times their median; ``low`` and ``high``
    are the 20% and 80% quantiles.  Settings that came to a later round rank first.  Then those with
    fewer failed runs do, then the score decides, then how many runs reached the target, then the
    final metric, then the order of the sweep.
    """
    groups = latest(frame).groupby(["case", "method", "setting"], sort=False)
    rows = [
        {**mine.iloc[0][[*IDENTITY, *keys_of(frame)]], **_over_seeds(mine)} for _, mine in groups
    ]
    found = pd.DataFrame(rows)
    sign = np.where(found["better"] == "lower", 1.0, -1.0)
    of_times = found["score_kind"] == "time"
    order = {
        "round": -found["round"],
        "failed": found["failed"],
        "score": np.where(of_times, 1.0, sign) * found["score"],
        "missed": -found["reached"],
        "final": sign * found["final"],
    }
    # Equal ranks are ties; who was named first stands before the others.
    ranks = pd.DataFrame(order).fillna(math.inf).apply(tuple, axis=1)
    placed = found.assign(rank=ranks.rank(method="dense").astype(int))
    return placed.sort_values(["case", "rank", "setting"]).reset_index(drop=True)


IDENTITY = ["method", "case", "setting", "round", "score_kind", "metric", "better"]
COLUMNS = [
    *IDENTITY,
    "seed",
    "score",
    "final",
    "seconds",
    "reached",
    "steps",
    "gradients",
    "end",
    "message",
    "real_seconds",
    "key",
]
"""Of a sweep's frame, beside what was varied."""
FOUND = (
    "runs",
    "failed",
    "low",
    "high",
    "rank",
    "tied",
    "tried",
    "total",
    "broken",
    "edges",
    "early",
)
"""Of a row for several runs."""


def keys_of(frame: pd.DataFrame) -> list[str]:
    """What was varied, by column.

    >>> keys_of(pd.DataFrame(columns=["method", "seed", "step", "score"]))
    ['step']
    """
    return [str(name) for name in frame if name not in COLUMNS and name not in FOUND]


def _over_seeds(mine: pd.DataFrame) -> dict[str, Any]:
    """One setting's seeds as one row."""
    whole = mine[~mine["end"].isin(BROKEN)]
    scores = whole["score"].to_numpy(np.float64)
    low, middle, high = _band(scores, mine["score_kind"].iloc[0] == "time")
    return {
        "runs": len(mine),
        "failed": len(mine) - len(whole),
        "reached": int(mine["reached"].sum()),
        "score": middle,
        "low": low,
        "high": high,
        "final": float(whole["final"].mean()) if len(whole) else NAN,
    }


def _band(scores: Floats, of_times: bool) -> tuple[float, float, float]:
    if not len(scores):
        return NAN, NAN, NAN
    if of_times:
        low, high = spread(scores)
        return low, median(scores), high
    low, high = np.quantile(scores, [LOW, HIGH])
    return float(low), float(scores.mean()), float(high)


def best(ranking: pd.DataFrame) -> pd.DataFrame:
    """The first of every case and method, and with how many others it is ``tied``."""
    groups = ranking.groupby(["case", "method"], sort=False)
    leading = ranking["rank"] == groups["rank"].transform("min")
    ties = leading.groupby([ranking["case"], ranking["method"]]).transform("sum") - 1
    first = ranking.assign(tied=ties).drop_duplicates(["case", "method"])
    # In the order of the sweep, which numbers the settings method by method.
    return first.sort_values(["case", "setting"]).reset_index(drop=True)


def survivors(frame: pd.DataFrame, played: Round) -> set[int]:
    """The settings of a round that go on, by their numbers: the best of each case and method.

    Settings that are as good as the last of them go on as well: after a round that is too short
    for a step of a slow method, all of its settings do.
    """
    kept: set[int] = set()
    for _, mine in ranked(frame).groupby(["case", "method"], sort=False):
        last = mine["rank"].iloc[played.survivors(len(mine)) - 1]
        kept |= {*mine.loc[mine["rank"] <= last, "setting"].tolist()}
    return kept
