"""What speaks for a calibrated cluster?  Sentences and a table."""

from collections.abc import Iterator

import numpy as np

from simulator.calibration.calibration import Calibration, Part
from simulator.calibration.choice import REJECTED, Candidate
from simulator.text_table import Table

NAMES = 12
"""Names of workers in a line."""
MEANS = {"all": "of all workers", "two": "of fast and slow workers", "each": "of each worker"}


def opening(found: Calibration) -> list[str]:
    """The head of the file: the log, and the names of the workers."""
    counts = ", ".join(f"{len(p.sample.seconds):,} of {kind}" for kind, p in found.parts.items())
    lines = [f"straggle calibrate, from {found.log.file}: {counts}; {found.workers} workers."]
    if found.log.names == list(map(str, range(found.workers))):
        return lines
    for first in range(0, found.workers, NAMES):
        named = ", ".join(found.log.names[first : first + NAMES])
        lines.append(f"Workers from {first} on: {named}")
    return lines


def about_part(part: Part) -> list[str]:
    """The law of a kind, its parameters with standard errors, and the goodness of fit."""
    if not part.candidates:
        return ["Some seconds are 0, which no other law knows: the measured seconds, drawn again."]
    best = part.candidates[0]
    if best.family is None:
        return [f"{parameters(best)}: a worker's times differ by less than a thousandth."]
    test = f"Kolmogorov-Smirnov on held-out rows: distance {best.distance:.3g}, p = {best.p:.2g}"
    if part.chosen is None:
        told = f"No law fits. The best is {best.law}: {test}, less than {REJECTED:g}."
        return [told, "So the measured seconds are drawn again."]
    return [f"{parameters(best)}.", f"{test}."]


def parameters(candidate: Candidate) -> str:
    """Estimates with their standard errors."""
    scale, error, shape, shape_error = candidate.parameters
    name = candidate.family.scale if candidate.family else "seconds"
    relative = float((error / scale).max())
    if len(scale) == 1:
        seconds = f"{name} {scale[0]:.4g} ± {error[0]:.2g} s"
    elif len(scale) == 2:
        pair = " and ".join(f"{s:.4g} ± {e:.2g} s" for s, e in zip(scale, error, strict=True))
        seconds = f"{name} {MEANS[candidate.grouping]} {pair}"
    else:
        span = f"{scale.min():.4g} to {scale.max():.4g} s (± {relative:.1%} at most)"
        seconds = f"{name} {MEANS[candidate.grouping]} {span}"
    if np.isnan(shape) or candidate.family is None:
        return f"{candidate.law}, {seconds}"
    return f"{candidate.law}, {seconds}, {candidate.family.shape} {shape:.4g} ± {shape_error:.2g}"


def about_speeds(found: Calibration) -> list[str]:
    if not found.levels:
        return []
    changes = sum(len(levels.times) - 1 for levels in found.levels.values())
    told = f"{len(found.levels)} of {found.workers} workers change their speed, {changes} times"
    return [
        f"{told} in total. Speed 1 is a worker's fastest level.",
        "After the log the last speed stays; a key period lets the trace start again.",
    ]


def about_outages(found: Calibration) -> list[str]:
    return [f"Silences in the log, {len(found.outages)} of them."] if found.outages else []


def about_failures(found: Calibration) -> list[str]:
    failures = found.failures
    if failures is None:
        return []
    return [
        f"{failures.silences} long silences. {failures.between:.4g} ± {failures.between_error:.2g} "
        f"s between failures, {failures.repair:.4g} ± {failures.repair_error:.2g} s to repair.",
        f"Kolmogorov-Smirnov of exponential silences: p = {failures.p:.2g}.",
    ]


def sentences(found: Calibration) -> Iterator[str]:
    """The outcome in words, a line for each part."""
    for kind, part in found.parts.items():
        yield f"{kind}: {' '.join(about_part(part))}"
    for name, lines in (
        ("speed", about_speeds(found)[:1]),
        ("outages", about_outages(found)),
        ("failures", about_failures(found)[:1]),
    ):
        if lines:
            yield f"{name}: {' '.join(lines)}"


def table(part: Part) -> Table:
    """The laws that were fitted to a kind, the best first, each with its best groups."""
    sample, shown = part.sample, dict[str, Candidate]()
    for each in part.candidates:
        shown.setdefault(each.law, each)
    rows = [
        [
            parameters(each),
            "" if each.scores is None else f"{each.score:.3f}",
            "" if each.scores is None else f"{each.distance:.3g}",
            "" if each.scores is None else f"{each.p:.2g}",
        ]
        for each in shown.values()
    ]
    title = f"{sample.kind}: {len(sample.seconds):,} rows of {sample.workers} workers"
    heads = ["law", "held-out log-likelihood", "distance", "p"]
    return Table(heads, rows, title, prose=(0,))
