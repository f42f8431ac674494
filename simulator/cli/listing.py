"""What is there to choose from?  Every registry, a line for each entry."""

from simulator.commands.listing import listing
from simulator.text_table import wrapped

NARROW = 20
"""A description beside its name is no narrower."""


def lines(width: int | None) -> list[str]:
    """The listing, broken between words where a line would be longer than the width."""
    found = []
    for heading, entries in listing().items():
        found.append(heading)
        longest = max(map(len, entries))
        for name, about in entries.items():
            found += _entry(f"  {name:<{longest}}  ", about, width)
    return found


def _entry(name: str, about: str, width: int | None) -> list[str]:
    """An entry, whose further lines begin below its description."""
    if width is not None and width - len(name) < NARROW:
        return [name.rstrip(), *(f"    {line}" for line in wrapped(about, width - 4))]
    first, *more = wrapped(about, None if width is None else width - len(name))
    return [name + first, *(" " * len(name) + line for line in more)]
