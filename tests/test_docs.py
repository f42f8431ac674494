"""Do the documents hold?  Links lead to pages, examples run, commands exist, parts are up to date.

Checked in README.md, CONTRIBUTING.md, CHANGELOG.md and docs/: relative links and their anchors;
``python`` blocks, which run in order, one namespace per document, in an empty folder; ``toml``
blocks (scenarios, sweeps, suites); options of every ``straggle`` command and the target of every
``make``.  The commands of docs/start.md are executed.  Generated parts, figures, and the pages of
laws are compared with the code; ``docs/prose.py`` checks the English.
"""

import importlib
import json
import re
import shlex
import sys
import tomllib
from collections import Counter
from dataclasses import MISSING, fields
from itertools import chain, dropwhile, groupby, pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import jax
import matplotlib
import matplotlib.pyplot as plt
import pytest
import typer
from gymnasium.envs import registration
from markdown_it import MarkdownIt
from plugged import plugins_as_before

import simulator
from algorithms.methods import METHODS
from simulator.cli.command_line import app, run_command
from simulator.cluster import LAWS
from simulator.cluster.speeds import SPEEDS
from simulator.estimate.remarks import remarks
from simulator.gate import suite_file
from simulator.plugins import REGISTRIES, load_plugin
from simulator.scenario.files import shipped
from simulator.scenario.loading import check
from simulator.sweeps import settings, sweep_file

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in chain(ROOT.glob("*.md"), ROOT.glob("docs/**/*.md"))
    if "_build" not in path.parts
)
WITH_PROGRAMS = [
    name
    for name in DOCUMENTS
    if "```python\n" in (ROOT / name).read_text("utf-8") and not name.startswith("docs/api/")
]
SHELLS = ("console", "sh", "shell", "bash")
LAW_PAGES = {f"laws/{name}": law for name, law in LAWS.items()} | {
    f"speeds/{name}": speed for name, speed in SPEEDS.items()
}


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line on which the text begins."""

    language: str
    text: str
    line: int


def tokens_of(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    return MarkdownIt("commonmark").enable("table").parse(text)


def blocks_of(document, *languages):
    fences = [token for token in tokens_of(document) if token.type == "fence"]
    blocks = [Block(f.info.split(" ")[0], f.content, f.map[0] + 2) for f in fences]
    return [block for block in blocks if block.language in languages]


def script(name):
    """A script of docs/, which imports its neighbours."""
    if str(ROOT / "docs") not in sys.path:
        sys.path.append(str(ROOT / "docs"))
    return importlib.import_module(name)


# Links


def links_of(document):
    """The targets of its links and images, those in HTML included."""
    for token in tokens_of(document):
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline"):
                yield from re.findall(r'(?:href|src|srcset)="([^"\s]+)', part.content)
            yield from (part.attrs[name] for name in ("href", "src") if name in part.attrs)


def anchors_of(document):
    """The names of its headings, as GitHub makes them."""
    seen = Counter()
    for opening, inline in pairwise(tokens_of(document)):
        if opening.type == "heading_open":
            words = "".join(c.content for c in inline.children if c.type in ("text", "code_inline"))
            name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            yield f"{name}-{seen[name]}" if seen[name] else name
            seen[name] += 1


def test_relative_links_lead_to_a_page_and_a_heading():
    anchors = {document: {*anchors_of(document)} for document in DOCUMENTS}
    for document in DOCUMENTS:
        for link in links_of(document):
            place, _, anchor = unquote(link).partition("#")
            if re.match(r"[a-z]+:", link):
                continue
            target = ((ROOT / document).parent / place if place else ROOT / document).resolve()
            assert target.exists(), f"{document}: {link} does not exist"
            if anchor and target.suffix == ".md":
                known = anchors[target.relative_to(ROOT).as_posix()]
                assert anchor in known, f"{document}: {link}: no such heading"


# Examples


def program_of(document):
    """Its ``python`` blocks, each on its own line, so that a traceback shows the place."""
    program = ""
    for block in blocks_of(document, "python"):
        program += "\n" * (block.line - 1 - program.count("\n")) + block.text
    return program


@pytest.fixture
def as_at_first(monkeypatch):
    """Fresh settings of JAX, matplotlib and gymnasium, which an example may change."""
    monkeypatch.setattr(registration, "registry", dict(registration.registry))
    jax.config.update("jax_enable_x64", False)
    with matplotlib.rc_context(), plugins_as_before():
        yield
    plt.close("all")
    jax.config.update("jax_enable_x64", True)


@pytest.mark.usefixtures("as_at_first")
@pytest.mark.parametrize("document", [each for each in WITH_PROGRAMS if "start" not in each])
def test_python_examples_run(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(program_of(document), ROOT / document, "exec"), {"__name__": "__main__"})


@pytest.mark.usefixtures("as_at_first")
def test_the_commands_of_the_first_page_run_in_order(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    [scenario] = blocks_of("docs/start.md", "toml")
    Path("my-cluster.toml").write_text(scenario.text, encoding="utf-8")
    for words in commands_of("docs/start.md"):
        quick = ["--figures", "none", "--jobs", "1"] if words[1] == "run" else []
        assert run_command([*words[1:], *quick]) == 0, words
    [table] = (block.text for block in blocks_of("docs/start.md", "text"))
    assert table.splitlines()[4:7] == [
        line for line in capfd.readouterr().out.splitlines() if "│" in line and line in table
    ]
    exec(program_of("docs/start.md"), {"__name__": "__main__"})


def plugin_of(document):
    """The module of a plug-in: the examples of a page, and of its folder, with a dictionary."""
    kinds = "|".join(kind.upper() for kind in REGISTRIES)
    folder = document.removesuffix(".md") + "/"
    pages = [document, *(each for each in DOCUMENTS if each.startswith(folder))]
    blocks = [block.text for page in pages for block in blocks_of(page, "python")]
    return "\n\n".join(text for text in blocks if re.search(rf"^({kinds}) = ", text, re.M))


def lay_out_plugin(folder):
    """Write the plug-in of the page about plug-ins under the name that it has there."""
    file = folder / "mine.py"
    file.write_text(plugin_of("docs/plugins.md"), encoding="utf-8")
    return file


def lay_out_modules(document, folder):
    """Write every example that registers an environment as the module that it names; the files."""
    for block in blocks_of(document, "python"):
        for name in re.findall(r'entry_point="(\w+):', block.text):
            (folder / f"{name}.py").write_text(block.text, encoding="utf-8")
            yield folder / f"{name}.py"


@pytest.mark.usefixtures("as_at_first")
def test_toml_examples_are_valid(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    load_plugin(lay_out_plugin(tmp_path))
    file = tmp_path / "example.toml"
    for document in DOCUMENTS:
        for module in lay_out_modules(document, tmp_path):
            load_plugin(module)
        for block in blocks_of(document, "toml"):
            tables = tomllib.loads(block.text)
            file.write_text(block.text, encoding="utf-8")
            if {"cluster", "methods"} <= tables.keys():
                check(tables)
            if "scenario" in tables:
                found = sweep_file.read(file)
                assert settings.settings(found, found.methods), document
            if "benchmarks" in tables:
                assert suite_file.read(file).benchmarks, document


# Commands


def commands_of(document):
    """The simple commands of its shell blocks, as lists of words."""
    for block in blocks_of(document, *SHELLS):
        lines = block.text.replace("\\\n", " ").splitlines()
        if block.language == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        for line in lines:
            words = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
            words.whitespace_split = True
            for operator, command in groupby(words, key=lambda word: word[0] in "|&;<>"):
                if not operator:
                    yield list(dropwhile(lambda word: re.match(r"[A-Z_]+=", word), command))


def check_straggle(arguments):
    """A known subcommand, known options with their values, and files that exist."""
    program = typer.main.get_command(app)
    arguments = [word for word in arguments if word not in ("--debug", "--help", "--version")]
    if not arguments:
        return
    name, *rest = arguments
    assert name in program.commands, f"straggle has no command {name}"
    parameters = program.commands[name].make_context(name, rest).params  # parses, runs nothing
    for kind in ("scenario", "sweep", "suite"):
        given = parameters.get(kind)
        if isinstance(given, str) and not given.endswith(".toml"):
            assert given in shipped(kind), f"there is no {kind} {given}"
        elif isinstance(given, str) and given.startswith("scenarios/"):
            assert (ROOT / given).is_file(), f"there is no {kind} {given}"


def make_targets():
    return re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.usefixtures("as_at_first")
def test_commands_exist(tmp_path, monkeypatch):
    lay_out_plugin(tmp_path)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    for document in DOCUMENTS:
        assert all(module.is_file() for module in lay_out_modules(document, tmp_path))
        for words in commands_of(document):
            if words[:1] == ["straggle"]:
                check_straggle(words[1:])
            for word in words[1:] if words[:1] == ["make"] else []:
                known = "=" in word or word in make_targets()
                assert known, f"{document}: make {word}"


def test_an_option_that_does_not_exist_is_noticed():
    check_straggle(["run", "straggler", "--seeds", "0,1", "--set", "stop.seconds=5"])
    with pytest.raises(AssertionError, match="no command"):
        check_straggle(["walk", "straggler"])
    with pytest.raises(Exception, match="--sedes"):
        check_straggle(["run", "straggler", "--sedes", "0"])
    with pytest.raises(AssertionError, match="no scenario"):
        check_straggle(["run", "stragler"])


# What the code says


def keys_in(document):
    """The keys in its tables, each with its first row's column of defaults."""
    found = {}
    for row in re.findall(r"^\| (`.*) \|$", (ROOT / document).read_text(encoding="utf-8"), re.M):
        cells = row.split(" | ")
        for key in re.findall(r"`([^`]+)`", cells[0]):
            found.setdefault(key, cells[2] if len(cells) > 2 else "")
    return found


