"""Which data frames does a sweep write?  A row per run, and a row per evaluation."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from simulator.campaign.rows import Row
from simulator.scenario.toml_text import inline
from simulator.sweeps.keys import column
from simulator.sweeps.score import keys_of, score_of
from simulator.sweeps.sweep_file import ScoreTable, Sweep
from simulator.sweeps.trials import Trial


def frame_of(sweep: Sweep, trials: Sequence[Trial], rows: Mapping[str, Row]) -> pd.DataFrame:
    score, cases = sweep.table.score, _numbered(trial.setting.case for trial in trials)
    keys = list(dict.fromkeys(column(path) for path in sweep.keys))
    found = []
    for trial in trials:
        setting, row = trial.setting, rows[trial.task.key]
        seconds = _until(score, trial)
        found.append(
            {
                "method": row["method"],
                "seed": row["seed"],
                "case": cases[setting.case],
                "setting": trial.number,
                "round": trial.round.number,
                **{name: setting.values.get(name) for name in keys},
                "score": score_of(row, score.kind, seconds),
                "score_kind": score.kind,
                **{name: value for name, value in row.items() if name != "curve"},
                "key": trial.task.key,
            }
        )
    frame = pd.DataFrame(found)
    return frame.assign(**{name: _readable(frame[name].tolist()) for name in keys})


def _until(score: ScoreTable, trial: Trial) -> float | None:
    """The second of the score; None for the end of the run."""
    whole = trial.setting.scenario.stop.seconds if score.kind in ("average", "late") else None
    seconds = score.seconds or whole
    return seconds and seconds * trial.round.share


def _numbered(words: Any) -> dict[str, int]:
    return {word: number for number, word in enumerate(dict.fromkeys(words))}


def _readable(values: list[Any]) -> list[Any]:
    """A column of one type: all numbers, or else the text of each value as in a file."""
    values = [None if isinstance(v, float) and math.isnan(v) else v for v in values]
    if all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values):
        return [math.nan if value is None else value for value in values]
    return [value if value is None or isinstance(value, str) else inline(value) for value in values]


def curves_of(
    trials: Sequence[Trial], rows: Mapping[str, Row], frame: pd.DataFrame
) -> pd.DataFrame:
    """Every evaluation, with the identity of its run."""
    identity = frame[["method", "seed", "case", "setting", "round", *keys_of(frame)]]
    each = [
        pd.DataFrame(rows[trial.task.key]["curve"]).assign(row=at)
        for at, trial in enumerate(trials)
    ]
    return identity.merge(pd.concat(each), left_index=True, right_on="row").drop(columns="row")
