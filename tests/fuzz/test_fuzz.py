"""Does every file that is not valid end in a line for each mistake, quickly and in little memory?

    STRAGGLE_FUZZ_CASES=10000 python -m pytest tests/fuzz        # at night; 40 otherwise
    python tests/fuzz/child.py FOLDER KIND NUMBER 1              # one case, once more

Each case is a function of its kind and its number (``kinds.py``); ``FOLDER`` is where
``material.lay_out`` has put valid files.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import child
import kinds
import material
import mutations
import pytest

from simulator.campaign import campaign

HERE = Path(__file__).parent
CASES = int(os.environ.get("STRAGGLE_FUZZ_CASES", "40"))
AT_ONCE = 1000
"""Cases of one process."""


@pytest.fixture(scope="session")
def valid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("valid")
    material.lay_out(folder)
    return folder


@pytest.fixture(scope="session")
def played(valid):
    """The lines that the processes print: one for each wrong case and each finished batch."""
    batches = [batch for kind in kinds.KINDS for batch in batches_of(kind)]
    return [line for group in groups(batches) for line in play(group, valid)]


def count_of(kind):
    return max(1, round(CASES * kinds.KINDS[kind][1]))


def batches_of(kind):
    """All cases of a kind: its name, the first number, and how many follow it."""
    count = count_of(kind)
    return [(kind, first, min(AT_ONCE, count - first)) for first in range(0, count, AT_ONCE)]


def groups(batches):
    """Batches for one process each: to start one takes longer than a hundred cases."""
    group, room = [], AT_ONCE
    for batch in batches:
        if batch[2] > room:
            yield group
            group, room = [], AT_ONCE
        group.append(batch)
        room -= batch[2]
    yield group


def play(group, valid):
    words = [str(word) for batch in group for word in batch]
    paths = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, str(HERE / "child.py"), str(valid), *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
        timeout=3600,
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    if ended.returncode:
        said = {"wrong": f"died: {ended.returncode}", "said": ended.stderr[-3000:]}
        finished = {line["kind"] for line in lines if "done" in line}
        lines += [{"kind": batch[0], **said} for batch in group if batch[0] not in finished]
    return lines


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_spoiled_files_are_refused(kind, played):
    lines = [line for line in played if line["kind"] == kind]
    wrong = [line for line in lines if "wrong" in line]
    assert not wrong, "\n".join(json.dumps(each) for each in wrong[:10])
    print(lines[-1])
    assert sum(line.get("done", 0) for line in lines) == count_of(kind)


@pytest.mark.parametrize("kind", ["scenario", "sweep", "csv-trace", "parquet-trace", "manifest"])
def test_sound_files_are_read(kind, valid, tmp_path, monkeypatch):
    """Else every case would be refused, whatever it is."""
    monkeypatch.setattr(mutations, "text", lambda text, random: text.encode())
    monkeypatch.setattr(mutations, "csv", lambda text, random: text.encode())
    for name in ("raw", "manifest"):
        monkeypatch.setattr(mutations, name, lambda data, random: data)
    monkeypatch.setattr(campaign, "conduct", child.enough)
    words = kinds.KINDS[kind][0](Random(1), tmp_path, valid)
    assert child.outcome(words) == (0, "")
