"""Draws the figures of docs/clusters from the examples on its pages, with the product's own code.

python docs/figures.py              into docs/images/laws
python docs/figures.py --png DIR    as PNG, to look at
python docs/figures.py --check      are the committed ones what is drawn today?
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from drawings import durations, speeds, timelines, transfers
from drawings.style import STYLE, fingerprint, fingerprint_in, save
from matplotlib import rc_context
from matplotlib.figure import Figure

from simulator.cluster import LAWS
from simulator.cluster.speeds import SPEEDS

HERE = Path(__file__).resolve().parent / "images" / "laws"

FIGURES: dict[str, Callable[[], Figure]] = {
    **{name: partial(durations.law, name) for name in LAWS},
    **{name: partial(speeds.speed, name) for name in SPEEDS},
    "outages": timelines.outages,
    "environment-steps": timelines.environment_steps,
    "collectives": transfers.collectives,
    "sending": transfers.sending,
}


def drawn(name: str) -> Figure:
    with rc_context(STYLE):
        figure = FIGURES[name]()
        figure.draw_without_rendering()
        return figure


def stale(names: Iterable[str] = FIGURES) -> list[str]:
    """The figures that are missing, or differ from today's drawing."""
    return [
        name for name in names if fingerprint_in(HERE / f"{name}.svg") != fingerprint(drawn(name))
    ]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        for name in (found := stale()):
            print(f"{name}: docs/images/laws/{name}.svg is not what docs/figures.py draws")
        return 1 if found else 0
    folder, suffix = (Path(arguments[1]), "png") if arguments[:1] == ["--png"] else (HERE, "svg")
    folder.mkdir(parents=True, exist_ok=True)
    for name in FIGURES:
        save(drawn(name), folder / f"{name}.{suffix}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
