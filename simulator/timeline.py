"""What did every worker do in the opening rounds?  One run's schedule, replayed into bars.

Only times are replayed, no gradient is computed again.  A bar is a computation and what has
become of it by the end of the replay; where a worker has none, it communicates or waits.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulator.cluster import Cluster, Collective
from simulator.cluster.law import Floats
from simulator.engine import Stalled, Stop
from simulator.experiment import Rhythm, simulation_of
from simulator.results import Results
from simulator.scenario import EvaluationTable, Scenario
from simulator.schedule import Accounts, Computation, Outcome, Step

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist

Kind = Literal["used", "pending", "recalled", "dropped", "communicating"]
"""Pending: still being computed or sent, or finished for a step that has not closed."""

KINDS: dict[Kind, tuple[str, str]] = {
    "used": ("#3A6FB0", "used"),
    "pending": ("#BBD3EB", "not used yet"),
    "recalled": ("#F2A93B", "recalled"),
    "dropped": ("#A3243B", "dropped, obsolete"),
    "communicating": ("#7A7A7A", "communication"),
}
"""The colour of each, and its name in the figure."""

GREY = "#555555"
ROUNDS = 4
"""How many steps of a method to show."""

GRADIENTS, MOST_GRADIENTS = 16, 160
"""How many gradients per worker to show at best, and at all."""

ALL_ROWS, SOME_ROWS = 40, 20
"""Up to how many workers are all shown, and how many of more are."""

MOST_LINES = 40
"""How many server steps may cross a panel."""

LOOKS = 500
"""How often at most a replay asks for how long everybody has communicated.