def test_generated_parts_are_up_to_date():
    assert not script("generate").stale(), "make reference writes them"
    api = "".join(page.read_text("utf-8") for page in ROOT.glob("docs/api/*.md"))
    assert not [name for name in simulator.__all__ if f"\n### {name}\n" not in api]


def written(value):
    if value in (MISSING, None):
        return "required" if value is MISSING else "none"
    return f"`{json.dumps(value)}`"


def test_every_law_has_a_page_with_its_keys_and_a_figure():
    places = (ROOT / "docs/clusters").glob("*/*.md")
    pages = {each.relative_to(ROOT / "docs/clusters").with_suffix("").as_posix() for each in places}
    assert pages == LAW_PAGES.keys()
    for page, law in LAW_PAGES.items():
        document, kind, name = f"docs/clusters/{page}.md", *page.split("/")
        defaults = {field.name: written(field.default) for field in fields(law)}
        keys = keys_in(document)
        assert {key: keys[key] for key in defaults if key in keys} == defaults, page
        assert f"../../images/laws/{name}.svg" in links_of(document)
        assert f"{page}.md" in links_of("docs/clusters/index.md")
        example = tomllib.loads(blocks_of(document, "toml")[0].text)["cluster"]
        shown = example["compute" if kind == "laws" else "speed"]
        assert not isinstance(shown, dict) or shown["law"] == name, "the figure shows another law"


