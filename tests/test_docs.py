"""Is what the documents say true?  Links lead somewhere, examples run, commands exist.

Checked in README.md, CONTRIBUTING.md, CHANGELOG.md and docs/: relative links and their anchors;
``python`` blocks, which run in order, one namespace per document, in an empty folder; ``toml``
blocks, which are scenarios if they have a cluster and methods, sweeps if they name a scenario, and
suites if they have benchmarks;
and in ``console`` and ``sh`` blocks the options of every ``straggle`` command and the target of
every ``make``.  The pages of docs/clusters: one for every law, with its keys, examples that are
valid, and today's figure.  The lists of methods: all of them, each with its settings.
"""

import importlib
import inspect
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
from simulator.cli.command_line import app
from simulator.cluster import LAWS
from simulator.cluster.speeds import SPEEDS
from simulator.commands.shown import Shown
from simulator.estimate.remarks import remarks
from simulator.gate import suite_file
from simulator.gate.suite_file import ClaimTable, ExactTable, SuiteTable, ToleranceTable
from simulator.objectives.catalogue import ChainTable, PolicyGradientTable, QuadraticTable
from simulator.objectives.tables.policy import PerceptronTable
from simulator.objectives.tables.policy_gradient import TargetTable, WorkerTable
from simulator.plugins import REGISTRIES, load_plugin
from simulator.scenario.cluster_table import ClusterTable, FailuresTable, OutageTable
from simulator.scenario.files import shipped
from simulator.scenario.loading import check
from simulator.scenario.network_table import NetworkTable, UplinkTable
from simulator.scenario.scenario import EvaluationTable, Scenario, StopTable
from simulator.scenario.tables import TransferTable
from simulator.sweeps import settings, sweep_file

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in chain(ROOT.glob("*.md"), ROOT.glob("docs/**/*.md"))
    if "_build" not in path.parts
)
WITH_PROGRAMS = [name for name in DOCUMENTS if "```python\n" in (ROOT / name).read_text("utf-8")]
SHELLS = ("console", "sh", "shell", "bash")


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


# Links


def links_of(document):
    """Where its links and images lead, those in HTML included."""
    found = []
    for token in tokens_of(document):
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline"):
                found += re.findall(r'(?:href|src|srcset)="([^"\s]+)', part.content)
            found += [part.attrs[name] for name in ("href", "src") if name in part.attrs]
    return found


