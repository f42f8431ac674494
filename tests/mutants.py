"""Do the tests notice a mistake?  This script plants small ones, one at a time, and runs the tests.

    python tests/mutants.py                       # all that are not in mutants.jsonl yet
    python tests/mutants.py --tree ../other       # the same mistakes in another checkout
    python tests/mutants.py --control             # do the guards pass without mutants?
    python tests/mutants.py --report              # the table alone

A mutant is one changed expression in a copy of the tree.  It is killed if a test in the files that
guard its room fails or does not end.  The choice of mutants depends on the sources alone.
"""

import argparse
import ast
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 600
"""A test run that takes longer counts as a kill."""


class Room(NamedTuple):
    """Sources, their number of mutants, and the test files that guard them, quick ones first."""

    sources: str
    mutants: int
    guards: list[str]


SCHEDULES = [
    "test_orders.py", "test_by_hand.py", "test_collectives.py", "test_stories.py",
    "test_outages.py", "test_schedule.py", "test_reference.py", "test_timeline.py",
    "test_ledger.py", "test_pauses.py",
]  # fmt: skip
ROOMS = {
    "aggregations": Room(
        "algorithms/methods/*.py",
        12,
        ["test_aggregations.py", "test_more_aggregations.py", "test_stories.py", "test_methods.py"],
    ),
    "update rules": Room("algorithms/updates/*.py", 6, ["test_updates.py", "test_methods.py"]),
    "theory": Room("algorithms/theory/*.py", 8, ["theory"]),
    "engine": Room("simulator/engine/*.py", 16, SCHEDULES),
    "cluster": Room("simulator/cluster/**/*.py", 12, ["cluster", *SCHEDULES]),
    "executor": Room("simulator/training/executor.py", 4, ["test_executor.py", "test_methods.py"]),
    "verification": Room(
        "simulator/verification/[acepr]*.py",
        10,
        ["test_forgeries.py", "test_verification.py", "test_verified_seconds.py"],
    ),
    "reference": Room("simulator/reference/*.py", 10, ["test_reference.py", "test_methods.py"]),
}


class Mutant(NamedTuple):
    """A changed piece of a file, with its begin and end in bytes."""

    room: str
    file: str
    line: int
    begin: int
    end: int
    before: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}:{self.begin} {self.before} -> {self.after}"


# Which mutants are there?

SWAPPED: dict[type[Any], type[Any]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "ceil": "floor", "floor": "ceil"}
UNTOUCHED = (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)
"""Messages, assertions and imports, which compute nothing."""


def mutants(tree: Path) -> list[Mutant]:
    """A random choice in each room, with a fixed seed."""
    chosen: list[Mutant] = []
    for name, room in ROOMS.items():
        found = [each for file in sorted(tree.glob(room.sources)) for each in of(tree, file, name)]
        chosen += random.Random(name).sample(found, room.mutants)
    return chosen


def of(tree: Path, file: Path, room: str) -> Iterator[Mutant]:
    text = file.read_text(encoding="utf-8")
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line.encode()))
    source = text.encode()
    for node, changed in changes(ast.parse(text)):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        begin = lines[node.lineno - 1] + node.col_offset
        end = lines[node.end_lineno - 1] + node.end_col_offset
        where = str(file.relative_to(tree))
        before = source[begin:end].decode()
        yield Mutant(room, where, node.lineno, begin, end, before, changed)


