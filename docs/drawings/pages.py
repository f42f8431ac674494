"""What do the pages say?  The TOML examples of a page, each made a whole scenario."""

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markdown_it import MarkdownIt

from simulator.scenario.loading import check
from simulator.scenario.scenario import Scenario

PAGES = Path(__file__).resolve().parent.parent / "clusters"
WORKERS = 10
"""How many there are where an example does not say."""
FILES = {"speeds/trace.md": "speeds.csv", "laws/empirical.md": "durations.csv"}
"""The files of the examples, by the page that shows its text."""


def fences(page: Path, language: str) -> list[str]:
    """The text of its blocks in this language."""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    return [t.content for t in tokens if t.type == "fence" and t.info.strip() == language]


def whole(tables: dict[str, Any]) -> dict[str, Any]:
    """The example with what it leaves out: enough to be a scenario."""
    playing = tables.get("cluster", {}).get("per") == "environment-step"
    played = {"kind": "policy-gradient", "environment": "CartPole-v1"}
    rest = {
        "objective": played if playing else {"kind": "quadratic"},
        "stop": {"steps": 1},
        "methods": {"synchronous-nigt": {"step": 0.1, "momentum": 0.1}},
    }
    cluster = {"workers": WORKERS, "compute": 1.0, **tables.get("cluster", {})}
    return {**rest, **tables, "cluster": cluster}


@contextmanager
def beside_its_files() -> Iterator[None]:
    """A folder with the files that examples name, as the program's own."""
    before = Path.cwd()
    with TemporaryDirectory() as name:
        for page, file in FILES.items():
            text = next(text for text in fences(PAGES / page, "text") if "worker," in text)
            (Path(name) / file).write_text(text, encoding="utf-8")
        os.chdir(name)
        try:
            yield
        finally:
            os.chdir(before)


def scenarios(page: Path) -> list[Scenario]:
    """All examples of a page, checked."""
    with beside_its_files():
        return [check(whole(tomllib.loads(text))) for text in fences(page, "toml")]
