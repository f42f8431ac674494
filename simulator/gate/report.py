"""How are findings shown: in a table, a pull request, and on a CI server?"""

from typing import Any
from xml.etree import ElementTree

from simulator.gate.check import Checked
from simulator.gate.findings import Finding
from simulator.text_table import Table

MOST = 8
"""Lines of one benchmark that a table shows; JSON has them all."""
WHAT = "what moved, or was measured"


def title(checked: Checked) -> str:
    count, good = len(checked.findings), sum(finding.good for finding in checked.findings)
    name = checked.suite.title or checked.suite.name
    return f"{name}: {good} of {count} benchmarks hold"


def table(checked: Checked) -> Table:
    headings = ("benchmark", "kind", "outcome", WHAT)
    rows = [(f.benchmark, f.kind, f.outcome, "\n".join(lines_of(f))) for f in checked.findings]
    bad = [at for at, finding in enumerate(checked.findings) if not finding.good]
    return Table(headings, rows, title(checked), words=(0, 1, 2), prose=(3,), marked=bad)


def lines_of(finding: Finding) -> list[str]:
    """The lines of a finding; of a regression also why it matters, and its baseline."""
    more = len(finding.lines) - MOST
    lines = [*finding.lines[:MOST], *([f"and {more} more runs"] if more > 0 else [])]
    if finding.good:
        return lines
    since = [f"baseline: {finding.since}"] if finding.since else []
    return [*lines, f"why it matters: {finding.why}", *since]


def text(checked: Checked) -> str:
    """The regressions as plain lines, for the message of a test."""
    lines = [title(checked)]
    for finding in (each for each in checked.findings if not each.good):
        lines += [f"{finding.benchmark} ({finding.kind}) {finding.outcome}"]
        lines += [f"  {line}" for line in lines_of(finding)]
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
    """The comment of a pull request, regressions first."""
    lines = [f"### {title(checked)}", ""]
    lines += [f"| | benchmark | kind | outcome | {WHAT} |", "|---|---|---|---|---|"]
    for finding in sorted(checked.findings, key=lambda finding: finding.good):
        mark = "✅" if finding.good else "❌"
        text = "<br>".join(map(_escaped, lines_of(finding)))
        cells = (mark, f"`{finding.benchmark}`", finding.kind, finding.outcome, text)
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- {_escaped(note)}" for note in checked.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def _escaped(line: str) -> str:
    for sign in "\\|*_<>`#":
        line = line.replace(sign, f"&#{ord(sign)};" if sign in "|<>" else f"\\{sign}")
    return line


def refusal_as_markdown(suite: str, why: str) -> str:
    return f"### {_escaped(suite)}: refused, nothing was run\n\n❌ {_escaped(why)}\n"


def refusal_as_junit(suite: str, why: str) -> str:
    """One test case with an error, not a failure: nothing was run."""
    suites, inside = _suites("straggle", {"tests": "1", "failures": "0", "errors": "1"})
    case = ElementTree.SubElement(inside, "testcase", {"classname": "straggle", "name": suite})
    ElementTree.SubElement(case, "error", {"message": why, "type": "refused"})
    return _xml(suites)


def junit(checked: Checked) -> str:
    """A test case per benchmark."""
    bad, name = sum(not finding.good for finding in checked.findings), checked.suite.name
    counts = {"tests": str(len(checked.findings)), "failures": str(bad)}
    suites, suite = _suites(f"straggle.{name}", counts)
    for finding in checked.findings:
        names = {"classname": f"{name}.{finding.kind}", "name": finding.benchmark}
        case, lines = ElementTree.SubElement(suite, "testcase", names), lines_of(finding)
        if not finding.good:
            first = {"message": lines[0], "type": finding.outcome}
            ElementTree.SubElement(case, "failure", first).text = "\n".join(lines)
        elif lines:
            ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    return _xml(suites)


def _suites(name: str, counts: dict[str, str]) -> tuple[ElementTree.Element, ElementTree.Element]:
    suites = ElementTree.Element("testsuites", counts)
    return suites, ElementTree.SubElement(suites, "testsuite", {"name": name, **counts})


def _xml(suites: ElementTree.Element) -> str:
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
