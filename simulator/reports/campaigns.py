"""The reports of sweeps, studies and comparisons, which are many runs, and of real runs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simulator.comparison import words
from simulator.comparison.comparison import Compared
from simulator.realtime import prediction
from simulator.realtime.prediction import Prediction
from simulator.realtime.run import notes as notes_of_real
from simulator.reports import curves, intervals, markup, run
from simulator.reports.curves import Axis, Curve, Level
from simulator.reports.page import Page, Section, Widget
from simulator.results.results import Results
from simulator.scenario import toml_text
from simulator.statistics.exponents import exponents, medians
from simulator.study import growth, study
from simulator.sweeps import sweep as sweeps
from simulator.sweeps import tuning
from simulator.sweeps.score import keys_of, ranked
from simulator.text_table import Table

if TYPE_CHECKING:
    from simulator.sweeps.sweep import Swept

CURVES = 60
"""Curves of a chart."""


def _results(tables: Sequence[Table], notes: Sequence[str], *more: str | Widget) -> Section:
    return Section("results", "Results", [run.tables(tables), markup.items(notes), *more])


# Sweeps


def of_sweep(swept: "Swept") -> Page:
    """The best settings, and the scores of all."""
    found = tuning.best_of(swept.frame)
    tables, notes = tuning.tables(found, swept), tuning.notes(found, swept)
    manifest = sweeps.manifest_in(swept.directory)
    scores = [chart for key in keys_of(swept.frame) for chart in _scores(swept.frame, key)]
    sections = [_results(tables, notes)]
    sections += [Section("scores", "Scores of all settings", scores)] if scores else []
    text = toml_text.document(manifest["scenario"])
    varied = {name: table for name, table in manifest["sweep"].items() if name != "scenario"}
    text = f"{toml_text.document(varied)}\n# The scenario\n\n{text}"
    sections.append(run.written(manifest["command"], manifest["versions"], text))
    return Page(swept.sweep.table.title or swept.directory.name, "sweep", sections)


def _scores(frame: pd.DataFrame, key: str) -> list[Widget]:
    """The score of each method against one key, with all other settings at their best."""
    first = frame[frame["round"] == 1]
    tried = pd.to_numeric(first[key], errors="coerce")
    if tried.nunique() < 2:
        return []
    first = first.assign(**{key: tried})
    best = ranked(first).drop_duplicates(["case", "method", key]).dropna(subset=[key])
    labels = {row["setting"]: tuning.label_of(row, frame) for row in tuning.rows_of(best)}
    own = first[first["setting"].isin(labels)]
    groups = (
        own.assign(label=own["setting"].map(labels))
        .sort_values(key)
        .groupby(["label", "seed"], sort=False)
    )
    lines = [
        Curve(str(label), str(seed), {key: each[key], "score": _finite(each["score"])})
        for (label, seed), each in groups
    ]
    of_times = first["score_kind"].iloc[0] == "time"
    name = tuning.score_name(frame)
    axes = [Axis(key, key, _is_wide(tried), False)], [Axis("score", name, of_times, False)]
    note = "All other settings are at their best in each point."
    middle = "median" if of_times else "mean"
    return [curves.widget(f"{name} against {key}", lines[:CURVES], *axes, middle=middle, note=note)]


def _finite(values: Any) -> Any:
    numbers = np.asarray(values, np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _is_wide(values: Any) -> bool:
    known = np.asarray(values.dropna(), np.float64)
    return bool(known.min() > 0 and known.max() >= 10 * known.min())


# Studies


def of_study(frame: pd.DataFrame, directory: Path, confidence: float) -> Page:
    """How the time to the target grows, measured and predicted."""
    name = str(frame["parameter"].iloc[0])
    manifest = study.manifest_in(directory)
    lines = [
        Curve(str(method), str(seed), {"value": own["value"], "seconds": own["seconds"]})
        for (method, seed), own in frame.sort_values("value").groupby(
            ["method", "seed"], sort=False
        )
    ]
    axes = (
        [Axis("value", name, True, False)],
        [Axis("seconds", "seconds to the target", True, False)],
    )
    note = "A line of theory has the predicted exponent and a fitted constant."
    theory = _theory(frame, confidence)
    chart = curves.widget("", [*lines, *theory], *axes, note=note if theory else "")
    sections = [
        _results([growth.table(frame, confidence)], growth.notes(frame, confidence)),
        Section("growth", f"Time to the target against {name}", [chart]),
        run.written(
            manifest["command"], manifest["versions"], toml_text.document(manifest["scenario"])
        ),
    ]
    title = manifest["scenario"].get("title") or directory.name
    return Page(f"{title}: growth with {name}", "study", sections)


def _theory(frame: pd.DataFrame, confidence: float) -> list[Curve]:
    fitted = exponents(frame, confidence).set_index("method")["constant"]
    found = []
    for method, own in frame.groupby("method", sort=False):
        points = medians(own)
        if np.isfinite(fitted[method]):
            predicted = {"value": points["value"], "seconds": fitted[method] * points["predicted"]}
            found.append(Curve(f"theory, {method}", "theory", predicted))
    return found


# Comparisons


def of_comparison(compared: Compared) -> Page:
    """Which method is ahead at each level, and the race that shows it."""
    metric = compared.scenario.metric.replace("_", " ")
    bars = [
        intervals.Bar(
            each.method,
            each.times_low,
            each.times,
            each.times_high,
            note="at least" if each.at_least else "",
            group=f"{metric} {each.level:,.4g}",
        )
        for each in compared.standings
        if each.method != each.leader
    ]
    more = (
        [intervals.widget("Times the leader's seconds", "times as long", bars, 1.0)] if bars else []
    )
    head = _results(words.tables(compared), words.notes(compared), *more)
    levels = [
        Level(level, f"{level:,.4g}", compared.scenario.metric)
        for level in compared.levels
        if level != compared.scenario.stop.target
    ]
    title = compared.scenario.title or compared.directory.name
    return Page(title, "comparison", [head, *run.sections(compared.race, levels=levels)])


# Real runs


def of_real(results: Results, predictions: Sequence[Prediction]) -> Page:
    """What happened in real time, and what the simulator predicted."""
    more: list[str | Widget] = [markup.items(notes_of_real(results))]
    if not predictions:
        return run.page(results, "real run", more)
    more.insert(0, run.tables([prediction.table(predictions)]))
    head = run.page(results, "real run", more)
    without = {name: value for name, value in results.manifest.items() if name != "real"}
    both = {"real": results, "simulated": replace(results, manifest=without)}
    return replace(head, sections=[head.sections[0], *run.sections(results, both)])
