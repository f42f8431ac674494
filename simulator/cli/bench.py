"""How fast is it here?  ``straggle bench``."""

import json
import sys
import time
from typing import Annotated

import typer

from simulator.cli.app import PluginOption, app, complain, say, show
from simulator.mistakes import Mistake
from simulator.system.interrupts import INTERRUPTED

PATIENCE, GROWTH = 2.0, 1.5
"""Seconds until the first line that tells how far it is; each next one takes so much longer."""


@app.command()
def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these benchmarks [the usual ones]."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Less work, rougher figures.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="All benchmarks, with as much work as was published.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table in Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
    plugins: PluginOption = None,
) -> int:
    """Measure how fast straggle is on this machine; no figure changes the exit code."""
    from simulator import bench
    from simulator.bench import report
    from simulator.bench.machine import machine
    from simulator.bench.published import Measured

    _one_of({"--quick": quick, "--all": everything})
    _one_of({"--markdown": markdown, "--json": as_json})
    chosen = bench.chosen(names or [], everything)
    left_out = {name: why for name in chosen if (why := bench.missing(name))}
    progress = Progress(len(chosen) - len(left_out))
    effort = bench.EVERYTHING if everything else bench.QUICK if quick else bench.USUAL
    here, code = Measured(machine(), {}), 0
    try:
        for name in (name for name in chosen if name not in left_out):
            progress.begin(name)
            here.benchmarks[name] = []  # shown as far as it goes, whatever happens next
            here.benchmarks[name].extend(bench.measured(name, bench.Stopwatch(effort, progress)))
    except KeyboardInterrupt:
        code = complain("interrupted; not all was measured", INTERRUPTED)
    if as_json:
        print(json.dumps(report.as_data(here, left_out), indent=2, ensure_ascii=False))
        return code
    if markdown:
        print(report.markdown(here), end="")
    else:
        show(report.table(here))
    for name, why in left_out.items():
        say(f"{name} is left out: {why}")
    return code


def _one_of(options: dict[str, bool]) -> None:
    if all(options.values()):
        raise Mistake(f"{' and '.join(options)}: choose one of them")


class Progress:
    """A line now and then, between two measurements and never inside one."""

    def __init__(self, many: int) -> None:
        self._many, self._begun, self._name = many, 0, ""
        self._told, self._patience = time.monotonic(), PATIENCE

    def begin(self, name: str) -> None:
        self._begun, self._name = self._begun + 1, name
        self("begins")

    def __call__(self, doing: str) -> None:
        now = time.monotonic()
        if now - self._told > self._patience:
            self._told, self._patience = now, self._patience * GROWTH
            line = f"straggle: {self._begun} of {self._many}, {self._name}: {doing}"
            print(line, file=sys.stderr, flush=True)
