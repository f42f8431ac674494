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


def headlines(checked: Checked) -> list[str]:
    """A line for every benchmark that does not hold, or holds with other numbers."""
    loud = [each for each in checked.findings if each.headline or not each.good]
    return [": ".join(filter(None, (f"{f.benchmark} {f.outcome}", f.headline))) for f in loud]


def errors(checked: Checked) -> list[str]:
    """A line for every baseline that is missing, broken, or of another scenario."""
    return [f"benchmarks.{each.benchmark}: {each.error}" for each in checked.findings if each.error]


def table(checked: Checked) -> Table:
    headings = ("benchmark", "kind", "outcome", WHAT)
    rows = [(f.benchmark, f.kind, f.outcome, "\n".join(lines_of(f))) for f in checked.findings]
    bad = [at for at, finding in enumerate(checked.findings) if not finding.good]
    top = "\n".join([title(checked), *headlines(checked)])
    return Table(headings, rows, top, words=(0, 1, 2), prose=(3,), marked=bad)


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
        said = f": {finding.headline}" if finding.headline else ""
        lines += [f"{finding.benchmark} ({finding.kind}) {finding.outcome}{said}"]
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
    top = [f"- {_escaped(line)}" for line in headlines(checked)]
    lines = [f"### {title(checked)}", "", *top, *([""] if top else [])]
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
    name, wrong = checked.suite.name, sum(bool(finding.error) for finding in checked.findings)
    bad = sum(not finding.good for finding in checked.findings) - wrong
    counts = {"tests": str(len(checked.findings)), "failures": str(bad), "errors": str(wrong)}
    suites, suite = _suites(f"straggle.{name}", counts)
    for finding in checked.findings:
        names = {"classname": f"{name}.{finding.kind}", "name": finding.benchmark}
        case, lines = ElementTree.SubElement(suite, "testcase", names), lines_of(finding)
        if not finding.good:
            message = {"message": finding.headline or lines[0], "type": finding.outcome}
            kind = "error" if finding.error else "failure"
            ElementTree.SubElement(case, kind, message).text = "\n".join(lines)
        elif lines:
            ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    return _xml(suites)


def _suites(name: str, counts: dict[str, str]) -> tuple[ElementTree.Element, ElementTree.Element]:
    suites = ElementTree.Element("testsuites", counts)
    return suites, ElementTree.SubElement(suites, "testsuite", {"name": name, **counts})


def _xml(suites: ElementTree.Element) -> str:
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"