Of a step in between, the seconds of communication are right, but may be drawn too early.
"""

MOMENT = 1e-9
"""Communication shorter than this part of the time is the rounding of sums."""


class Bar(NamedTuple):
    """What a worker did from ``start`` to ``finish``."""

    start: float
    finish: float
    kind: Kind


class Replay(NamedTuple):
    """The opening of one run; ``bars`` by worker, in the order of time."""

    bars: dict[int, list[Bar]]
    steps: list[Step]
    accounts: Accounts
    stalled: bool


class Look(NamedTuple):
    """How long everybody had communicated by ``time``; when the batch of then was complete."""

    time: float
    communicated: Floats
    complete: float


class Extent(NamedTuple):
    """How much to replay; without ``workers`` all of them."""

    seconds: float
    workers: Sequence[int] | None = None
    dimension: int = 1


def replay(scenario: Scenario, label: str, seed: int, extent: Extent) -> Replay:
    """What some workers do under one method, up to some time or a standstill before it."""
    often = Rhythm(EvaluationTable(every_seconds=extent.seconds / LOOKS), Stop())
    options = {"dimension": extent.dimension, "account_when": often, "trace": True}
    simulation = simulation_of(scenario, label, seed, **options)
    steps: list[Step] = []
    stalled = False
    try:
        for step in simulation.steps(Stop(seconds=extent.seconds)):
            steps.append(step)  # noqa: PERF402  (what closed before a standstill is kept)
    except Stalled:
        stalled = True
    accounts, computations = simulation.accounts(), simulation.computations()
    everybody = range(scenario.cluster.workers)
    bars = _computing(computations, steps, extent.workers or everybody)
    looks = _looks(computations, steps, accounts, scenario.network.collective)
    for worker, row in bars.items():
        row.extend(list(_communicating(worker, row, looks)))
        row.sort()
    return Replay(bars, steps, accounts, stalled)


def _computing(
    computations: list[Computation], steps: list[Step], workers: Sequence[int]
) -> dict[int, list[Bar]]:
    used = {ticket for step in steps for ticket in step.tickets}
    bars: dict[int, list[Bar]] = {worker: [] for worker in workers}
    for ticket, start, finish, outcome in sorted(computations, key=lambda each: each.start):
        # What was recalled at the instant it started took no time and shows as nothing.
        if ticket.worker in bars and finish > start:
            bars[ticket.worker].append(Bar(start, finish, _kind(outcome, ticket in used)))
    return bars


def _kind(outcome: Outcome, used: bool) -> Kind:
    if outcome == "recalled" or outcome == "dropped":
        return outcome
    return "used" if used else "pending"


def _looks(
    computations: list[Computation], steps: list[Step], end: Accounts, collective: Collective
) -> list[Look]:
    """What the accounts said on the way."""
    done = {each.ticket: each.finish for each in computations if each.outcome == "finished"}
    looks = [Look(0.0, np.zeros_like(end.communicating), 0.0)]
    for step in steps:
        if step.accounts is not None:
            complete = max(done[ticket] for ticket in step.tickets)
            # A gathered upload waits for nobody, so it starts where the computing ends.
            begin = complete if collective == "max" else 0.0
            looks.append(Look(step.time, step.accounts.communicating, begin))
    return [*looks, Look(end.time, end.communicating, math.inf)]


def _communicating(worker: int, row: list[Bar], looks: list[Look]) -> Iterator[Bar]:
    """Lay the seconds that a worker has communicated into the gaps between its computations.

    A gap that a computation ends is all communication: with its last bit, the new point, the
    worker starts.  The gap before a step may hold waiting: first for the batch to be complete,
    and then, when its own upload is done, for the others'.
    """
    for before, now in pairwise(looks):
        left = float(now.communicated[worker] - before.communicated[worker])
        for start, finish in _gaps(row, before.time, now.time):
            seconds = min(left, finish - start)
            if seconds > MOMENT * now.time:
                latest = finish - seconds
                begin = min(max(start, now.complete), latest) if finish == now.time else start
                yield Bar(begin, begin + seconds, "communicating")
                left -= seconds


def _gaps(row: list[Bar], begin: float, end: float) -> Iterator[tuple[float, float]]:
    """Where a worker does not compute, between two times."""
    for bar in row[bisect_right(row, begin, key=lambda bar: bar.finish) :]:
        if bar.start >= end:
            break
        if bar.start > begin:
            yield begin, bar.start
        begin = bar.finish
    if begin < end:
        yield begin, end


def opening_seconds(results: Results) -> float:
    """How much of a comparison to draw, judged by the server steps of its first seed.

    The first few steps of as many methods as can be, while the gradients of a worker can still
    be told apart: a synchronous step at 100 s is not waited for where others do hundreds till then.
    """
    steps, runs = results.steps, results.runs
    workers = results.scenario.cluster.workers
    first = steps[steps["seed"] == steps["seed"].iloc[0]]
    moving = [run for _, run in first.groupby("method") if run["time"].iloc[-1] > 0]
    ends = {float(time) for run in moving for time in run["time"].iloc[1 : ROUNDS + 1]}
    if not ends:
        return float(runs["simulated_seconds"].max()) or 1.0
    readable = [time for time in ends if _gradients(moving, time) <= GRADIENTS * workers]
    seconds = max(readable, default=min(ends))
    return seconds * min(1.0, MOST_GRADIENTS * workers / _gradients(moving, seconds))


def _gradients(runs: "list[pd.DataFrame]", seconds: float) -> float:
    """How many the busiest method has used by then; a run that is over counts as going on."""
    return max(
        float(np.interp(seconds, run["time"], run["gradients"]))
        * max(1.0, seconds / float(run["time"].iloc[-1]))
        for run in runs
    )


def some_workers(cluster: Cluster) -> list[int]:
    """All workers, or, if they are too many for a figure, some from the fastest to the slowest.

    >>> from simulator.cluster import Cluster, Power
    >>> some_workers(Cluster(1000, Power(exponent=-1.0)))[:3]
    [0, 53, 105]
    """
    n = cluster.workers
    if n <= ALL_ROWS:
        return list(range(n))
    by_speed = np.argsort(cluster.computations(seed=0).nominal, kind="stable")
    return sorted(by_speed[np.linspace(0, n - 1, SOME_ROWS).round().astype(np.int64)].tolist())


def draw_timeline(results: Results, colours: Mapping[str, str]) -> Figure:
    """A panel for each of some methods, its heading in the method's colour."""
    scenario, seed = results.scenario, int(results.steps["seed"].iloc[0])
    workers = some_workers(scenario.build_cluster())
    extent = Extent(opening_seconds(results), workers, results.manifest["dimension"] or 1)
    openings = {label: replay(scenario, label, seed, extent) for label in colours}
    figure, panels = _panels(len(openings), len(workers))
    for axes, (label, opening) in zip(panels, openings.items(), strict=True):
        _draw_panel(axes, opening)
        _head_panel(axes, opening, label, colours[label])
    panels[0].set_xlim(0, extent.seconds)
    _draw_legend(figure, openings)
    note = f"Opening of seed {seed}."
    if len(workers) < scenario.cluster.workers:
        many = f"{len(workers)} of {scenario.cluster.workers:,} workers"
        note += f"  Shown are {many}, from the fastest to the slowest."
    figure.supxlabel(note, x=0.01, ha="left", fontsize=7, color=GREY)
    return figure


