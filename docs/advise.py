"""Measures the truth of docs/advise.md: tunes every method and batch alike, and races the best.

python docs/advise.py                       every scenario: two hours of one core
python docs/advise.py two-speed flaky       these scenarios
python docs/advise.py --advice              the advice anew, beside the times that were measured

Each method and batch is tuned over 48 settings on 12 seeds: 24 far apart, and 24 around the best
of them.  The three best settings run on 100 fresh seeds.  The times go to docs/advice/NAME.parquet,
a row per method and batch; docs/generated/advice.py writes the table of the page from them.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from simulator import advise, load, sweep
from simulator.advice.candidates import candidates
from simulator.scenario.prescription import settings_of

FOLDER = Path(__file__).resolve().parent / "advice"
LIMITS = {
    "one-straggler": 120,
    "sqrt-workers": 450,
    "two-speed": 120,
    "heavy-tail": 75,
    "flaky": 1200,
    "day-and-night": 200_000,
    "slow-network": 480,
    "tables/chain": 40,
    "time-complexity": 140,
    "tables/linear-quadratic": 300,
    "questions/policy": 300,
}
"""The scenarios, and the simulated seconds after which a run is no rival of the best."""
TUNING, RACE = range(12), range(100, 200)
BEST, TRIED, RIVALS = 3, 24, 2.0
"""Settings of a candidate in the race, at first and at most; candidates within so many times the
best one's time."""
Pair: TypeAlias = tuple[float, Mapping[str, float]]
"""Seconds and settings."""
Pairs: TypeAlias = Sequence[Pair]
COARSE = [2.0**k for k in range(-2, 4)], [0.25, 0.6, 1.5, 4.0]
FINE = [2.0 ** (0.15 * k) for k in (-5, -3, -1, 1, 3, 5)], [0.5, 0.8, 1.25, 2.0]
"""Factors of the step and of the momentum."""
LADDER = {
    "rennala-pg": range(-17, 7),
    "synchronous-pg": range(-14, 10),
}
"""Without a momentum: factors 2^(k/3) of the step, 24 in all."""
USUAL_LADDER = range(-12, 12)
AROUND = np.linspace(-0.5, 0.5, 24)


def coarse(own: Mapping[str, float], method: str) -> list[dict[str, float]]:
    if "momentum" in own:
        return grid(own, *COARSE)
    name = length_of(own)
    return [{name: rounded(own[name] * 2 ** (k / 3))} for k in LADDER.get(method, USUAL_LADDER)]


def fine(best: Mapping[str, float]) -> list[dict[str, float]]:
    if "momentum" in best:
        return grid(best, *FINE)
    name = length_of(best)
    return [{name: rounded(best[name] * 2**k)} for k in AROUND]


def grid(
    own: Mapping[str, float], steps: Sequence[float], momenta: Sequence[float]
) -> list[dict[str, float]]:
    """Products of the factors, each once: no momentum exceeds 1."""
    tries = {
        (rounded(own["step"] * s), min(1.0, rounded(own["momentum"] * m)))
        for s in steps
        for m in momenta
    }
    return [{"step": step, "momentum": momentum} for step, momentum in sorted(tries)]


def length_of(settings: Mapping[str, float]) -> str:
    return "local_step" if "local_step" in settings else "step"


def middle(times: "pd.Series[float]") -> float:
    """The mean of the middle half of the seeds; a missed target counts as never."""
    quarter = len(times) // 4
    return float(np.sort(times)[quarter : len(times) - quarter].mean())


def rounded(number: float) -> float:
    return float(f"{number:.5g}")


def times_of(
    tables: dict[str, Any], tries: Mapping[str, Sequence[Mapping[str, float]]], seeds: Iterable[int]
) -> dict[str, list[float]]:
    """The seconds of each label's settings, in order."""
    entries = [
        {f"methods.{label}.{name}": value for name, value in settings.items()}
        for label in tries
        for settings in tries[label]
    ]
    runs = sweep(
        {"scenario": {**tables, "seeds": list(seeds)}, "list": entries, "score": {"kind": "time"}},
        methods=list(tries),
        jobs=1,
        yes=True,
        quiet=True,
    ).frame
    found = {}
    for label in tries:
        own = runs[runs["method"] == label]
        columns = list(tries[label][0])
        times = own.groupby(columns, sort=False)["score"].agg(middle)
        found[label] = [
            float(times[tuple(each.values()) if len(columns) > 1 else next(iter(each.values()))])
            for each in tries[label]
        ]
    return found


