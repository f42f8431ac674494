"""How does a reader, a pull request and a CI server see the findings?"""

from typing import Any
from xml.etree import ElementTree

from simulator.gate.check import Checked
from simulator.gate.findings import Finding
from simulator.text_table import Table

MOST = 8
"""Lines of one benchmark that a table shows; JSON has them all."""


def title(checked: Checked) -> str:
    """The outcome in a line."""
    many, good = len(checked.findings), sum(finding.good for finding in checked.findings)
    name = checked.suite.title or checked.suite.name
    return f"{name}: {good} of {many} benchmarks hold"


def table(checked: Checked) -> Table:
    """A row per benchmark: what moved, by how much, and since which baseline."""
    headings = ("benchmark", "kind", "outcome", "what moved, or was measured")
    rows = [(f.benchmark, f.kind, f.outcome, "\n".join(told(f))) for f in checked.findings]
    bad = [at for at, finding in enumerate(checked.findings) if not finding.good]
    return Table(headings, rows, title(checked), words=(0, 1, 2), prose=(3,), marked=bad)


def told(finding: Finding) -> list[str]:
    """The lines of a finding; of a regression also why it matters, and what it was held against."""
    many = len(finding.lines) - MOST
    lines = [*finding.lines[:MOST], *([f"and {many} more runs"] if many > 0 else [])]
    if finding.good:
        return lines
    since = [f"baseline: {finding.since}"] if finding.since else []
    return [*lines, f"why it matters: {finding.why}", *since]


def text(checked: Checked) -> str:
    """What does not hold, without a frame; for messages of tests."""
    bad = [finding for finding in checked.findings if not finding.good]
    lines = [title(checked)]
    for finding in bad:
        lines += [f"{finding.benchmark} ({finding.kind}) {finding.outcome}"]
        lines += [f"  {line}" for line in told(finding)]
    return "\n".join([*lines, *checked.notes])


def as_data(checked: Checked) -> dict[str, Any]:
    return {
        "suite": str(checked.suite.path),
        "baselines": str(checked.directory),
        "good": checked.good,
        "benchmarks": [{**finding._asdict(), "good": finding.good} for finding in checked.findings],
        "notes": checked.notes,
    }


def markdown(checked: Checked) -> str:
    """For the summary of a pull request: what does not hold first."""
    rows = sorted(checked.findings, key=lambda finding: finding.good)
    lines = [
        f"### {title(checked)}",
        "",
        "| | benchmark | kind | outcome | what moved, or was measured |",
        "|---|---|---|---|---|",
    ]
    for finding in rows:
        mark = "✅" if finding.good else "❌"
        what = "<br>".join(_escaped(line) for line in told(finding))
        cells = (mark, f"`{finding.benchmark}`", finding.kind, finding.outcome, what)
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- {_escaped(note)}" for note in checked.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _escaped(line: str) -> str:
    for sign in "\\|*_<>`#":
        line = line.replace(sign, f"&#{ord(sign)};" if sign in "|<>" else f"\\{sign}")
    return line


def refusal_as_markdown(suite: str, why: str) -> str:
    """Where a suite was not even run."""
    return f"### {_escaped(suite)}: refused, nothing was run\n\n❌ {_escaped(why)}\n"


def refusal_as_junit(suite: str, why: str) -> str:
    """The same: one test case, which is an error and no failure."""
    counts = {"tests": "1", "failures": "0", "errors": "1"}
    suites = ElementTree.Element("testsuites", counts)
    inside = ElementTree.SubElement(suites, "testsuite", {"name": "straggle", **counts})
    case = ElementTree.SubElement(inside, "testcase", {"classname": "straggle", "name": suite})
    ElementTree.SubElement(case, "error", {"message": why, "type": "refused"})
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def junit(checked: Checked) -> str:
    """A test case per benchmark, as CI servers read them."""
    bad = sum(not finding.good for finding in checked.findings)
    counts = {"tests": str(len(checked.findings)), "failures": str(bad)}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(
        suites, "testsuite", {"name": f"straggle.{checked.suite.name}", **counts}
    )
    for finding in checked.findings:
        name = {"classname": f"{checked.suite.name}.{finding.kind}", "name": finding.benchmark}
        case = ElementTree.SubElement(suite, "testcase", name)
        lines = told(finding)
        if not finding.good:
            first = {"message": lines[0], "type": finding.outcome}
            ElementTree.SubElement(case, "failure", first).text = "\n".join(lines)
        elif lines:
            ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
