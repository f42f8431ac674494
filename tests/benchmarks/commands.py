"""How long does one wait for the command line?"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measure import Row, alternate

STRAGGLE = str(Path(sys.executable).with_name("straggle"))
FIRST = "[1/1]"
"""How the line begins that reports the first run's end."""


def straggle_help() -> None:
    text = subprocess.run([STRAGGLE, "--help"], check=True, capture_output=True, text=True).stdout
    assert "validate" in text


def python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def first_result(folder: Path, *, cold: bool) -> float:
    """Seconds from the start of a process to the line that says its first run has ended."""
    cache, out = folder / "cache", folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    if cold:
        shutil.rmtree(cache, ignore_errors=True)
    command = [STRAGGLE, "run", "straggler", "--seeds", "0", "--methods", "rennala-nigt"]
    start = time.perf_counter()
    with subprocess.Popen(
        [*command, "--out", str(out)],
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


def command(quick: bool) -> Iterator[Row]:
    """Help; and the first result of the shipped race, with nothing compiled and with all."""
    seconds = alternate(
        {"help": straggle_help, "python": lambda: python("pass")}, 3 if quick else 5
    )
    yield Row(
        "straggle --help",
        "≤ 0.5 s",
        f"{seconds['help']:.2f} s ({seconds['help'] / seconds['python']:.1f}x an empty Python)",
        seconds["help"] <= 0.5,
    )
    yield from starts(1 if quick else 3)


def starts(rounds: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen: dict[str, list[float]] = {"cold": [], "warm": []}
        for _ in range(rounds):
            seen["cold"].append(first_result(folder, cold=True))
            seen["warm"].append(first_result(folder, cold=False))
    jax = alternate({"jax": lambda: python("import jax")}, rounds)["jax"]
    for start, aim in (("cold", 10), ("warm", 3)):
        seconds = sorted(seen[start])[rounds // 2]
        yield Row(
            f"first result of the race, {start} start",
            f"≤ {aim} s",
            f"{seconds:.1f} s ({seconds / jax:.1f}x importing JAX)",
            seconds <= aim,
        )
