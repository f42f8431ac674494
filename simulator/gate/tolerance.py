"""Does a learning curve equal its baseline?  Points up to a tolerance, times up to rounding."""

from collections.abc import Iterator

from simulator.gate.exact import ROUNDING, ends, same_time
from simulator.gate.findings import number, others
from simulator.gate.runs import Record
from simulator.gate.suite_file import ToleranceTable


def moved(now: Record, then: Record, table: ToleranceTable, metric: str) -> str:
    """The differences of a run beyond the tolerance; empty if there are none."""
    return "; ".join(_differences(now, then, table, metric))


def _differences(now: Record, then: Record, table: ToleranceTable, metric: str) -> Iterator[str]:
    new, old = now["points"], then["points"]
    pairs = list(zip(new, old, strict=False))
    late = [(n, o) for n, o in pairs if not _same_place(n, o)]
    if late:
        yield f"{metric} was measured at {_place(late[0][0])}, baseline {_place(late[0][1])}"
    off = [(n, o) for n, o in pairs if not near(n[metric], o[metric], table)]
    if off:
        first, before = off[0]
        value, was = first[metric], before[metric]
        yield (
            f"{metric} at {_place(before)} is {value:.6g}, baseline {was:.6g} "
            f"({change(value, was)}; allowed ±{table.relative:.2g}){others(len(off) - 1, 'point')}"
        )
    if len(new) != len(old):
        yield f"{metric} was measured {len(new)} times, baseline {len(old)}"
    yield from ends(now, then, ROUNDING)


def _same_place(new: Record, old: Record) -> bool:
    return new["step"] == old["step"] and same_time(new["seconds"], old["seconds"])


def _place(point: Record) -> str:
    return f"step {point['step']} ({number(point['seconds'])} s)"


def near(value: float, before: float, table: ToleranceTable) -> bool:
    return abs(value - before) <= table.absolute + table.relative * abs(before)  # NaN is never


def change(value: float, before: float) -> str:
    """The relative change.

    >>> change(1.25, 1.0), change(1.0 + 1e-5, 1.0), change(1.0, 0.0)
    ('+25.0%', '+1.0e-05', 'from 0')
    """
    if not before:
        return "from 0"
    relative = (value - before) / abs(before)
    return f"{relative:+.1e}" if abs(relative) < 1e-3 else f"{relative:+.1%}"
