"""How is a user told what is wrong?  In one line: the field, the value, the remedy."""

from collections.abc import Iterable
from difflib import get_close_matches


class Mistake(Exception):
    """Something the user can put right; shown as one line, exit code 2."""


def printable(text: str) -> str:
    r"""Text that may be anybody's, as a terminal may be shown it: what steers it is written out.

    >>> print(printable("red: \x1b[31m"))
    red: \x1b[31m
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


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
    """The sentence that refuses an environment's option and names those there are."""
    hint = did_you_mean(option, known) if known else "it has none"
    return f"environment_options.{option}: {environment} has no such option; {hint}"
