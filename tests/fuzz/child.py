"""Plays cases: ``python child.py VALID KIND FIRST COUNT ...``; prints a line for each wrong one.

In a process of its own, which may have a gigabyte more than it has once everything is imported,
and in which no case may take more than five seconds.  Work does not begin: what a command would
run after it has read and checked everything is put aside.
"""

import contextlib
import io
import json
import math
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import Any

import kinds

from simulator.cli import command_line
from simulator.mistakes import MOST

LONGEST = 15.0
"""Seconds of the processor; and four times as many on the clock, for others may have work, too."""
MEMORY = 2**30
"""Bytes that a case may really use, beyond what the process had before the first."""
ADDRESSES = 2**33
"""The brake, so that nothing fills the machine; what is only reserved counts, too."""
FOUND = 1
"""The exit code of a check that was made, and found something; that is shown, and nothing said."""
LINES = MOST + 1
"""How many mistakes of a file are listed, with a line that counts the others."""
LINE = 1000
"""Characters of what is said, at most: it is to be read."""


class Hang(BaseException):
    """A case has taken too long."""


def main(valid: Path, *batches: str) -> None:
    """Play the batches, each given as three words, and say of each that it is done."""
    prepare()
    most = status("VmHWM") + MEMORY
    for kind, first, count in zip(batches[::3], batches[1::3], batches[2::3], strict=True):
        play(kind, int(first), int(count), valid, most)


def play(kind: str, first: int, count: int, valid: Path, most: int) -> None:
    slowest = 0.0
    for number in range(first, first + count):
        with tempfile.TemporaryDirectory() as folder:
            words = kinds.KINDS[kind][0](Random(f"{kind} {number}"), Path(folder), valid)
            began = time.perf_counter()
            wrong = verdict(words)
            if not wrong and status("VmHWM") > most:
                wrong = f"took {status('VmHWM') - most + MEMORY:,} bytes"
            slowest = max(slowest, time.perf_counter() - began)
        if wrong:
            print(
                json.dumps({"kind": kind, "case": number, "words": words, "wrong": wrong}),
                flush=True,
            )
    done = {"kind": kind, "done": count, "slowest": slowest, "peak": status("VmHWM")}
    print(json.dumps(done), flush=True)


def prepare() -> None:
    """Import what is ever needed, put work aside, and set the limits."""
    import jax
    import pyarrow.parquet  # noqa: F401

    from simulator.campaign import campaign, progress
    from simulator.replays import evaluation, reproduction  # noqa: F401
    from simulator.study import study  # noqa: F401
    from simulator.sweeps import sweep  # noqa: F401
    from simulator.trace import chrome_trace  # noqa: F401

    jax.numpy.zeros(3)

    progress.HEARTBEAT_SECONDS = math.inf  # on a busy machine a word on progress is no fault
    campaign.conduct = reproduction.reproduce = enough  # type: ignore[assignment]
    if used := status("VmSize"):
        resource.setrlimit(resource.RLIMIT_AS, (used + ADDRESSES, -1))


def status(field: str) -> int:
    """Bytes; 0 where it is not Linux.  What ``resource`` calls the peak may be the parent's."""
    file = Path("/proc/self/status")
    words = file.read_text().split() if file.exists() else []
    return int(words[words.index(f"{field}:") + 1]) * 1024 if f"{field}:" in words else 0


def enough(*arguments: Any, **named: Any) -> Any:
    """In the place of work."""
    raise SystemExit(0)


def _hang(number: int, frame: Any) -> None:
    raise Hang(f"more than {4 * LONGEST} s, in {''.join(traceback.format_stack(frame)[-3:])}")


def verdict(words: list[str]) -> str:
    """What is wrong with how a command line ends; nothing, if it is well or names its mistakes."""
    began = time.process_time()
    wrong = judged(*outcome(words))
    took = time.process_time() - began
    return wrong or (f"took {took:.1f} s" if took > LONGEST else "")


def outcome(words: list[str]) -> tuple[int, str]:
    """The exit code of a command line, and what it says of errors."""
    out, said = io.StringIO(), io.StringIO()
    signal.signal(signal.SIGALRM, _hang)
    signal.setitimer(signal.ITIMER_REAL, 4 * LONGEST)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            code = command_line.run_command(words)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return code, said.getvalue()


def judged(code: int, said: str) -> str:
    lines = [line for line in said.split("\n") if line]
    spoken = [line for line in lines if not line.startswith("straggle: warning:")]
    if code not in (0, FOUND, 2) or (code == FOUND and said):
        return f"exit code {code}: {said[:3000]}"
    if any(not line.startswith("straggle: ") for line in lines):
        return f"said something else: {said[:3000]}"
    if code == 2 and not 1 <= len(spoken) <= LINES:
        return f"said {len(spoken)} lines: {said[:3000]}"
    if "malloc" in said or "allocate" in said:
        return f"ran out of memory: {said[:3000]}"
    if any(len(line) > LINE or not line.isprintable() for line in lines):
        return f"said too much, or what cannot be printed: {said[:300]!r}"
    return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