def changes(node: ast.AST) -> Iterator[tuple[Any, str]]:
    """Every expression or statement that can be changed, and its replacement."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, UNTOUCHED):
                continue
            changed = change(child)
            if changed is not None:
                yield child, changed
            yield from changes(child)


def change(node: ast.AST) -> str | None:
    """A slightly wrong replacement, in parentheses if it is an expression."""
    match node:
        case ast.Compare(left, [operator], [right]) if type(operator) in SWAPPED:
            return f"({ast.unparse(ast.Compare(left, [SWAPPED[type(operator)]()], [right]))})"
        case ast.BinOp(left, operator, right) if type(operator) in SWAPPED:
            return f"({ast.unparse(ast.BinOp(left, SWAPPED[type(operator)](), right))})"
        case ast.BoolOp(operator, values):
            return f"({ast.unparse(ast.BoolOp(SWAPPED[type(operator)](), values))})"
        case ast.UnaryOp(ast.Not(), operand):
            return f"({ast.unparse(operand)})"
        case ast.Constant(value) if value is True or value is False:
            return str(not value)
        case ast.Constant(0):
            return "1"
        case ast.Constant(1):
            return "0"
        case ast.Name(name, ast.Load()) if name in NAMES:
            return NAMES[name]
        case ast.Expr(ast.Call()) | ast.Break():
            return "pass"
        case ast.Continue():
            return "break"
    return None


# Does a test notice?


def copy_of(tree: Path, folder: Path) -> Path:
    left_out = shutil.ignore_patterns(".git", ".venv*", ".uv", "__pycache__", ".*_cache")
    return Path(shutil.copytree(tree, folder / "tree", ignore=left_out))


def plant(mutant: Mutant, tree: Path, copy: Path) -> dict[str, Any]:
    """Change the copy, run the guards of the room, and change it back."""
    file, source = copy / mutant.file, (tree / mutant.file).read_bytes()
    file.write_bytes(source[: mutant.begin] + mutant.after.encode() + source[mutant.end :])
    began = time.monotonic()
    try:
        killer = killed_by(ROOMS[mutant.room].guards, tree, copy)
    finally:
        file.write_bytes(source)
    return {"mutant": mutant.name, "killed_by": killer, "seconds": round(time.monotonic() - began)}


def killed_by(guards: list[str], tree: Path, copy: Path) -> str | None:
    """The first test that fails; None if all pass."""
    files = [f"tests/{guard}" for guard in guards]
    command = [str(tree / ".venv/bin/python"), "-m", "pytest", "-x", "-p", "no:cacheprovider"]
    paths = {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [*command, "--hypothesis-seed=0", *files],
        cwd=copy,
        env=os.environ | paths,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A script in the background may ignore interrupts, but the tests need them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "a test that did not end"
    if process.returncode == 0:
        return None
    marks = ("FAILED ", "ERROR ")
    failed = [line for line in output.splitlines() if line.startswith(marks)]
    return failed[0].split(" ", 2)[1] if failed else f"exit code {process.returncode}"


def control(tree: Path, copy: Path) -> Iterator[str]:
    """Whether the guards of each room pass in an unchanged copy."""
    for name, room in ROOMS.items():
        yield f"{name}: {killed_by(room.guards, tree, copy) or 'all pass'}"


# What came out?


def report(known: dict[str, dict[str, Any]], chosen: list[Mutant]) -> Iterator[str]:
    """A Markdown table of the rooms, and the survivors below it."""
    yield "| room | mutants | killed |"
    yield "| --- | --- | --- |"
    done = [mutant for mutant in chosen if mutant.name in known]
    for room in ROOMS:
        own = [known[mutant.name] for mutant in done if mutant.room == room]
        yield f"| {room} | {len(own)} | {sum(each['killed_by'] is not None for each in own)} |"
    survivors = [mutant.name for mutant in done if known[mutant.name]["killed_by"] is None]
    yield f"\n{len(done) - len(survivors)} of {len(done)} killed; survivors:"
    yield from (f"- {' '.join(name.split())}" for name in survivors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", type=Path, default=ROOT, help="a checkout with its .venv")
    parser.add_argument("--out", type=Path, default=Path("mutants.jsonl"), help="goes on there")
    parser.add_argument("--control", action="store_true", help="run the guards without mutants")
    parser.add_argument("--report", action="store_true", help="print the table and run nothing")
    options = parser.parse_args()
    tree = options.tree.resolve()
    chosen = mutants(tree)
    rows = options.out.read_text().splitlines() if options.out.exists() else []
    known = {row["mutant"]: row for row in map(json.loads, rows)}
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_of(tree, Path(folder))
        if options.control:
            print(*control(tree, copy), sep="\n")
            return
        for at, mutant in enumerate(chosen if not options.report else []):
            if mutant.name in known:
                continue
            known[mutant.name] = row = plant(mutant, tree, copy)
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            fate = f"{row['killed_by'] or 'SURVIVED'} ({row['seconds']} s)"
            print(f"[{at + 1}/{len(chosen)}] {mutant.name}: {fate}", flush=True)
    print(*report(known, chosen), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
