"""How is a step written in a line?  Its gradients and weights, short enough to read in a diff.

``0-8 0-8 9@1`` are two gradients from each of the workers 0 to 8, and one of worker 9 that is a
step old, in the order in which they were used.  What is too long for a line is its beginning and a
checksum of all of it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby

from simulator.schedule import Step

LONGEST = 100
"""Characters."""
CUT = "… #"


def gradients(step: Step) -> str:
    """Whose a step used, and how many steps old they were."""
    return short(ranges((ticket.worker, step.version - ticket.version) for ticket in step.tickets))


def weights(step: Step) -> str:
    """With what weights, equal ones in a row counted.

    >>> weights(Step(0, 1.0, [], [0.25, 0.25, 0.5], 3, None))
    '2*0.25 0.5'
    """
    rows = ((weight, len(list(equal))) for weight, equal in groupby(step.weights))
    return short(" ".join(f"{many}*{w!r}" if many > 1 else repr(w) for w, many in rows))


def ranges(numbers: Iterable[tuple[int, int]]) -> str:
    """Numbers in their order, each with an age, consecutive ones of one age as a range.

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
    """The text, or its beginning and a checksum."""
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]}{CUT}{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def members(text: str) -> Sequence[int] | None:
    """The numbers that ranges name; None where they were cut.

    >>> members("0-2 7"), members(short(ranges((2 * n, 0) for n in range(99))))
    ([0, 1, 2, 7], None)
    """
    if CUT in text:
        return None
    ends = [(part.partition("-")[0], part.rpartition("-")[2]) for part in text.split()]
    return [number for first, last in ends for number in range(int(first), int(last) + 1)]
