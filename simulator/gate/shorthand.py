"""How is a step written in one line of a diff?

``0-8 0-8 9@1`` are two gradients of each of the workers 0 to 8, and one of worker 9 with a delay
of one step, in the order of use.  A long text is cut, and a checksum of all of it added.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby

from simulator.schedule import Step

LONGEST = 100
"""Characters."""
CUT = "… #"


def gradients(step: Step) -> str:
    """The workers and delays of a step's gradients."""
    return short(ranges((ticket.worker, step.version - ticket.version) for ticket in step.tickets))


def weights(step: Step) -> str:
    """The weights of a step's gradients; runs of equal weights are counted.

    >>> weights(Step(0, 1.0, [], [0.25, 0.25, 0.5], 3, None))
    '2*0.25 0.5'
    """
    rows = ((weight, len(list(equal))) for weight, equal in groupby(step.weights))
    return short(" ".join(f"{count}*{w!r}" if count > 1 else repr(w) for w, count in rows))


def ranges(numbers: Iterable[tuple[int, int]]) -> str:
    """Pairs of a worker and a delay, in order; consecutive workers become a range.

    >>> ranges([(0, 0), (1, 0), (2, 0), (7, 0), (5, 3), (6, 3)])
    '0-2 7 5-6@3'
    """
    found: list[list[int]] = []
    for number, age in numbers:
        if found and found[-1][1:] == [number - 1, age]:
            found[-1][1] = number
        else:
            found.append([number, number, age])
    return " ".join(_range(*each) for each in found)


def _range(first: int, last: int, age: int) -> str:
    return (f"{first}-{last}" if last > first else f"{first}") + (f"@{age}" if age else "")


def short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}{CUT}{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def members(text: str) -> Sequence[int] | None:
    """The workers in a text of ``ranges``; None if it was cut.

    >>> members("0-2 7"), members(short(ranges((2 * n, 0) for n in range(99))))
    ([0, 1, 2, 7], None)
    """
    if CUT in text:
        return None
    ends = [(part.partition("-")[0], part.rpartition("-")[2]) for part in text.split()]
    return [number for first, last in ends for number in range(int(first), int(last) + 1)]
