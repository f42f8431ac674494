"""How does a message name a user's mistake?  In one line: the field, the value, the remedy."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 20
"""Mistakes of a file that are listed."""


class Mistake(Exception):
    """A mistake of the user, exit code 2; each argument is one line.

    >>> print(Mistake("seeds = []: is empty", "stop: is missing").within("set"))
    set: seeds = []: is empty
    set: stop: is missing
    """

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))

    def within(self, place: str) -> "Mistake":
        """The same mistakes, each with its place in front."""
        return Mistake(*(f"{place}: {line}" for line in self.args))


def check_argument(name: str, value: object, kinds: Any, remedy: str) -> None:
    """Refuse an argument of a wrong type.

    >>> check_argument("run: source", {}, str, "name a file")
    Traceback (most recent call last):
    simulator.mistakes.Mistake: run: source is a dict; name a file
    """
    if not isinstance(value, kinds):
        # The public name of a table lacks this suffix.
        kind = type(value).__name__.removesuffix("Table")
        raise Mistake(f"{name} is a {kind}; {remedy}")


def labels_of(function: str, methods: str | Iterable[str] | None) -> list[str] | None:
    """Labels of methods as a list; text is one label, and None means all.

    >>> labels_of("run", "afedpg"), labels_of("run", [])
    (['afedpg'], None)
    """
    if methods is None or isinstance(methods, str):
        return [methods] if methods else None
    remedy = "give the labels of methods, such as ['afedpg']"
    check_argument(f"{function}: methods", methods, Iterable, remedy)
    labels = list(methods)
    for label in labels:
        check_argument(f"{function}: a method", label, str, remedy)
    return labels or None


def all_of(lines: Sequence[str]) -> Mistake:
    """The first of these mistakes, and a count of the others."""
    more = [f"and {len(lines) - MOST:,} more"] if len(lines) > MOST else []
    return Mistake(*lines[:MOST], *more)


def check_all(checks: Iterable[Callable[[], T]]) -> list[T]:
    """The results of the checks; or all of their mistakes, raised as one."""
    found: list[T] = []
    lines: list[str] = []
    for check in checks:
        try:
            found.append(check())
        except Mistake as mistake:
            lines += mistake.args
    if lines:
        raise all_of(lines)
    return found


def one_line(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def printable(text: str) -> str:
    r"""Foreign text without control characters for a terminal.

    >>> print(printable("red: \x1b[31m"))
    red: \x1b[31m
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def brief(value: object) -> str:
    """A value on one line of at most 60 characters; printable text without quotes.

    >>> brief("batch"), brief("a\\nb"), len(brief("batch" * 100))
    ('batch', "'a\\\\nb'", 60)
    """
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the nearest known word, or all of them.

    >>> did_you_mean("batsh", ["batch", "step"])
    "did you mean 'batch'?"
    >>> did_you_mean("x", ["batch", "step"])
    'known: batch, step'
    """
    known = sorted(known)
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"


def no_such_option(environment: str, option: str, known: Iterable[str]) -> str:
    """The sentence that refuses an unknown option of an environment."""
    hint = did_you_mean(option, known) if known else "it has none"
    return f"environment_options.{option}: {environment} has no such option; {hint}"
