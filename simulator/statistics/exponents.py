"""How does the time to a target grow?  Exponents of power laws, measured and predicted.

A *complexity frame* has a row per method, value of the varied parameter, and seed, with
``method, parameter, value, seed, target, seconds, reached, steps, gradients, predicted``.
``seconds`` are NaN if the target was not reached; ``predicted`` is theory's time in seconds up to a
constant, or NaN.
"""

import numpy as np
import pandas as pd
from scipy.stats import t

from simulator.cluster.law import Floats
from simulator.mistakes import Mistake
from simulator.statistics.frames import check_frame
from simulator.statistics.samples import CONFIDENCE, RESAMPLES, counted, ends, median, resampled

NAN = float("nan")
COLUMNS = ["method", "measured", "low", "high", "predicted", "constant", "points"]


def exponents(
    frame: pd.DataFrame, confidence: float = CONFIDENCE, seed: int = 0, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Per method: ``method, measured, low, high, predicted, constant, points``.

    ``measured`` is the least-squares slope of log(median seconds) against log(value), and
    ``predicted`` that of the prediction; ``constant`` times the prediction lies in the middle of
    the measurements.  Values at which the median run does not reach the target, or begins there,
    are left out; ``points`` are left.

    ``low`` and ``high`` come from a bootstrap over the seeds of each value, or with a single seed
    from the residuals, by the t distribution, as if the law were exact.  NaN means unknown.

    >>> frame = {"method": "a", "parameter": "noise", "value": [1, 2, 4], "seed": 0}
    >>> frame = pd.DataFrame(frame | {"seconds": [3.0, 12.0, 48.0], "predicted": [1.0, 4.0, 16.0]})
    >>> exponents(frame).round(6)
      method  measured  low  high  predicted  constant  points
    0      a       2.0  2.0   2.0        2.0       3.0       3
    """
    check_frame("exponents", "frame", frame, "what complexity returns")
    check(frame)
    rows = []
    for label, of_method in frame.groupby("method", sort=False):
        points = medians(of_method)
        points = points[np.isfinite(points["seconds"]) & (points["seconds"] > 0)]
        law = points[np.isfinite(points["predicted"]) & (points["predicted"] > 0)]
        low, high = _interval(of_method, points, confidence, seed, resamples)
        row = (label, slope(points["value"], points["seconds"]), low, high)
        rows.append((*row, slope(law["value"], law["predicted"]), _constant(law), len(points)))
    return pd.DataFrame(rows, columns=COLUMNS)


def check(frame: pd.DataFrame) -> None:
    if (count := frame["parameter"].nunique()) > 1:
        raise Mistake(f"parameter: {count} different ones; pick the rows of one of them")
    if (frame["value"] <= 0).any():
        raise Mistake(f"value = {frame['value'].min():g}: a power law needs positive values")


def medians(rows: pd.DataFrame) -> pd.DataFrame:
    """One method's points: ``value, seconds, predicted``; seconds may be infinite."""
    of_value = rows.groupby("value")
    seconds, predicted = of_value["seconds"].agg(median), of_value["predicted"].median()
    return pd.DataFrame({"seconds": seconds, "predicted": predicted}).reset_index()


def slope(values: "pd.Series[float]", seconds: "pd.Series[float]") -> float:
    if len(values) < 2:
        return NAN
    return float(_slopes(np.log(np.asarray(values)), np.log(np.asarray(seconds))[None, :])[0])


def _slopes(x: Floats, rows: Floats) -> Floats:
    """Least-squares slopes through each row's finite points; NaN for fewer than two."""
    finite = np.isfinite(rows)
    count = finite.sum(axis=1, keepdims=True)
    y = np.where(finite, rows, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.where(finite, x - (finite * x).sum(axis=1, keepdims=True) / count, 0.0)
        slopes: Floats = (away * y).sum(axis=1) / (away**2).sum(axis=1)
    return np.where(count[:, 0] >= 2, slopes, NAN)


def _interval(
    of_method: pd.DataFrame, points: pd.DataFrame, confidence: float, seed: int, resamples: int
) -> tuple[float, float]:
    if len(points) < 2:
        return NAN, NAN
    x = np.log(points["value"].to_numpy(np.float64))
    if of_method.groupby("value").size().max() == 1:
        return _by_residuals(x, np.log(points["seconds"].to_numpy(np.float64)), confidence)

    def refit(*samples: Floats, axis: int = -1) -> Floats:
        drawn = [np.median(sample, axis=axis) for sample in samples]
        with np.errstate(divide="ignore"):
            lines = np.log(np.stack(drawn, axis=-1))
        return _slopes(x, lines.reshape(-1, len(x))).reshape(lines.shape[:-1])

    samples = [counted(of_method.loc[of_method["value"] == v, "seconds"]) for v in points["value"]]
    drawn = resampled(samples, refit, seed=seed, resamples=resamples)
    known = drawn[np.isfinite(drawn)]
    return ends(known, confidence) if known.size else (NAN, NAN)


def _by_residuals(x: Floats, y: Floats, confidence: float) -> tuple[float, float]:
    """Student's interval of a slope; two points have no residuals."""
    if len(x) < 3:
        return NAN, NAN
    middle = float(_slopes(x, y[None, :])[0])
    away = x - x.mean()
    residuals = y - y.mean() - middle * away
    error = np.sqrt((residuals**2).sum() / (len(x) - 2) / (away**2).sum())
    margin = float(t.ppf((1 + confidence) / 2, len(x) - 2) * error)
    return middle - margin, middle + margin


def _constant(law: pd.DataFrame) -> float:
    if law.empty:
        return NAN
    return float(np.exp(np.median(np.log(law["seconds"] / law["predicted"]))))
