"""The report of a run: what happened, why, and how to repeat it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simulator.reports import curves, intervals, markup, seconds, timeline
from simulator.reports.curves import Level
from simulator.reports.page import Page, Section, Widget
from simulator.results.columns import length
from simulator.results.results import Results
from simulator.statistics import report
from simulator.text_table import Table

VERIFIED = 200_000
"""Computations that verification replays for a page: a few seconds."""


def page(results: Results, kind: str = "run", more: Iterable[str | Widget] = ()) -> Page:
    """The page of a run; ``more`` comes below its table."""
    return Page(title_of(results), kind, [_results(results, more), *sections(results)])


def title_of(results: Results) -> str:
    """The scenario's title, or the name of the directory."""
    return str(results.scenario.title or results.directory.name)


def sections(
    results: Results, others: Mapping[str, Results] | None = None, levels: Sequence[Level] = ()
) -> list[Section]:
    """All but the results: curves, timelines, seconds, staleness, and the record.

    The timelines are those of ``others``, if there are some; ``levels`` are lines among the curves.
    """
    if not length(results.step_columns):
        return [record(results)]
    learnt = "Steps" if results.schedule_only else "Learning curves"
    return [
        Section("curves", learnt, [curves.learning(results, levels)]),
        Section("timeline", "Timeline of the workers", [timeline.widget(results, others)]),
        Section("seconds", "Seconds of each worker", [seconds.widget(results)]),
        Section("staleness", "Staleness and waste", [curves.staleness(results)]),
        record(results),
    ]


def _results(results: Results, more: Iterable[str | Widget]) -> Section:
    table, notes = report.table(results), [*_missing(results), *report.notes(results)]
    parts: list[str | Widget] = []
    if not results.schedule_only and length(results.step_columns):
        table, bars = intervals.with_intervals(table, results)
        if any(len(bar.dots) > 1 for bar in bars):
            parts.append(intervals.widget("", table.headings[1], bars))
            notes = [*notes, "interval: of the median over the seeds, by bootstrap"]
    return Section("results", "Results", [tables([table]), markup.items(notes), *parts, *more])


def _missing(results: Results) -> list[str]:
    """That runs are missing, and the command that finishes them."""
    manifest, scenario = results.manifest, results.scenario
    if manifest["status"] not in ("running", "interrupted"):
        return []
    ended = sum(run["end"] != "interrupted" for run in manifest["runs"])
    total = len(scenario.methods) * len(scenario.seeds)
    remedy = f"; straggle run --resume {results.directory} finishes the rest"
    # Real time cannot be continued.
    return [f"interrupted: {ended} of {total} runs have ended{'' if results.real else remedy}"]


def tables(content: Sequence[Table]) -> str:
    return "".join(markup.wide(markup.table(each)) for each in content)


def record(results: Results) -> Section:
    """The scenario, the command, the versions, and the verification."""
    manifest = results.manifest
    lines = [*_verified(results), *_seal(manifest)]
    return written(manifest["command"], manifest["versions"], results.scenario.to_toml(), lines)


def written(
    command: str, versions: Mapping[str, str], scenario: str, verified: Sequence[str] = ()
) -> Section:
    """How the results came about; ``verified`` are lines of a verification."""
    parts = []
    if command:
        parts.append("<h3>Command</h3>" + markup.code(command, "Command"))
    if verified:
        parts.append("<h3>Verification</h3>" + markup.items(verified))
    if versions:
        rows = [[name, version] for name, version in versions.items()]
        parts.append(
            f"<h3>Versions</h3>{tables([Table(['package', 'version'], rows, words=(0, 1))])}"
        )
    if scenario:
        parts.append("<h3>Scenario</h3>" + markup.code(scenario, "Scenario"))
    return Section("record", "How to repeat it", parts)


def _verified(results: Results) -> list[str]:
    """What verification finds, of as much as is replayed in a few seconds."""
    from simulator.verification import verify

    return verify(results, most=VERIFIED).lines()


def _seal(manifest: Mapping[str, Any]) -> list[str]:
    seal = manifest.get("seal")
    return [f"seal: {seal if isinstance(seal, str) else json.dumps(seal)}"] if seal else []
