"""How long does one wait for the command line?"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from simulator.bench.row import Aim, Row
from simulator.bench.stopwatch import Stopwatch

STRAGGLE = [sys.executable, "-m", "simulator"]
RACE = ["run", "straggler", "--seeds", "0", "--methods", "rennala-nigt"]
FIRST = "[1/1]"
"""How the line begins that reports the first run's end."""


def straggle_help() -> None:
    text = subprocess.run([*STRAGGLE, "--help"], check=True, capture_output=True, text=True).stdout
    assert "validate" in text


def python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def first_result(folder: Path, *, cold: bool) -> float:
    """Seconds from the start of a process to the line that says its first run has ended."""
    cache, out = folder / "cache", folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    if cold:
        shutil.rmtree(cache, ignore_errors=True)
    start = time.perf_counter()
    with subprocess.Popen(
        [*STRAGGLE, *RACE, "--out", str(out)],
        env=os.environ | {"STRAGGLE_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr)
        line = next((line for line in lines if line.startswith(FIRST)), "")
        elapsed = time.perf_counter() - start
        for _ in lines:  # the figures, which nobody waits for here
            pass
    assert "reached the target" in line, line
    assert process.returncode == 0
    return elapsed


def command(watch: Stopwatch) -> Iterator[Row]:
    """Help; and the first result of the shipped race, with nothing compiled and with all."""
    yield _help(watch)
    yield from _starts(watch)


def _help(watch: Stopwatch) -> Row:
    contestants = {"help": straggle_help, "an empty Python": lambda: python("pass")}
    helped, empty = watch.alternate(contestants, watch.rounds(5)).values()
    told = f"{helped / empty:.1f}x an empty Python"
    return Row("straggle --help", helped, "s", Aim("≤", 0.5), told)


def _starts(watch: Stopwatch) -> Iterator[Row]:
    rounds = watch.rounds(3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen: dict[str, list[float]] = {"cold": [], "warm": []}
        for number in range(rounds):
            for start, seconds in seen.items():
                watch.heard(f"{start} start, round {number + 1} of {rounds}")
                seconds.append(first_result(folder, cold=start == "cold"))
    jax = watch.alternate({"JAX": lambda: python("import jax")}, rounds)["JAX"]
    for start, aim in (("cold", 10), ("warm", 3)):
        seconds_to_it = median(seen[start])
        yield Row(
            f"first result of the race, {start} start",
            seconds_to_it,
            "s",
            Aim("≤", aim),
            f"{seconds_to_it / jax:.1f}x importing JAX",
        )
