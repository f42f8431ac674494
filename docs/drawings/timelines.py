"""What does every worker do, and what becomes of its gradients?  Bars over simulated time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from algorithms.methods import rennala
from algorithms.tickets import Ticket
from algorithms.vocabulary import Aggregation
from drawings.pages import PAGES, scenarios
from drawings.style import BLUE, GREY, ORANGE, RED, SKY, canvas
from simulator.cluster import Cluster
from simulator.cluster.random_words import keys, uniforms, words
from simulator.engine import Simulation, Sinks, Stop
from simulator.schedule import Computation, Stretch

KINDS = {
    "used": (BLUE, "used"),
    "waiting": (SKY, "not used yet"),
    "unfinished": (SKY, "not used yet"),
    "recalled": (ORANGE, "recalled"),
    "dropped": ("#8C6BB1", "dropped"),
    "lost": (RED, "lost"),
    "sending": ("#7A7A7A", "sending"),
    "down": ("white", "not there"),
}


class Story(NamedTuple):
    """All that happened in a run, and when its server steps closed."""

    computations: list[Computation]
    stretches: list[Stretch]
    steps: list[float]


def story_of(cluster: Cluster, aggregation: Aggregation, stop: Stop, **options: Any) -> Story:
    story = Story([], [], [])
    sinks = Sinks(story.computations.append, story.stretches.append)
    simulation = Simulation(cluster, aggregation, trace=sinks, **options)
    story.steps.extend(step.time for step in simulation.steps(stop))
    simulation.close_trace()
    return story


def bars(axes: Axes, story: Story, workers: int) -> None:
    for ticket, start, finish, outcome, *_ in story.computations:
        axes.barh(
            ticket.worker, finish - start, left=start, height=0.66, color=KINDS[outcome][0],
            edgecolor="white", linewidth=0.8,
        )  # fmt: skip
    for kind, worker, start, finish, _ in story.stretches:
        if kind == "down":
            axes.barh(
                worker, finish - start, left=start, height=0.66, color="white",
                hatch="////", edgecolor="#C4C4C4", linewidth=0.6,
            )  # fmt: skip
        elif kind == "sending":
            colour = KINDS["sending"][0]
            axes.barh(worker, finish - start, left=start, height=0.3, color=colour, linewidth=0)
    for time in story.steps:
        axes.axvline(time, color="black", lw=0.7, ls=(0, (3, 2)))
    axes.set_ylim(workers - 0.45, -0.55)
    axes.set_yticks(range(workers))
    axes.set_yticklabels([f"worker {worker}" for worker in range(workers)])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def legend(figure: Figure, kinds: Sequence[str]) -> None:
    handles = [
        Patch(
            facecolor=KINDS[kind][0],
            label=KINDS[kind][1],
            **({"hatch": "////", "edgecolor": "#C4C4C4"} if kind == "down" else {}),
        )
        for kind in kinds
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def outages() -> Figure:
    """The page's example, once with each fate of the work."""
    scenario = scenarios(PAGES / "outages.md")[0]
    cluster, until = scenario.build_cluster(), scenario.stop.seconds
    assert until is not None
    figure = canvas(3.9)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, work in zip(panels, ("lost", "continued"), strict=True):
        one = replace(cluster, outages=replace(cluster.outages, work=work))
        story = story_of(one, rennala(scenario.methods["rennala-nigt"].batch), Stop(seconds=until))
        bars(axes, story, cluster.workers)
        axes.set_title(f'in_outage = "{work}": {len(story.steps)} server steps (dashed)')
        axes.set_xlim(0, until)
    panels[-1].set_xlabel("simulated seconds")
    legend(figure, ("used", "waiting", "recalled", "lost", "down"))
    return figure


MEAN, HORIZON, MANY = 40.0, 200, 2000
"""Environment steps of an episode on average, and at most; and batches to average over."""


def lengths(tickets: Sequence[Ticket]) -> list[int]:
    """Episodes that end at each step with the same probability, by the tickets' names."""
    found = []
    for worker, version, index in tickets:
        word = words(keys(version, "episode", worker + 1)[-1:], np.array([index]))
        found.append(min(HORIZON, 1 + int(-MEAN * np.log(uniforms(word)[0]))))
    return found


def environment_steps() -> Figure:
    """One batch under each count, and the mean length of the episodes used in many."""
    scenario = scenarios(PAGES / "environment-steps.md")[0]
    cluster, batch = scenario.build_cluster(), scenario.methods["rennala-nigt"].batch
    figure = canvas(4.3)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, count in zip(panels, ("first-finished", "earliest-started"), strict=True):
        method = rennala(batch, count=count)
        story = story_of(cluster, method, Stop(steps=1), lengths=lengths)
        bars(axes, story, cluster.workers)
        steps = list(Simulation(cluster, method, lengths=lengths).steps(Stop(steps=MANY)))
        used = np.mean([lengths(step.tickets) for step in steps])
        seconds = steps[-1].time / MANY
        axes.set_title(
            f'count = "{count}": episodes used take {used:.0f} steps on average, '
            f"a batch {seconds:.2f} s"
        )
    panels[0].set_xlim(0, None)
    panels[-1].set_xlabel("simulated seconds (one batch)")
    legend(figure, ("used", "recalled", "dropped"))
    every = np.mean(lengths([Ticket(w, v, 0) for v in range(MANY) for w in range(4)]))
    figure.suptitle(
        f"all episodes: {every:.0f} steps on average", x=0.01, ha="left", fontsize=9, color=GREY
    )
    return figure
