"""When do runs reach a target?  The seconds of each run, their medians, and speed-ups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.cluster.law import Floats
from simulator.mistakes import Mistake, did_you_mean
from simulator.results.columns import columns_of
from simulator.results.results import Results
from simulator.statistics.curves import PLACES, first_at_target, known_metric
from simulator.statistics.frames import check_frame
from simulator.statistics.samples import (
    CONFIDENCE,
    RESAMPLES,
    counted,
    ends,
    interval,
    median,
    resampled,
)


def time_to(
    steps: pd.DataFrame | Results,
    target: float | None = None,
    metric: str | None = None,
    higher: bool | None = None,
) -> pd.DataFrame:
    """When every run first met a target: ``method, seed, seconds, steps, gradients``, and more.

    ``seconds`` are simulated ones, of the first recorded step whose metric is at least the target
    (at most, unless ``higher``); without such a step all are NaN.  For results, metric, direction
    and target default to the scenario's; for a frame of steps, the direction to the objectives'.

    >>> steps = {"method": "afedpg", "seed": 0, "step": [0, 1, 2], "time": [0.0, 1.5, 2.5]}
    >>> steps = pd.DataFrame(steps | {"gradients": [0, 1, 2], "gap": [4.0, 2.0, 1.0]})
    >>> time_to(steps, 2.0, metric="gap")
       method  seed  seconds  steps  gradients
    0  afedpg     0      1.5    1.0        1.0
    """
    if isinstance(steps, Results):
        scenario = steps.scenario
        target = scenario.stop.target if target is None else target
        metric = metric or scenario.metric
        steps = steps.steps
    check_frame("time_to", "steps", steps, "results.steps, or results themselves")
    if target is None or metric is None:
        raise Mistake("time_to: needs a target and a metric; only results know of their own")
    columns = columns_of(steps)
    known_metric(columns, metric)
    places = [place for place, column in PLACES.items() if column in columns]
    first = first_at_target(columns, target, metric, higher)
    rows = [
        (*run, *(np.nan if at is None else float(columns[PLACES[place]][at]) for place in places))
        for run, at in first.items()
    ]
    return pd.DataFrame(rows, columns=["method", "seed", *places])


def summarise(
    frame: pd.DataFrame,
    by: str | Sequence[str] = "method",
    value: str = "seconds",
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> pd.DataFrame:
    """The median of a column by group: ``median, low, high, reached, of``.

    ``low`` and ``high`` are the ends of its bootstrap interval; ``reached`` of the ``of`` values
    are finite, and the others count as infinite.

    >>> frame = pd.DataFrame({"method": list("aab"), "seconds": [2.0, 2.0, float("nan")]})
    >>> summarise(frame)
      method  median  low  high  reached  of
    0      a     2.0  2.0   2.0        2   2
    1      b     inf  inf   inf        0   1
    """
    check_frame("summarise", "frame", frame, "time_to(results)")
    keys = [by] if isinstance(by, str) else list(by)
    rows = []
    for key, group in frame.groupby(keys, sort=False):
        values = counted(group[value])
        low, high = interval(values, confidence=confidence, seed=seed)
        row: dict[str, Any] = dict(zip(keys, key, strict=True))
        row |= {"median": median(values), "low": low, "high": high}
        rows.append(row | {"reached": int(np.isfinite(values).sum()), "of": len(values)})
    return pd.DataFrame(rows, columns=[*keys, "median", "low", "high", "reached", "of"])


def speedups(
    frame: pd.DataFrame,
    of: str | Sequence[str],
    over: str,
    *,
    confidence: float = CONFIDENCE,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """The factor by which ``of`` is faster than ``over``: ``method, over, ratio, low, high``.

    The frame is that of ``time_to``.  The ratio of medians has a bootstrap interval; equal seeds
    are resampled together, as methods share their random numbers.  The ratio is infinite where only
    ``of`` reaches the target, and NaN where neither does.

    >>> frame = pd.DataFrame({"method": list("aabb"), "seed": [0, 1, 0, 1]})
    >>> speedups(frame.assign(seconds=[2.0, 2.0, 6.0, 6.0]), of="a", over="b")
      method over  ratio  low  high
    0      a    b    3.0  3.0   3.0
    """
    check_frame("speedups", "frame", frame, "time_to(results)")
    base = _by_seed(frame, over)
    rows = []
    for label in [of] if isinstance(of, str) else of:
        own = _by_seed(frame, label)
        paired = own.index.equals(base.index)
        a, b = counted(own), counted(base)
        drawn = resampled([a, b], _ratio, seed=seed, resamples=resamples, paired=paired)
        ratio = float(_ratio(a, b))
        low, high = _ends_of_ratio(drawn, confidence) if ratio == ratio else (ratio, ratio)
        rows.append((label, over, ratio, low, high))
    return pd.DataFrame(rows, columns=["method", "over", "ratio", "low", "high"])


def _by_seed(frame: pd.DataFrame, label: str) -> "pd.Series[float]":
    rows = frame[frame["method"] == label]
    if rows.empty:
        raise Mistake(f"method {label!r}: no such method; {did_you_mean(label, set(frame.method))}")
    return rows.set_index("seed")["seconds"].sort_index()


def _ratio(own: Floats, base: Floats, axis: int = -1) -> Any:
    """The ratio of the medians; NaN if both are infinite."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.median(base, axis=axis) / np.median(own, axis=axis)


def _ends_of_ratio(drawn: Floats, confidence: float) -> tuple[float, float]:
    """Ends of an interval; a resample in which neither reaches the target widens it fully."""
    unknown = np.isnan(drawn)
    low, _ = ends(np.where(unknown, 0.0, drawn), confidence)
    _, high = ends(np.where(unknown, np.inf, drawn), confidence)
    return low, high
