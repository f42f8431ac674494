"""Measures the figures that are published, and lays out the tables of docs/performance.md.

python docs/performance.py NAME ...    measures these benchmarks anew, at full size
python docs/performance.py             lays out what was measured
python docs/performance.py --figure    draws the cost against the number of workers
"""

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

import benchmarks  # noqa: E402
from benchmarks import report  # noqa: E402
from benchmarks.machine import machine  # noqa: E402
from benchmarks.published import NAME, Measured, published  # noqa: E402

PAGE = HERE / "performance.md"
FIGURES = HERE.parent / "tests" / "benchmarks" / NAME
TABLE = re.compile(r"(?:^\|.*\n)+", re.M)
COLOURS = ("#0072B2", "#D55E00", "#CC79A7", "#009E73")


def measure(names: list[str]) -> None:
    """Measure these benchmarks and keep the other numbers, which must come from this machine."""
    known, watch = published().benchmarks, benchmarks.Stopwatch(heard=print)
    for name in benchmarks.chosen(names):
        known[name] = list(benchmarks.measured(name, watch))
    ordered = {name: known[name] for name in benchmarks.BENCHMARKS if name in known}
    data = Measured(machine(), ordered).as_data()
    FIGURES.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def laid_out(page: str) -> str:
    """The page with the tables of today's figures: all but the curve's, and the curve's."""
    known = published().benchmarks
    curve = known.pop("curve")
    rows = [row for rows in known.values() for row in rows]
    tables = iter([report.of_documents(rows), report.of_documents(curve)])
    return TABLE.sub(lambda old: next(tables, old[0]), page)


def figure(path: Path, repetitions: int = 5) -> None:
    from benchmarks.curve import METHODS, SIZES, cost, heap_cost
    from benchmarks.schedules import LAWS
    from matplotlib import pyplot as plt

    drawn, panels = plt.subplots(1, 2, figsize=(7.2, 3.0), sharey=True, layout="constrained")
    heap = [heap_cost(n, repetitions) for n in SIZES]
    for axes, (name, law) in zip(panels, LAWS.items(), strict=True):
        for method, colour in zip(METHODS, COLOURS, strict=True):
            costs = [cost(method, law, n, repetitions) for n in SIZES]
            net, total = [each.net for each in costs], [each.total for each in costs]
            axes.plot(SIZES, net, "o-", markersize=3.5, color=colour, label=method)
            if max(each.draws for each in costs) > 0.5:
                axes.plot(SIZES, total, ":", color=colour)
        axes.plot(SIZES, heap, "k--", linewidth=1, label="bare heap loop")
        axes.set(xscale="log", yscale="log", title=f"{name} times", xlabel="workers n")
        axes.grid(True, color="#E6E6E6", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("µs per used ticket")
    panels[1].plot([], [], ":", color="#555555", label="with the draws of n durations")
    drawn.legend(*panels[1].get_legend_handles_labels(), loc="outside upper center", ncols=3,
                 frameon=False, fontsize=8)  # fmt: skip
    drawn.savefig(path, metadata={"Date": None})


def main(words: list[str]) -> None:
    if words == ["--figure"]:
        figure(HERE / "images" / "cost-against-n.svg")
    elif words:
        measure(words)
    PAGE.write_text(laid_out(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
