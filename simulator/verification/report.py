"""The outcome of a verification: counts of checks, problems, and what was not checked."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

EXAMPLES = 3  # problems listed per check and run; further ones are only counted
STEPS, WORKERS, TICKETS = "steps.parquet", "workers.parquet", "tickets.parquet"
PLACES = {STEPS: "step {}", WORKERS: "worker {}", TICKETS: "row {}"}
"""The default place of an entry in a file."""
Message: TypeAlias = Callable[[int], str] | str
"""A text, or the text for an entry of an array."""


class Problem(NamedTuple):
    """One violation: its run, check, file, place in the file, and message."""

    method: str | None
    seed: int | None
    check: str
    file: str
    place: str
    message: str

    def __str__(self) -> str:
        run = () if self.method is None else (f"{self.method}, seed {self.seed}",)
        return f"{', '.join([*run, self.place or self.file])}: {self.message}"


class Unchecked(NamedTuple):
    """A part of a run that its files are not enough to check."""

    method: str | None
    seed: int | None
    what: str
    why: str

    def __str__(self) -> str:
        run = "" if self.method is None else f"{self.method}, seed {self.seed}: "
        return f"{run}not checked: {self.what}: {self.why}"


@dataclass
class Findings:
    method: str | None = None
    seed: int | None = None
    checked: "Counter[str]" = field(default_factory=Counter)
    wrong: "Counter[str]" = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)

    def demand(
        self, check: str, file: str, good: ArrayLike, message: Message, place: Message | None = None
    ) -> bool:
        """Count the checked entries and list those that are not ``good``; True if all are good.

        The default place of an entry of an array is its row in the file.
        """
        if place is None:
            place = PLACES[file].format if np.ndim(good) else ""
        good = np.atleast_1d(np.asarray(good, bool))
        bad = np.flatnonzero(~good)
        self.checked[check] += good.size
        for at in bad[: max(0, EXAMPLES - self.wrong[check])].tolist():
            texts = (text if isinstance(text, str) else text(at) for text in (place, message))
            self.problems.append(Problem(self.method, self.seed, check, file, *texts))
        if bad.size:
            self.wrong[check] += bad.size
        return not bad.size

    def skip(self, what: str, why: str) -> None:
        self.unchecked.append(Unchecked(self.method, self.seed, what, why))


@dataclass(frozen=True, repr=False)
class Report:
    """The findings of a directory itself, then of each run."""

    findings: tuple[Findings, ...]

    @property
    def problems(self) -> list[Problem]:
        return [problem for each in self.findings for problem in each.problems]

    @property
    def unchecked(self) -> list[Unchecked]:
        return [part for each in self.findings for part in each.unchecked]

    @property
    def checked(self) -> int:
        return sum(each.checked.total() for each in self.findings)

    @property
    def wrong(self) -> int:
        """The number of problems, unlisted ones included."""
        return sum(each.wrong.total() for each in self.findings)

    @property
    def clean(self) -> bool:
        return self.wrong == 0

    def lines(self) -> list[str]:
        """A line per run, the problems, the unchecked parts, and the sum."""
        lines = [_summary(each) for each in self.findings]
        for each in self.findings:
            lines += [*map(str, each.problems), *_more(each)]
        lines += _grouped(self.unchecked)
        problems = f"{self.wrong:,} problem{'s' if self.wrong > 1 else ''}"
        return [*lines, f"{self.checked:,} checked: {'no problem' if self.clean else problems}"]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def as_data(self) -> dict[str, Any]:
        return {
            "clean": self.clean,
            "checked": self.checked,
            "wrong": self.wrong,
            "runs": [_as_data(each) for each in self.findings],
            "problems": [problem._asdict() for problem in self.problems],
            "unchecked": [part._asdict() for part in self.unchecked],
        }


def _name(findings: Findings) -> str:
    return "files" if findings.method is None else f"{findings.method}, seed {findings.seed}"


def _summary(findings: Findings) -> str:
    wrong = findings.wrong.total()
    verdict = f"{wrong:,} wrong" if wrong else "ok"
    return f"{_name(findings)}: {findings.checked.total():,} checked, {verdict}"


def _more(findings: Findings) -> list[str]:
    listed = Counter(problem.check for problem in findings.problems)
    return [
        f"{_name(findings)}: {count - listed[check]:,} more of this kind ({check})"
        for check, count in findings.wrong.items()
        if count > listed[check]
    ]


def _grouped(unchecked: list[Unchecked]) -> list[str]:
    """One line for the runs that have an unchecked part in common."""
    runs: dict[tuple[str, str], list[Unchecked]] = {}
    for part in unchecked:
        runs.setdefault((part.what, part.why), []).append(part)
    return [
        str(parts[0]) if len(parts) == 1 else f"{len(parts)} runs: not checked: {what}: {why}"
        for (what, why), parts in runs.items()
    ]


def _as_data(findings: Findings) -> Mapping[str, Any]:
    return {
        "method": findings.method,
        "seed": findings.seed,
        "checked": dict(findings.checked),
        "wrong": dict(findings.wrong),
    }
