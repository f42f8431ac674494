"""What does an all-reduce cost, and when does each worker send?"""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from algorithms.methods import synchronous
from drawings.style import BLUE, GREEN, GREY, ORANGE, PINK, RED, canvas, grid
from drawings.timelines import bars, legend, story_of
from simulator.cluster import Cluster, Fixed, Network, Uplink, Vector, Wire
from simulator.engine import Simulation, Stop

VECTOR = Vector(dimension=1_000_000, itemsize=4)
LINK = Wire(bandwidth=Fixed(4e7), latency=Fixed(0.002))
"""A million float32 at 40 megabytes a second: a tenth of a second."""
UPLINK, SHARED = Uplink(bandwidth=4e8), Uplink(bandwidth=4e8, contention="share")
MOST = 96
KINDS: dict[str, tuple[str, Network]] = {
    "max, gather": (BLUE, Network(LINK)),
    "server, queue": (RED, Network(LINK, collective="parameter-server", uplink=UPLINK)),
    "server, share": (PINK, Network(LINK, collective="parameter-server", uplink=SHARED)),
    "tree": (GREEN, Network(LINK, collective="tree")),
    "ring": (ORANGE, Network(LINK, collective="ring")),
}


def collectives() -> Figure:
    """The seconds of one all-reduce against the number of participants, all of them alike."""
    figure = canvas(2.9)
    axes = figure.subplots()
    participants = range(1, MOST + 1)
    for label, (colour, network) in KINDS.items():
        seconds = [seconds_of(network, many) for many in participants]
        axes.plot(participants, seconds, color=colour, lw=1.8)
        axes.text(MOST * 1.06, seconds[-1], label, color=colour, va="center")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_ylim(0.05, None)
    axes.set_xlim(1, MOST)
    axes.set(xlabel="participants", ylabel="seconds")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_title("an all-reduce of 4 MB: latency 2 ms, 40 MB/s per worker, uplink 400 MB/s")
    grid(axes, "both")
    return figure


def seconds_of(network: Network, participants: int) -> float:
    """A synchronous step in which all workers compute for one second, without that second."""
    cluster = Cluster(participants, Fixed(1.0), network)
    [step] = Simulation(cluster, synchronous(), vector=VECTOR).steps(Stop(steps=1))
    return step.time - 1.0 or math.nan  # nothing has no place on a logarithmic scale


def sending() -> Figure:
    """The same round of four workers under four ways to send."""
    figure = canvas(3.9)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, (title, network) in zip(panels.flat, networks().items(), strict=True):
        one_round(axes, network)
        axes.set_title(title)
    for axes in panels[-1]:
        axes.set_xlabel("simulated seconds")
    panels[0, 0].set_xlim(0, 6.6)
    legend(figure, ("used", "sending"))
    return figure


def networks() -> dict[str, Network]:
    link = Wire(bandwidth=Fixed([1.0, 1.0, 2.0, 2.0]))
    queue, share = Uplink(bandwidth=2.0), Uplink(bandwidth=2.0, contention="share")
    return {
        '"max"': Network(link, collective="max"),
        '"gather"': Network(link, collective="gather"),
        '"parameter-server", queue': Network(link, collective="parameter-server", uplink=queue),
        '"parameter-server", share': Network(link, collective="parameter-server", uplink=share),
    }


def one_round(axes: Axes, network: Network) -> None:
    cluster = Cluster(4, Fixed([1.0, 1.5, 2.0, 3.0]), network)
    story = story_of(cluster, synchronous(), Stop(steps=1), vector=Vector(1, 1))
    bars(axes, story, 4)
    end = story.steps[0]
    axes.text(end, -0.42, f" {end:g} s", color=GREY, fontsize=8.5, va="center")
