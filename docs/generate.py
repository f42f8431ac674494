"""Writes the generated parts of the pages: keys, settings, commands and the Python API.

python docs/generate.py            write them
python docs/generate.py --check    list the pages that are out of date; exit code 1 if there are any

A page marks a generated part with two comments, and everything between them is replaced:

    <!-- generated: keys scenario StopTable -->
    <!-- end -->

The first word names a function of ``PARTS``, the others are its arguments.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from generated import advice, api, commands, keys, panels, rollouts

HERE = Path(__file__).resolve().parent
MARKED = re.compile(r"(<!-- generated: ([^\n]+) -->\n).*?(<!-- end -->)", re.S)

PARTS: dict[str, Callable[..., str]] = {
    "keys": keys.table,
    "methods": keys.methods,
    "settings": keys.settings,
    "commands": commands.commands,
    "functions": api.functions,
    "classes": api.classes,
    "panel": panels.panel,
    "rollouts": rollouts.table,
    "advice": advice.table,
}


def pages() -> Iterator[Path]:
    """Every page of the documentation."""
    return (page for page in sorted(HERE.rglob("*.md")) if "_build" not in page.parts)


def filled(page: Path) -> str:
    """The page with its generated parts written anew."""

    def part(found: re.Match[str]) -> str:
        name, *arguments = found[2].split()
        return f"{found[1]}\n{PARTS[name](page.parent, *arguments)}\n\n{found[3]}"

    return MARKED.sub(part, page.read_text(encoding="utf-8"))


def stale() -> list[str]:
    """The pages whose generated parts are out of date."""
    return [
        page.relative_to(HERE).as_posix()
        for page in pages()
        if filled(page) != page.read_text(encoding="utf-8")
    ]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        for name in (found := stale()):
            print(f"docs/{name}: out of date; run make reference")
        return 1 if found else 0
    for page in pages():
        page.write_text(filled(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
