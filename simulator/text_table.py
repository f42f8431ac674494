"""How does a table fit into a width without cutting numbers and names?

Layouts are tried in order: a frame; no frame; headings and cells broken between words; the first
column on lines of its own; each row as a list.
"""

import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

WITHOUT_END = 120
"""Characters of a line in a file, unless numbers and names need more."""
PROSE = 30
"""The least width of a column of sentences."""
GAP = "  "


class Breaks(Enum):
    """Which texts may break between words: sentences, also headings, or all."""

    SENTENCES, HEADINGS, ALL = range(3)


class Table(NamedTuple):
    """Headings and rows of text; a cell may have several lines."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    words: Collection[int] = (0,)
    """Left-aligned columns; numbers are right-aligned."""
    prose: Collection[int] = ()
    """Columns of sentences."""
    marked: Collection[int] = ()
    """Highlighted rows."""


class Line(NamedTuple):
    text: str
    is_title: bool = False
    is_marked: bool = False


def laid_out(table: Table, width: int | None = None) -> list[Line]:
    """The lines of a table, none longer than ``width`` unless a single word is.

    >>> table = Table(["method", "server steps"], [["afedpg", "532"], ["rennala-nigt", "45"]])
    >>> print(*(line.text for line in laid_out(table)), sep="\\n")
    ┏━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┓
    ┃ method       ┃ server steps ┃
    ┡━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━┩
    │ afedpg       │          532 │
    │ rennala-nigt │           45 │
    └──────────────┴──────────────┘
    >>> print(*(line.text for line in laid_out(table, 24)), sep="\\n")
                  server
    method         steps
    ────────────  ──────
    afedpg           532
    rennala-nigt      45
    """
    titles = wrapped(table.title, width) if table.title else []
    lines = [*(Line(text, is_title=True) for text in titles), *_body(table, width)]
    return [line._replace(text=line.text.rstrip()) for line in lines]


def _body(table: Table, width: int | None) -> list[Line]:
    columns = len(table.headings)
    frame, gaps = 3 * columns + 1, len(GAP) * (columns - 1)
    if width is None:
        room = max(WITHOUT_END - frame, sum(_narrowest(table, Breaks.SENTENCES)))
        return _framed(table, _widths(table, room, Breaks.SENTENCES) or [])
    for breaks in Breaks.SENTENCES, Breaks.HEADINGS:
        if widths := _widths(table, width - frame, breaks):
            return _framed(table, widths)
    for breaks in Breaks.HEADINGS, Breaks.ALL:
        if widths := _widths(table, width - gaps, breaks):
            return _open(table, widths)
    for breaks in Breaks.HEADINGS, Breaks.ALL:
        if widths := _widths(_without_names(table), width - gaps, breaks):
            return _stacked(table, widths, width)
    return _lists(table, width)


def _without_names(table: Table) -> Table:
    return table._replace(
        headings=table.headings[1:],
        rows=[row[1:] for row in table.rows],
        words=[at - 1 for at in table.words],
        prose=[at - 1 for at in table.prose],
    )


def _widths(table: Table, room: int, breaks: Breaks) -> list[int] | None:
    """The widths of the columns, or None if they do not fit."""
    widths, widest = _narrowest(table, breaks), [_longest(each) for each in _columns(table)]
    if sum(widths) > room:
        return None
    for _ in range(min(room, sum(widest)) - sum(widths)):  # widen the most broken column
        missing = [most / max(now, 1) for most, now in zip(widest, widths, strict=True)]
        widths[missing.index(max(missing))] += 1
    # Broken lines may be shorter than the width of their column.
    columns = zip(_columns(table), widths, strict=True)
    return [_longest(line for c in cells for line in wrapped(c, w)) for cells, w in columns]


def _narrowest(table: Table, breaks: Breaks) -> list[int]:
    """The least width of every column."""
    widths = []
    for at, (heading, *cells) in enumerate(_columns(table)):
        parts = heading.split() if breaks is not Breaks.SENTENCES else [heading]
        if at in table.prose:
            parts.append("x" * min(PROSE, _longest(cells)))
        breaking = at in table.prose or breaks is Breaks.ALL
        parts += [part for cell in cells for part in (cell.split() if breaking else [cell])]
        widths.append(_longest(parts))
    return widths


def _columns(table: Table) -> list[tuple[str, ...]]:
    return list(zip(table.headings, *table.rows, strict=True))


def _longest(texts: Iterable[str]) -> int:
    return max((len(line) for text in texts for line in text.split("\n")), default=0)


def wrapped(text: str, width: int | None, hanging: str = "") -> list[str]:
    """The lines of a text, broken between words only."""
    lines = text.split("\n")
    if width is None:
        return lines
    wrapper = textwrap.TextWrapper(
        max(width, 1), subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
    return [part for line in lines for part in wrapper.wrap(line) or [""]]


def _framed(table: Table, widths: list[int]) -> list[Line]:
    def rule(left: str, line: str, middle: str, right: str) -> Line:
        return Line(left + middle.join(line * (width + 2) for width in widths) + right)

    def between(line: Line, bar: str) -> Line:
        return line._replace(text=f"{bar} {line.text} {bar}")

    head = [between(line, "┃") for line in _cells(table, table.headings, widths, " ┃ ", end=True)]
    rows = [between(line, "│") for line in _all_rows(table, widths, " │ ")]
    top, middle = rule("┏", "━", "┳", "┓"), rule("┡", "━", "╇", "┩")
    return [top, *head, middle, *rows, rule("└", "─", "┴", "┘")]


def _open(table: Table, widths: list[int]) -> list[Line]:
    rule = Line(GAP.join("─" * width for width in widths))
    return [
        *_cells(table, table.headings, widths, GAP, end=True),
        rule,
        *_all_rows(table, widths, GAP),
    ]


def _stacked(table: Table, widths: list[int], width: int) -> list[Line]:
    """The first column on lines of its own, the others indented below."""
    rest = _without_names(table)

    def indented(lines: Iterable[Line]) -> list[Line]:
        return [line._replace(text=GAP + line.text) for line in lines]

    lines = [Line(text) for text in wrapped(table.headings[0], width, GAP)]
    lines += indented(_cells(rest, rest.headings, widths, GAP, end=True))
    lines.append(Line("─" * max(len(line.text) for line in lines)))
    for at, row in enumerate(table.rows):
        marked = at in table.marked
        lines += [Line(text, is_marked=marked) for text in wrapped(row[0], width, GAP)]
        lines += indented(_cells(rest, row[1:], widths, GAP, marked=marked))
    return lines


def _lists(table: Table, width: int) -> list[Line]:
    """Every row as a list of headings and cells."""
    lines = []
    for at, (name, *cells) in enumerate(table.rows):
        marked = at in table.marked
        texts = wrapped(f"{table.headings[0]}: {name}", width, GAP)
        for heading, cell in zip(table.headings[1:], cells, strict=True):
            texts += _item(heading, cell, width) if cell else []
        lines += [Line(text, is_marked=marked) for text in texts]
    return lines


def _item(heading: str, cell: str, width: int) -> list[str]:
    first, *more = cell.split("\n")
    texts = wrapped(f"{GAP}{heading}: {first}", width, 2 * GAP)
    return texts + [part for line in more for part in wrapped(2 * GAP + line, width, 2 * GAP)]


def _all_rows(table: Table, widths: list[int], between: str) -> Iterator[Line]:
    for at, row in enumerate(table.rows):
        yield from _cells(table, row, widths, between, marked=at in table.marked)


def _cells(
    table: Table,
    row: Sequence[str],
    widths: list[int],
    between: str,
    *,
    end: bool = False,
    marked: bool = False,
) -> Iterator[Line]:
    """The lines of a row; headings are aligned at the ``end``."""
    cells = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    tallest = max(map(len, cells))
    padded = [
        [*[""] * (tallest - len(cell)), *cell] if end else [*cell, *[""] * (tallest - len(cell))]
        for cell in cells
    ]
    for parts in zip(*padded, strict=True):
        aligned = [
            f"{part:<{width}}" if at in table.words or at in table.prose else f"{part:>{width}}"
            for at, (part, width) in enumerate(zip(parts, widths, strict=True))
        ]
        yield Line(between.join(aligned), is_marked=marked)