def anchors_of(document):
    """The names of its headings, as GitHub makes them, and of its HTML anchors."""
    names, seen = set(), Counter()
    for opening, inline in pairwise(tokens_of(document)):
        if opening.type == "heading_open":
            words = "".join(c.content for c in inline.children if c.type in ("text", "code_inline"))
            name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            names.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    html = (ROOT / document).read_text(encoding="utf-8")
    return {*names, *re.findall(r'<[^>]*\b(?:id|name)="([^"]+)"', html)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_relative_links_lead_somewhere(document):
    for link in links_of(document):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = unquote(link).partition("#")
        target = (ROOT / document).parent / place if place else ROOT / document
        assert target.exists(), f"{document}: {link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors_of(target.resolve().relative_to(ROOT)), f"{document}: {link}"


# Examples


def program_of(document):
    """Its ``python`` blocks, each on its own line, so that a traceback shows where to look."""
    program = ""
    for block in blocks_of(document, "python"):
        program += "\n" * (block.line - 1 - program.count("\n")) + block.text
    return program


@pytest.fixture
def as_at_first(monkeypatch):
    """The settings of JAX and matplotlib that an example finds, and may change."""
    monkeypatch.setattr(registration, "registry", dict(registration.registry))
    jax.config.update("jax_enable_x64", False)
    with matplotlib.rc_context(), plugins_as_before():
        yield
    plt.close("all")
    jax.config.update("jax_enable_x64", True)


@pytest.mark.usefixtures("as_at_first")
@pytest.mark.parametrize("document", WITH_PROGRAMS)
def test_python_examples_run(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(program_of(document), ROOT / document, "exec"), {"__name__": "__main__"})


def plugin_of(document):
    """Its examples that bring something: together they are the module of a plug-in."""
    blocks = [block.text for block in blocks_of(document, "python")]
    kinds = "|".join(kind.upper() for kind in REGISTRIES)
    return "\n\n".join(text for text in blocks if re.search(rf"^({kinds}) = ", text, re.M))


def lay_out_plugin(folder):
    """Write the plug-in of the page about plug-ins under the name that it has there."""
    file = folder / "mine.py"
    file.write_text(plugin_of("docs/plugins.md"), encoding="utf-8")
    return file


def lay_out_modules(document, folder):
    """Write every example that registers an environment as the module that it names."""
    for block in blocks_of(document, "python"):
        for name in re.findall(r'entry_point="(\w+):', block.text):
            (folder / f"{name}.py").write_text(block.text, encoding="utf-8")


@pytest.mark.usefixtures("as_at_first")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_toml_examples_are_valid(document, tmp_path, monkeypatch):
    lay_out_modules(document, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    if plugin_of(document):
        load_plugin(lay_out_plugin(tmp_path))
    for block in blocks_of(document, "toml"):
        tables = tomllib.loads(block.text)
        if {"cluster", "methods"} <= tables.keys():
            check(tables)
        if "scenario" in tables:
            file = tmp_path / "sweep.toml"
            file.write_text(block.text, encoding="utf-8")
            found = sweep_file.read(file)
            assert settings.settings(found, found.methods)
        if "benchmarks" in tables:
            file = tmp_path / "suite.toml"
            file.write_text(block.text, encoding="utf-8")
            assert suite_file.read(file).benchmarks


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


def arguments_of(words, *programs):
    """What follows the program, if it is one of these, however it is started."""
    for program in programs:
        for start in (program, f"uv run {program}", f".venv/bin/{program}"):
            many = len(start.split())
            if words[:many] == start.split():
                return words[many:]
    return None


def check_straggle(arguments):
    """A known subcommand, known options with their values, as many arguments as it takes."""
    program = typer.main.get_command(app)
    arguments = [word for word in arguments if word not in ("--debug", "--help")]
    if not arguments:
        return
    name, *rest = arguments
    assert name in program.commands, f"straggle has no command {name}"
    command = program.commands[name]
    # Parses, and calls nothing; options that do not exist raise.
    parameters = command.make_context(name, rest).params
    scenario, sweep = parameters.get("scenario"), parameters.get("sweep")
    if scenario is not None:
        readers_own = scenario.endswith(".toml") and not scenario.startswith("scenarios/")
        known = readers_own or scenario in shipped() or (ROOT / scenario).is_file()
        assert known, f"there is no scenario {scenario}"
    if isinstance(sweep, str) and not sweep.endswith(".toml"):
        assert sweep in shipped("sweep"), f"there is no sweep {sweep}"
    suite = parameters.get("suite")
    if isinstance(suite, str) and not suite.endswith(".toml"):
        assert suite in shipped("suite"), f"there is no suite {suite}"


def make_targets():
    return re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.usefixtures("as_at_first")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_exist(document, tmp_path, monkeypatch):
    lay_out_plugin(tmp_path)
    monkeypatch.chdir(tmp_path)
    for words in commands_of(document):
        straggle = arguments_of(words, "straggle", "python -m simulator", "python3 -m simulator")
        if straggle is not None:
            check_straggle(straggle)
        make = arguments_of(words, "make") or []
        for target in (word for word in make if "=" not in word and not word.startswith("-")):
            assert target in make_targets(), f"{document}: make {target}"


def test_an_option_that_does_not_exist_is_noticed():
    check_straggle(["run", "straggler", "--seeds", "0,1", "--set", "stop.seconds=5"])
    with pytest.raises(AssertionError, match="no command"):
        check_straggle(["walk", "straggler"])
    with pytest.raises(Exception, match="--sedes"):
        check_straggle(["run", "straggler", "--sedes", "0"])
    with pytest.raises(AssertionError, match="no scenario"):
        check_straggle(["run", "stragler"])


# Clusters: a page, a figure and valid examples for every law

CLUSTERS = ROOT / "docs" / "clusters"
LAW_PAGES = {
    **{f"laws/{name}": law for name, law in LAWS.items()},
    **{f"speeds/{name}": speed for name, speed in SPEEDS.items()},
}
TABLES_OF = {
    "check.md": (SuiteTable, ExactTable, ToleranceTable, ClaimTable),
    "clusters/outages.md": (OutageTable, FailuresTable),
    "clusters/network.md": (NetworkTable, TransferTable, UplinkTable),
    "scenarios.md": (
        Scenario, ClusterTable, NetworkTable, EvaluationTable, StopTable,
    ),
    "objectives/chain.md": (ChainTable,),
    "objectives/policy-gradient.md": (
        PolicyGradientTable, PerceptronTable, WorkerTable, TargetTable,
    ),
    "objectives/quadratic.md": (QuadraticTable,),
}  # fmt: skip


def drawing():
    """The script of the figures, which lies in docs/ and imports what lies beside it."""
    if str(ROOT / "docs") not in sys.path:
        sys.path.append(str(ROOT / "docs"))
    return importlib.import_module("figures")


def keys_in(document):
    """The keys in its tables, each with what its first row has in the column of defaults."""
    found = {}
    for row in re.findall(r"^\| (`.*) \|$", (ROOT / document).read_text(encoding="utf-8"), re.M):
        cells = row.split(" | ")
        for key in re.findall(r"`([^`]+)`", cells[0]):
            found.setdefault(key, cells[2] if len(cells) > 2 else "")
    return found


def written(value):
    """A default as the documents write it."""
    if value in (MISSING, None):
        return "required" if value is MISSING else "none"
    return f"`{json.dumps(value)}`"


@pytest.mark.parametrize("page", LAW_PAGES)
def test_every_law_has_a_page_with_its_keys_and_a_figure(page):
    document, kind, name = f"docs/clusters/{page}.md", *page.split("/")
    defaults = {field.name: written(field.default) for field in fields(LAW_PAGES[page])}
    known = {key: default for key, default in keys_in(document).items() if key in defaults}
    assert known == defaults
    assert f"../../images/laws/{name}.svg" in links_of(document)
    assert f"{page}.md" in links_of("docs/clusters/index.md"), "the guide does not lead there"
    first = blocks_of(document, "toml")[0].text
    law = tomllib.loads(first)["cluster"]["compute" if kind == "laws" else "speed"]
    assert not isinstance(law, dict) or law["law"] == name, "the figure shows another law"


def test_no_page_is_about_a_law_that_does_not_exist():
    pages = {p.relative_to(CLUSTERS).with_suffix("").as_posix() for p in CLUSTERS.glob("*/*.md")}
    assert pages == LAW_PAGES.keys()


@pytest.mark.parametrize("document", TABLES_OF)
def test_every_key_of_the_schema_is_explained(document):
    named = keys_in(f"docs/{document}")
    for table in TABLES_OF[document]:
        missing = table.model_fields.keys() - named.keys() - {"kind"}
        assert not missing, f"{document}: {table.__name__}"


@pytest.mark.parametrize("page", [p for p in DOCUMENTS if p.startswith("docs/clusters/")])
def test_examples_of_clusters_are_valid_and_have_an_effect(page):
    drawing()
    pages = importlib.import_module("drawings.pages")
    if "file" in "".join(block.text for block in blocks_of(page, "toml")):
        page = "docs/clusters/speeds/trace.md"  # the guide's example is that of this page
    with pages.in_its_folder(ROOT / page):
        for block in blocks_of(page, "toml"):
            scenario = check(pages.whole(tomllib.loads(block.text)))
            assert not [r for r in remarks(scenario) if "no method of" not in r]


def test_the_figures_are_what_the_script_draws():
    figures = drawing()
    assert {*LAWS, *SPEEDS} <= figures.FIGURES.keys()
    assert {path.stem for path in figures.HERE.glob("*.svg")} == figures.FIGURES.keys()
    assert not figures.stale(), "python docs/figures.py draws them anew"


# Methods: in every list, with its settings


def listed(document):
    """Every method in its tables, with the first words in code that follow it in its row."""
    found = {}
    for row in re.findall(r"^\| (`.*) \|$", (ROOT / document).read_text(encoding="utf-8"), re.M):
        methods, *others = [re.findall(r"`([^`]+)`", cell) for cell in row.split(" | ")]
        settings = next((cell for cell in others if cell), [])
        found.update({method: settings for method in methods if method in METHODS})
    return found


@pytest.mark.parametrize("document", ["docs/methods/index.md", "docs/scenarios.md"])
def test_every_method_is_listed_with_its_settings(document):
    settings = {name: list(method.parameters()) for name, method in METHODS.items()}
    assert listed(document) == settings


def test_every_method_is_on_a_page_of_its_own_or_of_its_family():
    pages = [p for p in DOCUMENTS if p.startswith("docs/methods/") and not p.endswith("index.md")]
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    assert not [name for name in METHODS if f"`{name}`" not in text]


# Python: every public name, with all arguments


def taken_by(thing):
    """What it takes, in the order of its signature."""
    if isinstance(thing, type) and hasattr(thing, "model_fields"):
        return [name for name in thing.model_fields if name not in ("kind", "method")]
    return list(inspect.signature(thing).parameters)


@pytest.mark.parametrize("name", simulator.__all__)
def test_the_reference_has_every_name_and_argument(name):
    thing, text = getattr(simulator, name), (ROOT / "docs/reference.md").read_text("utf-8")
    assert re.search(rf"`{name}[`(]", text)
    if isinstance(thing, type) and issubclass(thing, (Shown, Exception)):
        return  # nobody makes them
    row = next(
        line
        for line in text.splitlines()
        if re.match(rf"\| \[?`{name}`|`{name}`: |.*`{name}\(", line)
    )
    missing = [each for each in taken_by(thing) if not re.search(rf"\b{each}\b", row)]
    assert not missing or missing == ["theory"]
