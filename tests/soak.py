"""Do many runs in one process stay correct, in flat memory?  Random scenarios, each verified.

    python tests/soak.py --minutes 60 --markdown soak.md

All runs share one process, as in a notebook that is never closed, so that a leak shows.  Exits with
1 if a run did not verify, or if memory kept growing.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.methods import METHODS
from simulator.campaign.run import RunOptions, run
from simulator.mistakes import Mistake
from simulator.scenario import loading
from simulator.verification import verify

WARM = 0.2
"""The first share of the time, in which libraries are loaded and caches fill."""
GROWTH = 0.10
"""Memory may grow by this share after warming up."""

SETTINGS = {
    "batch": lambda chance: chance.randint(1, 12),
    "step": lambda chance: 10 ** chance.uniform(-3, -0.5),
    "momentum": lambda chance: chance.uniform(0.05, 0.9),
    "threshold": lambda chance: chance.randint(1, 10),
    "attempts": lambda chance: chance.randint(1, 4),
    "limit": lambda chance: chance.uniform(2, 20),
    "probability": lambda chance: chance.uniform(0.3, 1),
    "buffer": lambda chance: chance.randint(1, 5),
    "local_step": lambda chance: 10 ** chance.uniform(-3, -1),
    "local_steps": lambda chance: chance.randint(1, 3),
}
OBJECTIVES: list[dict[str, Any]] = [
    {"kind": "quadratic", "dimension": 20, "scale": 0.1},
    {"kind": "quadratic", "dimension": 50, "scale": 0.5},
    {"kind": "chain"},
    {"kind": "tabular"},
    {"kind": "linear-quadratic"},
    {
        "kind": "policy-gradient",
        "environment": "CartPole-v1",
        "horizon": 20,
        "policy": {"hidden": [4]},
    },
]


def scenario_of(chance: random.Random) -> dict[str, Any]:
    workers = chance.choice([1, 2, 3, 5, 10, 30])
    cluster: dict[str, Any] = {
        "workers": workers,
        "compute": compute_of(chance, workers),
        "in_flight": chance.choice(["recall", "finish"]),
    }
    if chance.random() < 0.3:
        cluster["failures"] = {
            "mean_time_between_failures": chance.uniform(5, 100),
            "mean_time_to_repair": chance.uniform(0.5, 10),
        }
        cluster["in_outage"] = chance.choice(["lost", "continued"])
    if chance.random() < 0.2:
        cluster["speed"] = {"law": "random-walk", "sigma": 0.1, "interval": 5.0}
    plain: dict[str, Any] = {
        "seeds": [chance.randrange(1000)],
        "cluster": cluster,
        "objective": dict(chance.choice(OBJECTIVES)),
        "evaluation": {"episodes": 2},
        "stop": {"steps": chance.randint(1, 150), "seconds": chance.uniform(20, 400)},
        "methods": {name: table_of(chance, name) for name in chance.sample(sorted(METHODS), 2)},
    }
    if chance.random() < 0.5:
        plain["network"] = network_of(chance)
    return plain


def compute_of(chance: random.Random, workers: int) -> Any:
    return chance.choice(
        [
            1.0,
            [round(chance.uniform(0.1, 10), 3) for _ in range(workers)],
            [chance.randint(1, 4) for _ in range(workers)],  # many simultaneous events
            {"law": "power", "exponent": chance.uniform(0, 1.5)},
            {"law": "log-normal", "mean": 1, "sigma": chance.uniform(0.1, 1)},
            {"law": "exponential", "mean": 1.5},
        ]
    )


def network_of(chance: random.Random) -> dict[str, Any]:
    network: dict[str, Any] = {"collective": chance.choice(["max", "gather", "ring", "tree"])}
    for way in ("upload", "download"):
        if chance.random() < 0.6:
            network[way] = chance.choice(
                [chance.uniform(0, 2), {"law": "exponential", "mean": 0.3}]
            )
    if chance.random() < 0.2:
        shared = {"bandwidth": 1e3, "contention": chance.choice(["queue", "share"])}
        network |= {"collective": "parameter-server", "uplink": shared}
    return network


def table_of(chance: random.Random, method: str) -> dict[str, Any]:
    parameters = METHODS[method].parameters()
    needed = [name for name, p in parameters.items() if p.default is p.empty]
    return {name: SETTINGS[name](chance) for name in needed}


def resident() -> float:
    """Megabytes of memory in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Soak:
    def __init__(self, seed: int) -> None:
        self.seed, self.count = seed, 0
        self.ends: Counter[str] = Counter()
        self.tickets = self.refused = 0
        self.wrong: list[str] = []
        self.memory: list[tuple[float, float]] = []
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def once(self, folder: Path) -> None:
        """Run, verify and remove one scenario."""
        self.count += 1
        plain = scenario_of(random.Random(f"{self.seed} {self.count}"))
        try:
            scenario = loading.check(plain)
        except Mistake:
            self.refused += 1
            return
        dry = random.Random(self.count).random() < 0.2
        options = RunOptions(schedule_only=dry, tickets=True, quiet=True)
        outcome = run(scenario, folder / "run", "", command="soak", options=options).results
        self.ends.update(outcome.runs["end"])
        self.tickets += int(outcome.runs["started"].sum())
        for problem in verify(outcome).problems:
            self.wrong.append(f"scenario {self.count}: {problem}")
            print(self.wrong[-1], json.dumps(plain), flush=True)
        shutil.rmtree(outcome.directory)
        self.memory.append((self.seconds, resident()))

    def growth(self) -> tuple[float, float, float]:
        """Megabytes after warming up and at the end, and their relative difference."""
        late = [mb for at, mb in self.memory if at >= WARM * self.seconds]
        part = max(1, len(late) // 5)
        first, last = float(np.median(late[:part])), float(np.median(late[-part:]))
        return first, last, last / first - 1

    def lines(self) -> list[str]:
        first, last, growth = self.growth()
        ends = ", ".join(f"{count:,} {end}" for end, count in sorted(self.ends.items()))
        return [
            f"{self.seconds / 60:.0f} minutes, {self.count:,} random scenarios "
            f"({self.refused:,} refused as contradictory)",
            f"{sum(self.ends.values()):,} runs: {ends}",
            f"{self.tickets:,} gradients started, each accounted for",
            f"{len(self.wrong):,} problems found by verify",
            f"memory: {first:,.0f} MB after the first fifth of the time, {last:,.0f} MB in the end "
            f"({growth:+.1%})",
        ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--markdown", type=Path, help="also write the report to this file")
    options = parser.parse_args()
    soak, reported = Soak(options.seed), 0.0
    with tempfile.TemporaryDirectory() as folder:
        while soak.seconds < 60 * options.minutes:
            soak.once(Path(folder))
            if soak.seconds - reported > 60:
                reported = soak.seconds
                counts = f"{soak.count:,} scenarios, {len(soak.wrong)} problems"
                print(f"{reported / 60:.0f} min: {counts}, {resident():,.0f} MB", flush=True)
    lines = soak.lines()
    print(*lines, sep="\n")
    if options.markdown:
        options.markdown.write_text("".join(f"- {line}\n" for line in lines))
    return 1 if soak.wrong or soak.growth()[2] > GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
