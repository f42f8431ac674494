"""How is an outcome seen in Python?  As the table that the command prints."""

from abc import abstractmethod
from collections.abc import Sequence
from html import escape

from simulator.mistakes import printable
from simulator.text_table import Table, laid_out


class Shown:
    """Something whose text, and whose view in a notebook, are tables and notes."""

    @abstractmethod
    def _tables(self) -> Sequence[Table]:
        """The tables, in the order in which they are shown."""

    @abstractmethod
    def _notes(self) -> Sequence[str]:
        """What the tables mean, and what to mind."""

    def __repr__(self) -> str:
        lines = [line.text for table in self._tables() for line in laid_out(table)]
        return "\n".join(map(printable, [*lines, *self._notes()]))

    def _repr_html_(self) -> str:
        """For Jupyter."""
        notes = "".join(f"<li>{escape(note)}</li>" for note in self._notes())
        return "".join(map(_html, self._tables())) + (f"<ul>{notes}</ul>" if notes else "")


def _html(table: Table) -> str:
    headings = "".join(f"<th>{escape(heading)}</th>" for heading in table.headings)
    rows = "".join(f"<tr>{_cells(table, row)}</tr>" for row in table.rows)
    title = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    return f"<table>{title}<thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(table: Table, row: Sequence[str]) -> str:
    left = {*table.words, *table.prose}
    sides = ["left" if at in left else "right" for at in range(len(row))]
    cells = (escape(cell).replace("\n", "<br>") for cell in row)
    both = zip(sides, cells, strict=True)
    return "".join(f'<td style="text-align: {side}">{cell}</td>' for side, cell in both)
