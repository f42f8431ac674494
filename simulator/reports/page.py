"""How is a page put together?  Sections of markup, their data, and the scripts that draw them.

The file needs no network and no server, and its policy forbids both: only these scripts run.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from simulator.mistakes import check_argument
from simulator.reports import markup
from simulator.system.files import replace

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = (
    *("unpack", "theme", "elements", "axes", "tooltip", "series", "curves", "intervals"),
    *("shares", "lanes", "raster", "minimap", "painting", "pointing", "timeline", "main"),
)
"""Files of ``assets``, in the order in which they need each other."""
HEIGHT = 760
"""Pixels of the page inside a notebook."""


class Widget(NamedTuple):
    """Something to explore: the kind names a function of ``assets/main.js``."""

    kind: str
    data: dict[str, Any]
    title: str = ""


class Section(NamedTuple):
    name: str
    """Its address within the page."""
    title: str
    parts: Sequence[str | Widget]
    """Markup and widgets, from top to bottom."""


@dataclass(frozen=True, repr=False)
class Page:
    """A report: a notebook shows it, and ``save`` writes it as one file."""

    title: str
    kind: str
    """Of results: run, sweep, study, comparison or real run."""
    sections: Sequence[Section]

    def save(self, path: str | Path) -> Path:
        """Write the page to a file; returns its path."""
        check_argument("save: path", path, (str, Path), "give the path of a file")
        file = Path(path)
        replace(file, lambda partial: partial.write_text(self.html, encoding="utf-8"))
        return file

    @property
    def html(self) -> str:
        """The whole page."""
        style, scripts = asset("page.css"), [asset(f"{name}.js") for name in SCRIPTS]
        widgets: list[str] = []
        sections = "".join(_section(section, widgets) for section in self.sections)
        links = "".join(
            f'<a href="#{section.name}">{escape(section.title)}</a>' for section in self.sections
        )
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, scripts)}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{escape(self.title)}</title><style>{style}</style></head><body>"
            f'<header><p class="kind">{escape(self.kind)}</p><h1>{escape(self.title)}</h1>'
            f'<nav aria-label="Sections">{links}</nav></header><main>{sections}</main>'
            f"{''.join(widgets)}{''.join(f'<script>{each}</script>' for each in scripts)}"
            "</body></html>\n"
        )

    def _repr_html_(self) -> str:
        frame = f'sandbox="allow-scripts" title="{escape(self.title)}"'
        size = f'width="100%" height="{HEIGHT}" frameborder="0"'
        return f'<iframe {frame} {size} srcdoc="{escape(self.html)}"></iframe>'

    def __repr__(self) -> str:
        return f"report of a {self.kind}: {self.title}; save(path) writes it as an HTML file"


def _section(section: Section, widgets: list[str]) -> str:
    parts = "".join(
        part if isinstance(part, str) else _widget(part, widgets) for part in section.parts
    )
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2>{parts}</section>'


def _widget(widget: Widget, widgets: list[str]) -> str:
    """The place of a widget; its data come last in the page, so that the text shows early."""
    name = f"data-{len(widgets)}"
    content = markup.data({**widget.data, "title": widget.title})
    widgets.append(f'<script type="application/json" id="{name}">{content}</script>')
    heading = f"<h3>{escape(widget.title)}</h3>" if widget.title else ""
    place = f'<div class="widget" data-kind="{widget.kind}" data-of="{name}"></div>'
    return f"<figure>{heading}{place}</figure>"


@cache
def asset(name: str) -> str:
    """A file of ours; as it becomes part of a page, it must not end its element."""
    text = (ASSETS / name).read_text(encoding="utf-8")
    assert "</" not in text, name
    return text


def _policy(style: str, scripts: Iterable[str]) -> str:
    """Which content may have effects: these scripts and styles, and nothing from elsewhere."""
    allowed = " ".join(map(_hash, scripts))
    styles = " ".join(map(_hash, (style, *markup.SIDES)))
    rules = (
        "default-src 'none'",
        f"script-src {allowed}",
        f"style-src 'unsafe-hashes' {styles}",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
