"""How does a reader see the figures?  Beside those that are published."""

from collections.abc import Iterable

from benchmarks.published import Measured, published
from benchmarks.row import Row
from simulator.text_table import Table

VERDICTS = {True: "yes", False: "no", None: ""}
COLUMNS = ("what", "here", "published", "aim", "met")


def table(here: Measured) -> Table:
    """A row per figure; whether its aim is met is said, and means nothing for the exit code."""
    return Table(COLUMNS, list(_compared(here)), here.machine, words=(1, 2, 3, 4), prose=(0,))


def of_documents(rows: Iterable[Row]) -> str:
    """The same, of the published figures alone: a table of docs/performance.md."""
    cells = ((row.what, row.aimed, row.message, VERDICTS[row.met]) for row in rows)
    return laid_out(("what", "aim", "measured", "met"), cells)


def laid_out(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    headings = list(headings)
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _compared(here: Measured) -> Iterable[tuple[str, ...]]:
    known = published().rows()
    for rows in here.benchmarks.values():
        for row in rows:
            then = known[row.what].shown if row.what in known else ""
            yield row.what, row.message, then, row.aimed, VERDICTS[row.met]
