"""What did each worker do, all the time?  The timelines of a page, as far as it has room.

A timeline is the track of each worker (``trace/tracks.py``): computations with their fates,
transfers and outages.  Fates and kinds are numbered as they occur, so a page knows no list of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from simulator.engine import Sinks
from simulator.figures.opening import some_workers
from simulator.reports.packing import differences, packed, ticks
from simulator.reports.page import Widget
from simulator.results.results import Results
from simulator.schedule import Computation
from simulator.trace.chrome_trace import SERVER
from simulator.trace.tracks import Record, Rerun, Slice, layers_of, rerun

MOST = 120_000
"""Slices of all timelines of a page: about a megabyte."""
ROWS = 1_000
"""Workers of a timeline; of more, the page shows some, from the fastest to the slowest."""
RUNS = 16
"""Timelines of a page."""


class Track(NamedTuple):
    """The slices of one run, worker by worker; those of no worker are transfers and outages."""

    name: str
    counts: list[int]
    """Slices of each worker."""
    columns: dict[str, list[Any]]
    steps: list[float]
    end: float
    whole: float
    """The end of the run, where the timeline is cut."""


def widget(results: Results, others: Mapping[str, Results] | None = None) -> Widget:
    """The timelines of results, or of several results of the same scenario by name."""
    named = others or {"": results}
    workers = some_workers(results.scenario.build_cluster(), results.scenario.seeds[0], ROWS, ROWS)
    rows = [SERVER, *workers]
    chosen = _chosen(named, len(workers))
    tracks = [_track(name, of, row, rows, most) for name, of, row, most in chosen]
    found = dict.fromkeys(kind for each in tracks for kind in each.columns["kind"])
    kinds = sorted(found, key=lambda kind: not kind.ticket)  # computations first
    if not any(track.counts[0] for track in tracks):
        rows, tracks = workers, [track._replace(counts=track.counts[1:]) for track in tracks]
    content = {
        "workers": ["server" if row == SERVER else str(row) for row in rows],
        "of": results.scenario.cluster.workers,
        "kinds": [kind._asdict() for kind in kinds],
        "runs": [_packed(track, kinds) for track in tracks],
        "note": _note(named, tracks, len(workers), results.scenario.cluster.workers),
    }
    return Widget("timeline", content)


def _chosen(
    named: Mapping[str, Results], workers: int
) -> Iterator[tuple[str, Results, dict[str, Any], int]]:
    """Runs, each with the most slices that it may have: all of the first seed, others if small."""
    rows = [(name, of, row) for name, of in named.items() for row in of.manifest["runs"]]
    seeds = list(dict.fromkeys(row["seed"] for *_, row in rows))
    methods = list(dict.fromkeys(row["method"] for *_, row in rows))
    rows.sort(key=lambda each: (seeds.index(each[2]["seed"]), methods.index(each[2]["method"])))
    first = [each for each in rows if each[2]["seed"] == seeds[0]]
    share = MOST // max(1, len(first))
    left = MOST
    for at, (name, of, row) in enumerate(rows):
        expected = _expected(of, row, workers)
        if at < len(first) or (at < RUNS and expected <= left):
            label = ", ".join(filter(None, [row["method"], name, f"seed {row['seed']}"]))
            yield label, of, row, share if at < len(first) else left
            left -= min(expected, share)


def _expected(results: Results, row: Mapping[str, Any], workers: int) -> int:
    """About as many slices as a run has on the shown workers."""
    of, transfers = results.scenario.cluster.workers, (row["communicating_share"] or 0.0) > 0
    return int(row["started"] * workers / of * (3 if transfers else 1))


def _track(
    name: str, results: Results, row: Mapping[str, Any], workers: Sequence[int], most: int
) -> Track:
    expected = _expected(results, row, len(workers))
    seconds = float(row["simulated_seconds"])
    again = rerun(
        results, row["method"], row["seed"], seconds * min(1.0, 2 * most / max(1, expected))
    )
    records, steps = _records(again, workers)
    slices = [
        [*_of_server(own)]
        if worker == SERVER
        else [each for each in again.track(layers_of(own)) if each.record is not None]
        for worker, own in records.items()
    ]
    starts = np.sort([each.start for own in slices for each in own])
    end = again.end if len(starts) <= most else float(starts[most])
    shown = [[each for each in own if each.start < end] for own in slices]
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for each in (each for own in shown for each in own):
        assert each.record is not None
        values = (each.start, min(each.finish, end), *_names(each.record))
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    times = [time for time in steps if time <= end]
    return Track(name, list(map(len, shown)), columns, times, end, seconds)


def _of_server(records: list[Record]) -> Iterator[Slice]:
    """What the server did, in order: trainings, and collectives between them."""
    reached = 0.0
    for record in sorted(records, key=lambda each: (each.start, each.finish)):
        if record.finish > max(record.start, reached):
            yield Slice(max(record.start, reached), record.finish, record)
            reached = record.finish


COLUMNS = ("start", "finish", "kind", "version", "index", "step")


class Kind(NamedTuple):
    """A fate of a computation, or something else that a worker or the server did."""

    name: str
    ticket: bool
    thin: bool
    """Whether it is drawn as a thin line."""


def _names(record: Record) -> tuple[Kind, int, int, int]:
    """The kind, version, index, and step, 0 for none."""
    if isinstance(record, Computation):
        ticket = record.ticket
        return Kind(record.outcome, True, False), ticket.version, ticket.index, record.step or 0
    thin = record.kind != "down" and record.worker != SERVER
    return Kind(record.kind, False, thin), record.version, 0, 0


def _records(again: Rerun, workers: Sequence[int]) -> tuple[dict[int, list[Record]], list[float]]:
    """The records of these workers, and the times of the steps."""
    records: dict[int, list[Record]] = {worker: [] for worker in workers}

    def keep(record: Record) -> None:
        worker = record.ticket.worker if isinstance(record, Computation) else record.worker
        if worker in records:
            records[worker].append(record)

    times = [step.time for step in again.steps(Sinks(keep, keep))]
    return records, times


def _packed(track: Track, kinds: Sequence[Kind]) -> dict[str, Any]:
    """Times as ticks: the gap before a slice, and its length; numbers as differences."""
    columns, end = track.columns, track.end
    start, finish = ticks(columns["start"], end), ticks(columns["finish"], end)
    before = np.append(0, finish)[:-1]
    before[np.cumsum([0, *track.counts[:-1]])[np.array(track.counts) > 0]] = 0
    numbers = {kind: at for at, kind in enumerate(kinds)}
    delays = np.array(columns["step"]) - np.array(columns["version"])
    arrays = {
        "counts": np.array(track.counts, np.uint32),
        "gap": (start - before).clip(min=0).astype(np.uint32),
        "length": (finish - start).astype(np.uint32),
        "kind": np.array([numbers[kind] for kind in columns["kind"]], np.uint8),
        "version": differences(columns["version"]),
        "index": np.array(columns["index"], np.uint32),
        "delay": np.where(np.array(columns["step"]) > 0, delays, 0).astype(np.uint32),
        "steps": differences(ticks(track.steps, end)),
    }
    return {"name": track.name, "end": end, "whole": track.whole, "columns": packed(arrays)}


def _note(named: Mapping[str, Results], tracks: Sequence[Track], shown: int, of: int) -> str:
    """Where the timelines are cut or sampled; empty if they are complete."""
    lines = []
    if shown < of:
        lines.append(
            f"{shown:,} of {of:,} workers are shown, evenly from the fastest to the slowest."
        )
    if cut := [each for each in tracks if each.end < each.whole]:
        lines.append(
            f"{len(cut)} of {len(tracks)} timelines end early, to keep the file small; "
            "straggle timeline writes all of a run."
        )
    left = sum(len(results.manifest["runs"]) for results in named.values()) - len(tracks)
    if left:
        lines.append(f"{left} further run{'s have' if left > 1 else ' has'} no timeline here.")
    return " ".join(lines)