def test_examples_of_clusters_are_valid_and_have_an_effect():
    pages = script("drawings.pages")
    for page in (each for each in DOCUMENTS if each.startswith("docs/clusters/")):
        with pages.beside_its_files():
            for block in blocks_of(page, "toml"):
                scenario = check(pages.whole(tomllib.loads(block.text)))
                assert not [r for r in remarks(scenario) if "no method of" not in r], page


def test_figures_are_those_of_the_script():
    figures = script("figures")
    assert {*LAWS, *SPEEDS} <= figures.FIGURES.keys()
    assert {path.stem for path in figures.HERE.glob("*.svg")} == figures.FIGURES.keys()
    assert not figures.stale(["gamma", "drift", "collectives"]), "python docs/figures.py"


@pytest.mark.nightly
def test_all_figures_are_those_of_the_script():
    assert not script("figures").stale()


def test_every_method_is_in_the_overview_and_on_a_page():
    pages = {each: (ROOT / each).read_text("utf-8") for each in DOCUMENTS if "/methods/" in each}
    overview = pages.pop("docs/methods/index.md")
    assert not [name for name in METHODS if f"`{name}`" not in overview]
    assert not [name for name in METHODS if f"`{name}`" not in "".join(pages.values())]


def test_the_prose_is_plain():
    prose = script("prose")
    found = [fault for path in prose.documents() for fault in prose.faults(prose.prose_of(path))]
    assert not found, "python docs/prose.py lists them"


@pytest.mark.parametrize(
    "text",
    [
        "The worker is told.",
        "Who sends waits.",
        "- Where it is, nothing moves.",
        "| a | nobody |\n| --- | --- |",
        "one two " * 16 + "three.",
    ],
)
def test_riddles_are_noticed(text):
    assert [*script("prose").faults(text)]
    assert not [*script("prose").faults("Each worker sends a gradient. Who waits?")]
