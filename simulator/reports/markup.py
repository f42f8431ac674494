"""How does text become HTML?  Escaped, so that no title, label or message is ever markup."""

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from simulator.text_table import Table

SIDES = ("text-align: left", "text-align: right")
"""The styles of cells: the only ones in the markup, as the page allows no others."""


def table(content: Table) -> str:
    """A table, with numbers on the right."""
    headings = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in content.headings)
    rows = "".join(f"<tr>{_cells(content, row)}</tr>" for row in content.rows)
    title = f"<caption><span>{escape(content.title)}</span></caption>" if content.title else ""
    return f"<table>{title}<thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(content: Table, row: Sequence[str]) -> str:
    left = {*content.words, *content.prose}
    sides = [SIDES[at not in left] for at in range(len(row))]
    cells = (escape(cell).replace("\n", "<br>") for cell in row)
    return "".join(f'<td style="{s}">{cell}</td>' for s, cell in zip(sides, cells, strict=True))


def items(lines: Iterable[str]) -> str:
    """A list; empty without lines."""
    found = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{found}</ul>" if found else ""


def wide(markup: str) -> str:
    """Markup that scrolls sideways by itself if the page is narrow."""
    return f'<div class="wide" tabindex="0">{markup}</div>'


def code(text: str, name: str) -> str:
    """Text as it is, with a name for those who cannot see it."""
    return f'<pre tabindex="0" aria-label="{escape(name)}"><code>{escape(text)}</code></pre>'


def data(content: Any) -> str:
    """JSON inside an element ``script``, which no text of it can end.

    >>> data({"title": "</script>"})
    '{"title":"\\\\u003c/script>"}'
    """
    text = json.dumps(_plain(content), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's, and null for what is not finite."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
