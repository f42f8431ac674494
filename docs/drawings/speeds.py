"""How fast is each worker, and when are its gradients done?  Its page's first example, drawn."""

from collections import defaultdict

import numpy as np
from matplotlib.figure import Figure

from algorithms.methods import greedy
from drawings.pages import PAGES, beside_its_files, scenarios
from drawings.style import BLUE, GREY, SKY, canvas
from simulator.cluster import Cluster
from simulator.cluster.law import Floats
from simulator.engine import Simulation, Stop

MOMENTS = 720
MOST = 4
"""How many workers are drawn."""


def speed(name: str) -> Figure:
    page = PAGES / "speeds" / f"{name}.md"
    scenario = scenarios(page)[0]
    until = scenario.stop.seconds
    assert until is not None
    with beside_its_files():
        return rows(scenario.build_cluster(), until)


def rows(cluster: Cluster, until: float) -> Figure:
    """A strip per worker: its speed, and a tick where a gradient is done."""
    many = min(MOST, cluster.workers)
    figure = canvas(0.75 + 0.62 * many)
    strips = figure.subplots(many, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    done = gradients(cluster, until)
    edges, speeds = speeds_of(cluster, until)
    top = max(1.0, float(speeds[:many].max()))
    for worker, axes in enumerate(strips):
        times, outline = steps_of(edges, speeds[worker])
        axes.fill([0, *times, until], [0, *outline, 0], color=SKY, linewidth=0)
        axes.plot(times, outline, color=BLUE, lw=1.2)
        ends = done[worker]
        axes.plot(ends, [-0.17 * top] * len(ends), "|", color="black", ms=6, mew=0.8)
        axes.axhline(1.0, color=GREY, lw=0.6, ls=(0, (2, 3)))
        axes.set_ylabel(f"worker {worker}", rotation=0, ha="right", va="center")
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)
        axes.set_yticks([0, 1])
    strips[0].set(ylim=(-0.34 * top, 1.08 * top), xlim=(0, until))
    strips[0].set_title("speed (dotted: 1) and finished gradients (ticks)")
    strips[-1].set_xlabel("simulated seconds")
    strips[-1].tick_params(axis="x", length=3)
    return figure


def speeds_of(cluster: Cluster, until: float) -> tuple[Floats, Floats]:
    """The mean speed of each worker in many short intervals."""
    pace, edges = cluster.pace(seed=0), np.linspace(0, until, MOMENTS + 1)
    assert pace is not None
    work = np.array([[pace.work(w, t) for t in edges] for w in range(cluster.workers)])
    return edges, np.diff(work, axis=1) / np.diff(edges)


def steps_of(edges: Floats, speeds: Floats) -> tuple[Floats, Floats]:
    """The corners of a line that is level where the speed is."""
    changes = np.flatnonzero(np.abs(np.diff(speeds)) > 1e-6) + 1
    begins = np.concatenate([[0], changes])
    times = np.repeat(np.concatenate([edges[begins], edges[-1:]]), 2)[1:-1]
    return times, np.repeat(speeds[begins], 2)


def gradients(cluster: Cluster, until: float) -> dict[int, list[float]]:
    """When each worker finishes, if it starts again at once."""
    done = defaultdict(list)
    for step in Simulation(cluster, greedy(), seed=0).steps(Stop(seconds=until)):
        done[step.tickets[0].worker].append(step.time)
    return done
