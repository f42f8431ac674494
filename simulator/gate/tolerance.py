"""Is a learning curve the one it was?  Point by point up to a tolerance, its times to rounding."""

from collections.abc import Iterator

from simulator.gate.exact import ROUNDING, ends, same_time
from simulator.gate.findings import number, others
from simulator.gate.runs import Record
from simulator.gate.suite_file import ToleranceTable


def moved(now: Record, then: Record, table: ToleranceTable, metric: str) -> str:
    """What is different of a run, by more than is allowed; empty where nothing is."""
    return "; ".join(_differences(now, then, table, metric))


def _differences(now: Record, then: Record, table: ToleranceTable, metric: str) -> Iterator[str]:
    new, old = now["points"], then["points"]
    pairs = list(zip(new, old, strict=False))
    late = [(n, o) for n, o in pairs if not _same_place(n, o)]
    if late:
        yield f"{metric} was measured at {_place(late[0][0])}, baseline {_place(late[0][1])}"
    off = [(n, o) for n, o in pairs if not _near(n[metric], o[metric], table)]
    if off:
        first, before = off[0]
        told = f"{first[metric]:.6g}, baseline {before[metric]:.6g}"
        yield (
            f"{metric} at {_place(before)} is {told} ({change(first[metric], before[metric])}; "
            f"allowed ±{table.relative:.2g}){others(len(off) - 1, 'point')}"
        )
    if len(new) != len(old):
        yield f"{metric} was measured {len(new)} times, baseline {len(old)}"
    yield from ends(now, then, ROUNDING)


def _same_place(new: Record, old: Record) -> bool:
    return new["step"] == old["step"] and same_time(new["seconds"], old["seconds"])


def _place(point: Record) -> str:
    return f"step {point['step']} ({number(point['seconds'])} s)"


def _near(value: float, before: float, table: ToleranceTable) -> bool:
    """A value that is no number is near nothing."""
    return abs(value - before) <= table.absolute + table.relative * abs(before)


def change(value: float, before: float) -> str:
    """By how much, relatively.

    >>> change(1.25, 1.0), change(1.0 + 1e-5, 1.0), change(1.0, 0.0)
    ('+25.0%', '+1.0e-05', 'from 0')
    """
    if not before:
        return "from 0"
    relative = (value - before) / abs(before)
    return f"{relative:+.1e}" if abs(relative) < 1e-3 else f"{relative:+.1%}"