def tune(tables: dict[str, Any], start: Mapping[str, Mapping[str, float]]) -> dict[str, Pairs]:
    """Each label's tried settings, the best first."""
    tries = {label: coarse(own, tables["methods"][label]["method"]) for label, own in start.items()}
    times = times_of(tables, tries, TUNING)
    reached = [label for label in tries if min(times[label]) < np.inf]
    nearer = {label: fine(tries[label][int(np.argmin(times[label]))]) for label in reached}
    more = times_of(tables, nearer, TUNING)
    ordered = {}
    for label in reached:
        found, settings = times[label] + more[label], tries[label] + nearer[label]
        pairs = zip(found, settings, strict=True)
        ordered[label] = sorted(pairs, key=lambda pair: pair[0])
    return ordered


def race(tables: dict[str, Any], rivals: Mapping[str, Pairs]) -> dict[str, Pair]:
    """The best seconds on fresh seeds: of the three best settings, or of the next that arrive.

    Settings that were fast on the few seeds of the tuning may miss the target on others.
    """
    found: dict[str, Pair] = {}
    for first in range(0, TRIED, BEST):
        tries = {
            label: [settings for _, settings in pairs[first : first + BEST]]
            for label, pairs in rivals.items()
            if label not in found
        }
        if not tries:
            break
        for label, times in times_of(tables, tries, RACE).items():
            if min(times) < np.inf:
                best = int(np.argmin(times))
                found[label] = times[best], tries[label][best]
    return found


def measure(name: str) -> pd.DataFrame:
    """The best seconds of every method and batch."""
    scenario = load(name)
    tables = scenario.as_tables()
    tables["stop"] = {"target": scenario.stop.target, "seconds": LIMITS[name]}
    start, every = {}, {}
    tables["methods"] = {}
    for each in candidates(scenario):
        label = f"{each.method}--{each.size or 0}"
        settings = {
            key: value
            for key, value in settings_of(each.scenario, each.method).items()
            if value is not None
        }
        method = each.scenario.methods[each.method].method
        tables["methods"][label] = {"method": method, **settings}
        start[label], every[label] = settings, each
    ordered = tune(tables, start)
    least = min(pairs[0][0] for pairs in ordered.values())
    rivals = {label: pairs for label, pairs in ordered.items() if pairs[0][0] <= RIVALS * least}
    raced = race(tables, rivals)
    rows = []
    for label, each in every.items():
        seconds, best = raced.get(label, (np.inf, {}))
        rows.append(
            {
                "scenario": name,
                "method": each.method,
                "setting": each.setting,
                "size": each.size,
                "tuned": ordered[label][0][0] if label in ordered else np.inf,
                "seconds": seconds,
                **best,
            }
        )
    return pd.DataFrame(rows)


def advised(measured: pd.DataFrame, name: str) -> pd.DataFrame:
    """The measured rows, with the predicted time of each as a multiple of the advised one's."""
    found = advise(name, quiet=True)
    times = dict(zip(keys_of(found.frame), found.frame["times"], strict=True))
    keys = keys_of(measured)
    leader = keys_of(found.ranking)[0]
    return measured.assign(
        predicted=[times[key] for key in keys], advised=[key == leader for key in keys]
    )


def keys_of(frame: pd.DataFrame) -> list[tuple[str, int]]:
    """Method and size of each row; a method without a size has 0."""
    return list(zip(frame["method"], frame["size"].fillna(0).astype(int), strict=True))


def main(arguments: Sequence[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    again = "--advice" in arguments
    names = [name for name in arguments if name != "--advice"]
    for name in names or LIMITS:
        file = FOLDER / f"{name.replace('/', '-')}.parquet"
        frame = pd.read_parquet(file) if again else measure(name)
        advised(frame, name).to_parquet(file, index=False, compression="zstd")


if __name__ == "__main__":
    main(sys.argv[1:])
