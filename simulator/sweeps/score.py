"""How good is a run?  A score from its learning curve; settings are ranked by their scores.

A learning curve is a step function: a value holds until the next evaluation, and the last one for
ever, as a run at its target keeps its policy.  A failed or stalled run has no score.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from simulator.cluster.law import Floats
from simulator.statistics.samples import HIGH, LOW, median, spread
from simulator.sweeps.halving import Round
from simulator.training.record import BROKEN

NAN = float("nan")
LATE = 0.2
"""A late score is the median over this last share of the time."""


def score_of(row: dict[str, Any], kind: str, seconds: float | None) -> float:
    """The score of one run, at some seconds or at its end.

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
    """The runs of every setting in its last round."""
    return frame[frame["round"] == frame.groupby("setting")["round"].transform("max")]


def ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """A row per case, method and setting, the best first: ``runs, failed, score, low, high, …``.

    A setting's score is the mean over its seeds, or their median for times; ``low`` and ``high``
    are the 20% and 80% quantiles.  The order is: later last round, fewer failed runs, better score,
    more runs at the target, better final metric, order of the sweep.
    """
    groups = latest(frame).groupby(["case", "method", "setting"], sort=False)
    columns = [*IDENTITY, *keys_of(frame)]
    found = pd.DataFrame([{**own.iloc[0][columns], **_over_seeds(own)} for _, own in groups])
    sign = np.where(found["better"] == "lower", 1.0, -1.0)
    of_times = found["score_kind"] == "time"
    order = {
        "round": -found["round"],
        "failed": found["failed"],
        "score": np.where(of_times, 1.0, sign) * found["score"],
        "missed": -found["reached"],
        "final": sign * found["final"],
    }
    # Equal ranks are ties, in the order of the sweep.
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
"""The columns of a sweep's frame, apart from its keys."""
SUMMARY = (
    *("runs", "failed", "low", "high", "rank", "tied"),
    *("tried", "total", "broken", "edges", "early"),
)
"""Further columns of a row for several runs."""


def keys_of(frame: pd.DataFrame) -> list[str]:
    """The columns of the sweep's keys.

    >>> keys_of(pd.DataFrame(columns=["method", "seed", "step", "score"]))
    ['step']
    """
    return [str(name) for name in frame if name not in COLUMNS and name not in SUMMARY]


def _over_seeds(own: pd.DataFrame) -> dict[str, Any]:
    whole = own[~own["end"].isin(BROKEN)]
    scores = whole["score"].to_numpy(np.float64)
    low, middle, high = _band(scores, own["score_kind"].iloc[0] == "time")
    return {
        "runs": len(own),
        "failed": len(own) - len(whole),
        "reached": int(own["reached"].sum()),
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
    """The best setting of every case and method; ``tied`` counts other settings of its rank."""
    groups = ranking.groupby(["case", "method"], sort=False)
    leading = ranking["rank"] == groups["rank"].transform("min")
    ties = leading.groupby([ranking["case"], ranking["method"]]).transform("sum") - 1
    first = ranking.assign(tied=ties).drop_duplicates(["case", "method"])
    # The sweep numbers the settings method by method.
    return first.sort_values(["case", "setting"]).reset_index(drop=True)


def survivors(frame: pd.DataFrame, played: Round) -> set[int]:
    """The numbers of the settings that reach the next round: the best of each case and method.

    Ties with the last of them survive, too.  So all settings of a slow method do, if the round was
    too short for its first step.
    """
    numbers: set[int] = set()
    for _, own in ranked(frame).groupby(["case", "method"], sort=False):
        last = own["rank"].iloc[played.survivors(len(own)) - 1]
        numbers |= {*own.loc[own["rank"] <= last, "setting"].tolist()}
    return numbers
