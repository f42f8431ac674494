"""Is the prose plain English?  Words that are out, riddles as subjects, and long sentences.

python docs/prose.py               check README.md, CONTRIBUTING.md, docs/ and the changelog
python docs/prose.py FILE.md ...   check these files

Code, tables of commands and the parts that come from docstrings are not prose of a page.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
WORD = re.compile(r"\S*\w{2}\S*")
LONGEST = 30
"""Words of a sentence."""

OUT = {
    r"who(ever|soever)?\b(?!.*\?$)": "name the worker, run or user",
    r"(some|every|any|no)body": "say 'a worker', 'all workers' or 'no worker'",
    r"told(?! apart)": "say 'reports', 'shows' or 'is documented in'",
    r"stands? there": "say 'is given' or 'occurs'",
    r"what there is": "name the things",
    r"hears?|heard": "say 'receives' or 'is notified'",
    r"so many": "give the number a name",
    r"unless said( otherwise)?": "say 'by default'",
    r"(what|which) becomes of": "say what happens",
    r"how-manieth": "say 'sequence number'",
    r"in vain|for nothing": "say 'wasted' or 'dropped'",
    r"(one's|ones) own": "say 'your own'",
    r"is dear": "say 'is expensive'",
    r"looked at|a look|looks at": "say 'evaluated' or 'evaluation'",
    r"for ever": "say 'never ends' or 'permanently'",
    r"nowhere|somewhere": "name the place",
    r"by chance|chance that": "say 'at random' or 'probability'",
}
RIDDLES = {
    r"(Who|Whom|Whoever|Whose|What|How)\b[^?]*$": "make a noun of the domain the subject",
    r"Where\b[^?]*$": "begin with 'If', or name the place",
    r"Of (a|an|the|such)\b": "put the subject first",
    r"(Else|Likewise)\b": "say 'otherwise', or repeat the noun",
}
FROM_CODE = re.compile(r"<!-- generated: (?:functions|classes|commands).*?<!-- end -->", re.S)
SENTENCE = re.compile(r"(?<=[\w)\]`*][.!?])[\s\"')*]+(?=[A-Za-z`(*])")


def sentences(text: str) -> Iterator[tuple[int, str, bool]]:
    """Line, text, and whether it is a sentence of a paragraph: a cell may be a fragment."""
    kept = FROM_CODE.sub(lambda found: "\n" * found[0].count("\n"), text)
    line, inside, before = 0, False, ""
    for token in MarkdownIt("commonmark").enable("table").parse(kept):
        line = token.map[0] + 1 if token.map else line
        inside = token.type == "table_open" or (inside and token.type != "table_close")
        if token.type == "inline" and before != "heading_open":
            for sentence in SENTENCE.split(_words(token)):
                yield line, sentence, not inside
        before = token.type


def _words(token: Token) -> str:
    """The text as it is read; a piece of code counts as one word."""
    breaks = {"code_inline": " code ", "softbreak": " ", "image": ""}
    parts = (breaks.get(each.type, each.content) for each in token.children or ())
    text = re.sub(r"\s+", " ", "".join(parts)).strip()
    return re.sub(r" (?=[.,;:!?)])", "", text)


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Every fault with its line, and what to write instead."""
    for line, sentence, whole in sentences(text):
        for pattern, remedy in OUT.items():
            if found := re.search(rf"\b(?:{pattern})(?!\w)", sentence, re.I):
                yield line, f"{found[0]!r}: {remedy}"
        for pattern, remedy in RIDDLES.items() if whole else ():
            if re.match(pattern, sentence):
                yield line, f"{sentence[:40]!r}: {remedy}"
        if whole and (count := len(WORD.findall(sentence))) > LONGEST:
            yield line, f"{count} words in {sentence[:40]!r}: at most {LONGEST}; split it"


def documents() -> Iterator[Path]:
    """All of ours: Markdown at the top and below docs/ and .github/."""
    for place in ("*.md", "docs/**/*.md", ".github/**/*.md"):
        for path in sorted(ROOT.glob(place)):
            if "_build" not in path.parts:
                yield path


def prose_of(path: Path) -> str:
    """The text of a document; of the changelog, what is not released yet."""
    text = path.read_text(encoding="utf-8")
    return text.split("\n## [0")[0] if path.name == "CHANGELOG.md" else text


def main(names: list[str]) -> int:
    count = 0
    for path in [Path(name).resolve() for name in names] or documents():
        for line, fault in faults(prose_of(path)):
            count += 1
            print(f"{path.relative_to(ROOT)}:{line}: {fault}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
