"""What do all commands share?  The app, options, and ways to print."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from simulator.mistakes import Mistake, printable
from simulator.text_table import Table, laid_out, wrapped

if TYPE_CHECKING:
    from simulator.campaign.runner import Jobs
    from simulator.reports.page import Page

BOLD, RED, PLAIN = "\x1b[1m", "\x1b[1;31m", "\x1b[0m"
LONGEST = 800
"""Characters of a message on stderr."""


class Commands(TyperGroup):
    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> Any:
        """Return or raise what the command does: Typer's own hides an interrupt."""
        with self.make_context("straggle", list(args or [])) as context:
            return self.invoke(context)


app = typer.Typer(
    cls=Commands,
    help="Compare asynchronous policy-gradient methods on an unequal cluster, in simulated time.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="--debug, anywhere: show the traceback of an error.",
)


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Compare asynchronous policy-gradient methods on an unequal cluster, in simulated time."""
    if version:
        from importlib.metadata import version as version_of

        print(f"straggle {version_of('straggle')}")


ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of a shipped scenario.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a key; may be repeated."),
]
SeedsOption = Annotated[
    str | None, typer.Option(metavar="0,3-5,…", help="Seeds to run instead of the scenario's.")
]
MethodsOption = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Run only these methods of the scenario.")
]
JobsOption = Annotated[
    int | None, typer.Option(min=1, help="Runs at a time [one per core; fewer for little work].")
]
OnOption = Annotated[
    str | None,
    typer.Option("--on", metavar="ray[=HOST:PORT]", help="Run on the nodes of a Ray cluster."),
]
TrackOption = Annotated[
    list[str] | None,
    typer.Option(metavar="SINK", help="Send metrics to tensorboard, wandb, …; repeatable."),
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress, no table.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


def jobs_on(place: str | None, jobs: int | None) -> "Jobs":
    """Where ``--on`` and ``--jobs`` want the runs."""
    if place is None:
        return jobs
    kind, _, address = place.partition("=")
    if kind != "ray":
        raise Mistake(f"--on {place}: must be ray, or ray=HOST:PORT of a cluster that is up")
    from simulator.remote.runner import Ray

    return Ray(address or None, jobs).found()


def _load_plugins(names: list[str] | None) -> list[str]:
    from simulator import plugins

    for name in names or []:
        plugins.load_plugin(name)
    plugins.load()
    return names or []  # Typer before 0.20 takes the length of it


PluginOption = Annotated[
    list[str] | None,
    typer.Option(
        "--plugin",
        metavar="FILE_OR_MODULE",
        help="Load methods, laws, environments, … from this plug-in; may be repeated.",
        callback=_load_plugins,
        is_eager=True,
    ),
]

MOST_SEEDS = 100_000
"""Seeds that an option may name: a typo must not fill the memory."""

REPORT = "report.html"
ReportOption = Annotated[bool, typer.Option("--report", help="Write report.html, too.")]

FORMATS = ("png", "svg", "pdf")
FiguresOption = Annotated[
    str, typer.Option(metavar="png,svg,pdf", help="Formats of the figures, or none.")
]


def write_report(page: "Callable[[], Page]", directory: Path, quiet: bool) -> Path:
    """Write the page into a result directory, and print its path."""
    from simulator.campaign.progress import showing

    with showing(doing="writing the report", quiet=quiet):
        written = page().save(directory / REPORT)
    if not quiet:
        print(f"report:  {written}")
    return written


def files_as_data(figures: Iterable[Path | str], page: Path | None) -> dict[str, Any]:
    """The files that a command wrote beside its results, for ``--json``."""
    return {"figures": list(map(str, figures)), "report": str(page) if page else None}


def complain(message: str, code: int) -> int:
    """Print a message as one printable line on stderr; returns the exit code."""
    text = printable(" ".join(message.split()))
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    print(f"straggle: {text}", file=sys.stderr)
    return code


def command_line() -> str:
    return shlex.join(["straggle", *sys.argv[1:]])


def width() -> int | None:
    """The width of the terminal; None for a file, in which lines may have any length."""
    # A file ignores $COLUMNS, which any parent process may have set.
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show(table: Table) -> None:
    """Print a table in the width of the terminal."""
    plain = not sys.stdout.isatty() or os.environ.get("TERM") == "dumb" or "NO_COLOR" in os.environ
    encoding = sys.stdout.encoding or "utf-8"
    for line in laid_out(table, width()):
        style = BOLD if line.is_title else RED if line.is_marked else ""
        text = printable(line.text).encode(encoding, "replace").decode(encoding)
        print(text if plain or not style else f"{style}{text}{PLAIN}")


def say(*lines: str) -> None:
    """Print sentences, wrapped between words; a command stays on one line, to be copied."""
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        is_command = indent and "straggle " in line
        print(*([line] if is_command else wrapped(line, width(), indent + "  ")), sep="\n")


def words(text: str | None, option: str = "--methods") -> list[str] | None:
    """The words of a list such as ``a,b``."""
    if text is None:
        return None
    found = [word.strip() for word in text.split(",")]
    if not any(found):
        raise Mistake(f"{option} {text!r}: names nothing; leave it out for all")
    if not all(found):
        raise Mistake(f"{option} {text!r}: has an empty entry; remove a comma")
    return found


def formats_of(text: str) -> list[str]:
    """The formats of ``--figures``."""
    formats = words(text, "--figures") or []
    if formats == ["none"]:
        return []
    for word in formats:
        if word not in FORMATS:
            raise Mistake(f"--figures {text}: {word!r} is none of {', '.join(FORMATS)}, none")
    return list(dict.fromkeys(formats))


def seeds_of(text: str | None) -> list[int] | None:
    """The seeds of ``--seeds``.

    >>> seeds_of("0,3-5")
    [0, 3, 4, 5]
    """
    found = words(text, "--seeds")
    if found is None:
        return None
    try:
        ranges = [_range(word) for word in found]
    except ValueError as error:
        raise Mistake(f"--seeds {text}: {error}") from None
    if sum(len(seeds) for seeds in ranges) > MOST_SEEDS:
        raise Mistake(f"--seeds {text}: are more than {MOST_SEEDS:,} seeds")
    return list(dict.fromkeys(seed for seeds in ranges for seed in seeds))


def _range(word: str) -> range:
    """The seeds of ``3-5``, or of ``3``; a ValueError names the remedy."""
    bounds = word.split("-")
    if len(bounds) > 2 or not all(bound.isdecimal() for bound in bounds):
        raise ValueError("must be whole numbers, 0 or more, such as 0,1,2 or 0-4")
    first, last = int(bounds[0]), int(bounds[-1])
    if last >= 2**32:
        raise ValueError("must be less than 2^32")
    if last < first:
        raise ValueError(f"{word} runs backwards; write the smaller seed first")
    return range(first, last + 1)
