"""Is it as fast as it should be?  ``python tests/benchmarks/run.py [NAME ...] [--quick]``.

Every figure is made in one run, the product and what it is compared with in turns, and each
contestant asserts that it did exactly the work it was asked for.  ``--markdown`` prints the
table of docs/performance.md.
"""

import argparse
from collections.abc import Callable, Iterator
from importlib import import_module

from measure import Row

BENCHMARKS = {
    "throughput": "schedules",
    "million": "schedules",
    "recall": "schedules",
    "memory": "schedules",
    "curve": "curve",
    "quadratic": "gradients",
    "cartpole": "gradients",
    "robots": "robots",
    "waste": "gradients",
    "together": "together",
    "command": "commands",
}
"""Each by the module that has it; imported when it runs, so that JAX loads only where needed."""
VERDICTS = {True: "yes", False: "no", None: ""}


def benchmark(name: str) -> Callable[[bool], Iterator[Row]]:
    return getattr(import_module(BENCHMARKS[name]), name)


def plain(row: Row) -> str:
    return f"{row.what}\n    aim {row.aim}: {row.measured}  met: {VERDICTS[row.met] or '-'}"


def markdown(row: Row) -> str:
    return f"| {row.what} | {row.aim} | {row.measured} | {VERDICTS[row.met]} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="less work, rougher figures")
    parser.add_argument("--markdown", action="store_true", help="a table for the documents")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if chosen.markdown:
        print("| what | aim | measured | met |\n|---|---|---|---|")
    for name in chosen.names or BENCHMARKS:
        for row in benchmark(name)(chosen.quick):
            print(markdown(row) if chosen.markdown else plain(row), flush=True)


if __name__ == "__main__":
    main()
