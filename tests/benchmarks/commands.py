"""How long does one wait for the command line?"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch

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
        for _ in lines:  # the figures, for which the benchmark does not wait
            pass
    assert "reached the target" in line, line
    assert process.returncode == 0
    return elapsed


def command(watch: Stopwatch) -> Iterator[Row]:
    """Help; whole commands; and the first result of the race, cold and warm."""
    yield _help(watch)
    yield from _whole(watch)
    yield from _starts(watch)


def _help(watch: Stopwatch) -> Row:
    contestants = {"help": straggle_help, "an empty Python": lambda: python("pass")}
    helped, empty = watch.alternate(contestants, watch.rounds(5)).values()
    message = f"{helped / empty:.1f}x an empty Python"
    return Row("straggle --help", helped, "s", Aim("≤", 0.5), message)


SMALL = """
seeds = [0]
[cluster]
workers = 10
compute = { law = "power", exponent = 0.5 }
[objective]
kind = "quadratic"
dimension = 50
[stop]
steps = 200
[methods.rennala-nigt]
batch = 20
step = 0.1
momentum = 0.1
"""
"""A scenario that takes no time, so that a command's own time is seen."""
WHOLE = {
    "straggle run": (["run", "small.toml", "--out", "out"], 3.5),
    "straggle run --schedule-only": (
        ["run", "small.toml", "--out", "out", "--schedule-only"],
        1.7,
    ),
    "straggle validate": (["validate", "small.toml"], 0.7),
    "straggle list": (["list"], 0.7),
}
"""Words of whole commands, and the aim as a multiple of what it takes to import JAX."""


def _whole(watch: Stopwatch) -> Iterator[Row]:
    """Whole commands, figures and verification included, beside the import of JAX."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small.toml").write_text(SMALL)

        def act(words: list[str]) -> Callable[[], None]:
            def run() -> None:
                shutil.rmtree(folder / "out", ignore_errors=True)
                subprocess.run([*STRAGGLE, *words], cwd=folder, check=True, capture_output=True)

            return run

        contestants = {"JAX": lambda: python("import jax")}
        contestants |= {what: act(words) for what, (words, _) in WHOLE.items()}
        seconds = watch.alternate(contestants, watch.rounds(10))
    jax = seconds["JAX"]
    for what, (_, aim) in WHOLE.items():
        figure, message = seconds[what] / jax, f"{seconds[what]:.2f} s; import jax {jax:.2f} s"
        yield Row(f"{what}, whole command against import jax", figure, "x", Aim("≤", aim), message)


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
