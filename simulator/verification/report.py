"""What was checked, what is wrong, and what could not be checked?  In plain lines."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

EXAMPLES = 3  # how many of the violations of one check in one run are told; the others are counted


class Problem(NamedTuple):
    """One violation: whose, of which check, in which file, where there, and what it is."""

    method: str | None
    seed: int | None
    check: str
    file: str
    place: str
    told: str

    def __str__(self) -> str:
        run = None if self.method is None else f"{self.method}, seed {self.seed}"
        return f"{', '.join(part for part in (run, self.place or self.file) if part)}: {self.told}"


class Unchecked(NamedTuple):
    """What the files do not tell enough about."""

    method: str | None
    seed: int | None
    what: str
    why: str

    def __str__(self) -> str:
        run = "" if self.method is None else f"{self.method}, seed {self.seed}: "
        return f"{run}not checked: {self.what}: {self.why}"


@dataclass
class Findings:
    """What the checks of one run, or of the directory itself, have found."""

    method: str | None = None
    seed: int | None = None
    checked: "Counter[str]" = field(default_factory=Counter)
    wrong: "Counter[str]" = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)

    def demand(
        self,
        check: str,
        file: str,
        good: ArrayLike,
        told: Callable[[int], str] | str,
        place: Callable[[int], str] | str = "",
    ) -> bool:
        """Count what was looked at and tell of what is not ``good``; True if all is."""
        good = np.atleast_1d(np.asarray(good, bool))
        bad = np.flatnonzero(~good)
        self.checked[check] += good.size
        for at in bad[: max(0, EXAMPLES - self.wrong[check])].tolist():
            where, what = (text if isinstance(text, str) else text(at) for text in (place, told))
            self.problems.append(Problem(self.method, self.seed, check, file, where, what))
        if bad.size:
            self.wrong[check] += bad.size
        return not bad.size

    def pass_over(self, what: str, why: str) -> None:
        """Say what cannot be checked."""
        self.unchecked.append(Unchecked(self.method, self.seed, what, why))


@dataclass(frozen=True, repr=False)
class Report:
    """The outcome of a verification; the first findings are those of the directory itself."""

    findings: tuple[Findings, ...]

    @property
    def problems(self) -> list[Problem]:
        return [problem for each in self.findings for problem in each.problems]

    @property
    def unchecked(self) -> list[Unchecked]:
        return [left for each in self.findings for left in each.unchecked]

    @property
    def checked(self) -> int:
        """How many things were looked at."""
        return sum(each.checked.total() for each in self.findings)

    @property
    def wrong(self) -> int:
        """How many of them are wrong, those that are not told included."""
        return sum(each.wrong.total() for each in self.findings)

    @property
    def clean(self) -> bool:
        return self.wrong == 0

    def lines(self) -> list[str]:
        """A line per run, the problems, what was passed over, and the sum."""
        lines = [_summary(each) for each in self.findings]
        for each in self.findings:
            lines += [str(problem) for problem in each.problems]
            lines += _more(each)
        lines += _grouped(self.unchecked)
        verdict = (
            "no problem" if self.clean else f"{self.wrong:,} problem{'s' if self.wrong > 1 else ''}"
        )
        return [*lines, f"{self.checked:,} checked: {verdict}"]

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def as_data(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "clean": self.clean,
            "checked": self.checked,
            "wrong": self.wrong,
            "runs": [_as_data(each) for each in self.findings],
            "problems": [problem._asdict() for problem in self.problems],
            "unchecked": [left._asdict() for left in self.unchecked],
        }


def _name(findings: Findings) -> str:
    return "files" if findings.method is None else f"{findings.method}, seed {findings.seed}"


def _summary(findings: Findings) -> str:
    wrong = findings.wrong.total()
    verdict = f"{wrong:,} wrong" if wrong else "ok"
    return f"{_name(findings)}: {findings.checked.total():,} checked, {verdict}"


def _more(findings: Findings) -> list[str]:
    """How many violations of each check are not told."""
    told = Counter(problem.check for problem in findings.problems)
    return [
        f"{_name(findings)}: {many - told[check]:,} more of this kind ({check})"
        for check, many in findings.wrong.items()
        if many > told[check]
    ]


def _grouped(unchecked: list[Unchecked]) -> list[str]:
    """What several runs have in common is said once."""
    runs: dict[tuple[str, str], list[Unchecked]] = {}
    for left in unchecked:
        runs.setdefault((left.what, left.why), []).append(left)
    return [
        str(many[0]) if len(many) == 1 else f"{len(many)} runs: not checked: {what}: {why}"
        for (what, why), many in runs.items()
    ]


def _as_data(findings: Findings) -> Mapping[str, Any]:
    return {
        "method": findings.method,
        "seed": findings.seed,
        "checked": dict(findings.checked),
        "wrong": dict(findings.wrong),
    }