def _panels(count: int, rows: int) -> tuple[Figure, list[Axes]]:
    """One below the other, or in two columns, all with one axis of time."""
    columns = 1 if count <= 4 else 2
    ranks = math.ceil(count / columns)
    height = max(0.45, min(0.12, 1.6 / rows) * rows)
    figure = Figure(figsize=(7.0, 1.0 + ranks * (height + 0.3)), layout="constrained")
    grid = figure.subplots(ranks, columns, sharex=True, squeeze=False).T.ravel().tolist()
    for axes in grid[count:]:
        axes.remove()
    for column in range(columns):
        last = min((column + 1) * ranks, count) - 1
        grid[last].tick_params(labelbottom=True)
        grid[last].set_xlabel("simulated time (s)")
        # Where a column is shorter, there is room enough below.
        grid[last].xaxis.set_in_layout((last + 1) % ranks == 0)
    grid[0].xaxis.set_major_formatter("{x:,g}")
    figure.supylabel("worker", fontsize=9)
    return figure, grid[:count]


def _draw_panel(axes: Axes, opening: Replay) -> None:
    """One row per worker, the first on top, and a line at every server step."""
    busiest = max((len(row) for row in opening.bars.values()), default=0)
    for kind, (colour, _) in KINDS.items():
        boxes = [
            _box(bar, y)
            for y, row in enumerate(opening.bars.values())
            for bar in row
            if bar.kind == kind
        ]
        # One computation ends where the next begins: white between them, if there is room.
        edge = 0.4 if kind != "communicating" and busiest <= 5 * GRADIENTS else 0.0
        patches = PolyCollection(boxes, facecolor=colour, edgecolor="white", linewidth=edge)
        axes.add_collection(patches, autolim=False)
    times = sorted({step.time for step in opening.steps})
    # Lines without number would hide the bars: then they stand on top of the panel.
    top, bottom = (-0.5, len(opening.bars) - 0.5) if len(times) <= MOST_LINES else (-0.9, -0.5)
    axes.vlines(times, top, bottom, "black", linewidth=0.6, clip_on=False)


def _box(bar: Bar, y: int) -> list[tuple[float, float]]:
    # Communication is flatter, so that it stands out without colours too.
    half = 0.15 if bar.kind == "communicating" else 0.4
    low, high = y - half, y + half
    return [(bar.start, low), (bar.finish, low), (bar.finish, high), (bar.start, high)]


def _head_panel(axes: Axes, opening: Replay, label: str, colour: str) -> None:
    """The heading, and as many workers' numbers as fit."""
    steps, workers = opening.steps, list(opening.bars)
    axes.set_title(label, loc="left", color=colour, pad=6)
    told = f"{len(steps):,} steps, {steps[-1].used if steps else 0:,} gradients used"
    told = f"{told}, waits for ever" if opening.stalled else told
    axes.set_title(told, loc="right", color=GREY, fontsize=8, pad=6)
    shown = np.unique(np.linspace(0, len(workers) - 1, 4).round().astype(int)).tolist()
    axes.set_yticks(shown, [f"{workers[y]:,}" for y in shown])
    axes.set_ylim(len(workers) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _draw_legend(figure: Figure, openings: Mapping[str, Replay]) -> None:
    seen = {
        bar.kind for opening in openings.values() for row in opening.bars.values() for bar in row
    }
    keys: list[Artist] = [
        Patch(color=colour, label=name) for kind, (colour, name) in KINDS.items() if kind in seen
    ]
    keys.append(Patch(facecolor="white", edgecolor="#BBBBBB", label="waiting"))
    keys.append(Line2D([], [], color="black", linewidth=0.7, label="server step"))
    room = {"ncols": len(keys), "columnspacing": 1.2, "handlelength": 1.2}
    figure.legend(handles=keys, loc="outside upper left", **room)
