"""Is the estimate of a run about right?  ``estimates.py`` prints a table of both.

Targets are put out of reach, for an estimate is of the whole run.  Memory is what the run and the
processes that play for it hold together, looked at twenty times a second.  Linux.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from simulator.estimate.estimate import estimate
from simulator.scenario.loading import load

RUNS = (
    ("one-straggler", "seeds=[0]", "stop.target=-1"),
    ("straggler", "seeds=[0]", "stop.target=1000"),
    ("slow-network", "seeds=[0]", "stop.target=-1"),
    ("flaky", "seeds=[0]", "stop.target=-1"),
    ("short-episodes", "seeds=[0]"),
    ("paper/reacher", "seeds=[0]", "stop.seconds=1000"),
    ("paper/hopper", "seeds=[0]", "stop.seconds=1000"),
    ("hundred-thousand", "--schedule-only"),
)
MOMENT = 0.05


class Taken(NamedTuple):
    gradients: float
    seconds: float
    megabytes: float


def message(name: str, settings: list[str], schedule_only: bool) -> Taken:
    found = estimate(load(name, settings), schedule_only)
    return Taken(found.gradients, found.real_seconds, found.bytes / 1e6)


def measured(name: str, settings: list[str], schedule_only: bool) -> Taken:
    with tempfile.TemporaryDirectory() as folder:
        words = [word for setting in settings for word in ("--set", setting)]
        words += ["--out", folder, "--quiet", *["--schedule-only"] * schedule_only]
        began, peak = time.perf_counter(), 0.0
        with subprocess.Popen([sys.executable, "-m", "simulator", "run", name, *words]) as process:
            while process.poll() is None:
                peak = max(peak, sum(map(resident, family(process.pid))))
                time.sleep(MOMENT)
        seconds = time.perf_counter() - began
        manifest = json.loads((Path(folder) / "manifest.json").read_text())
    return Taken(sum(run["used"] for run in manifest["runs"]), seconds, peak)


def family(pid: int) -> Iterator[int]:
    """A process and those that it has started."""
    yield pid
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield from family(int(child))
    except OSError:
        return


def resident(pid: int) -> float:
    """MB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    print("| scenario | gradients used | seconds | MB |\n|---|---|---|---|")
    for name, *words in RUNS:
        asked = name, [w for w in words if "=" in w], "--schedule-only" in words
        pairs = zip(message(*asked), measured(*asked), strict=True)
        cells = " | ".join(f"{one:,.0f} / {other:,.0f}" for one, other in pairs)
        print(f"| `{' '.join([name, *words])}` | {cells} |", flush=True)
