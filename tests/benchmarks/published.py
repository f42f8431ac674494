"""Which figures are published?  Those of ``published.json``, as in docs/performance.md.

``python docs/performance.py NAME …`` measures them anew.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.row import Row, of_data

NAME = "published.json"


class Measured(NamedTuple):
    """The rows of each benchmark, and where they were measured."""

    machine: str
    benchmarks: dict[str, list[Row]]

    def as_data(self) -> dict[str, Any]:
        rows = {name: [row.as_data() for row in rows] for name, rows in self.benchmarks.items()}
        return {"machine": self.machine, "benchmarks": rows}

    def rows(self) -> dict[str, Row]:
        """All of them, by what they are about."""
        return {row.what: row for rows in self.benchmarks.values() for row in rows}


def published() -> Measured:
    text = Path(__file__).with_name(NAME).read_text(encoding="utf-8")
    data = json.loads(text)
    return Measured(
        data["machine"],
        {name: [of_data(row) for row in rows] for name, rows in data["benchmarks"].items()},
    )
