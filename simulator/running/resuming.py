"""How is a run finished that was cut short?  By the same scenario, where it was.

What had ended is only read.  A run that was under way goes on from its newest checkpoint, and its
schedule is simulated once more up to there; so the results are those of a run that nobody stopped.
"""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from simulator.estimate.remarks import one_of_equal_seeds
from simulator.mistakes import Mistake
from simulator.results import results
from simulator.results.results import Results
from simulator.results.writer import PACKAGES, Writer
from simulator.running.running import Ended, check_the_environment, conduct
from simulator.running.words import complain
from simulator.scenario.differences import differences
from simulator.scenario.scenario import Scenario
from simulator.system.files import alone_in, clear_partial
from simulator.system.side_by_side import cores

MOST = 8
"""So many differences are named."""


def resume(
    directory: Path,
    wanted: Scenario | None,
    *,
    quiet: bool,
    ended: Ended = lambda outcome: None,
    jobs: int | None = None,
) -> int:
    """Finish what was begun there; ``wanted``, if given, has to be the same scenario."""
    check_the_environment()
    results.load(directory)  # whatever is wrong with it is said before anything is touched
    with alone_in(directory):
        outcome = results.load(directory)
        scenario = outcome.scenario
        _check_its_own(outcome, scenario)
        if wanted is not None:
            if outcome.schedule_only:
                wanted = one_of_equal_seeds(wanted)
            _check_the_same(directory, scenario, wanted)
        _check_versions(outcome)
        clear_partial(directory)
        manifest = outcome.manifest
        writer = Writer(
            directory,
            scenario,
            manifest["command"],
            outcome.vector,
            outcome.schedule_only,
            bool(manifest["tickets"]),
        )
        writer.go_on(outcome)
        if not quiet:
            many = len(scenario.methods) * len(scenario.seeds)
            complain(f"{directory}: {len(writer.done)} of {many} runs had ended")
        return conduct(writer, quiet, ended, jobs)


def _check_its_own(outcome: Results, scenario: Scenario) -> None:
    """Refuse a directory whose scenario was altered after it was begun."""
    if scenario.fingerprint() != outcome.manifest["scenario_hash"]:
        told = "the scenario in it is not the one that was begun; run it anew"
        raise Mistake(f"{outcome.directory / 'manifest.json'}: {told}")


def _check_the_same(directory: Path, begun: Scenario, wanted: Scenario) -> None:
    if wanted.fingerprint() == begun.fingerprint():
        return
    there, here = begun.canonical(), wanted.canonical()
    if begun.speed_trace and wanted.speed_trace:  # it was copied under a name of its own
        here["cluster"]["speed"]["file"] = there["cluster"]["speed"]["file"]
    found = list(differences(here, there))
    more = f", and {len(found) - MOST} more" if len(found) > MOST else ""
    named = "; ".join(found[:MOST]) + more if found else "cluster.speed.file has other contents"
    remedy = "finish it without naming a scenario, or run this one anew"
    raise Mistake(f"--resume {directory}: was begun with another scenario: {named}; {remedy}")


def _check_versions(outcome: Results) -> None:
    """The rest would be computed by other code: that is refused, or at least said."""
    manifest = outcome.manifest
    here = {name: version(name) for name in PACKAGES}
    here["Python"] = platform.python_version()
    there: Mapping[str, str] = {**manifest["versions"], "Python": manifest["python"]}
    found = list(differences(here, there))
    if found:
        remedy = "install the same versions, or run it anew"
        told = f"was begun with other versions: {'; '.join(found[:MOST])}; {remedy}"
        raise Mistake(f"--resume {outcome.directory}: {told}")
    if manifest["machine"] != platform.machine() or manifest["cores"] != cores():
        told = "was begun on another machine, or with other cores; the last digits may differ"
        complain(f"warning: {outcome.directory}: {told}")
