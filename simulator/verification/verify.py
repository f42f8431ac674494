"""All checks of a result directory, from its files alone."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from simulator import plugins
from simulator.mistakes import Mistake
from simulator.results.columns import Columns, groups, rows
from simulator.results.results import Results, load
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario
from simulator.verification import (
    accounts,
    clock,
    computations,
    files,
    points,
    repeated_story,
    replayed,
)
from simulator.verification.evidence import Evidence, Tickets
from simulator.verification.report import TICKETS, Findings, Report


def verify_directory(directory: str | Path) -> Report:
    """Read a result directory and verify it; a file that cannot be read is a problem, too."""
    folder = Path(directory)
    if not folder.exists():
        raise Mistake(f"{folder}: no such directory")
    if not (folder / files.MANIFEST).is_file():
        raise Mistake(f"{folder}: not a result directory, it has no {files.MANIFEST}")
    try:
        results = load(folder)
    except Mistake as mistake:
        found = Findings()
        found.demand("files", files.MANIFEST, False, str(mistake))
        return Report((found,))
    return verify(results)


def verify(results: Results, most: float = math.inf) -> Report:
    """Check the files of a result directory against each other, and each run against a replay.

    All replays together simulate about ``most`` computations; the report names the rest.
    """
    found = Findings()
    files.seals(results.directory, results.manifest, found)
    scenario = files.check_scenario(results, found)
    if scenario is None:
        found.skip("every run", "its scenario cannot be read")
        return Report((found,))
    readable = files.check_runs(results, scenario, found)
    readable = readable and files.check_tables(results, scenario, found)
    files.check_parts(results, found)
    if not readable:
        found.skip("every run", "not all rows of manifest, steps and workers can be read")
        return Report((found,))
    tickets = _by_run(results, found)
    runs = []
    for at, row in enumerate(results.manifest["runs"]):
        runs.append(_verify_run(results, scenario, at, tickets, max(0, most)))
        most -= row["started"]
    return Report((found, *runs))


def _by_run(results: Results, found: Findings) -> dict[tuple[str, int], Columns]:
    """The tickets of each run; rows of other runs are problems."""
    tickets = results.ticket_columns
    if tickets is None:
        return {}
    known = {(run["method"], run["seed"]) for run in results.manifest["runs"]}
    parted = groups(tickets, ("method", "seed"))
    nameless = [key for key in parted if key[0] is None or key[1] != key[1]]
    lost = sum(len(parted.pop(key)) for key in nameless)
    other = [f"{method}, seed {seed}" for method, seed in parted if (method, seed) not in known]
    found.demand("rows", TICKETS, not other, f"has rows of no run: {'; '.join(other[:3])}")
    found.demand("rows", TICKETS, lost == 0, f"has {lost} rows without a method or a seed")
    return {(str(method), int(seed)): rows(tickets, at) for (method, seed), at in parted.items()}


def _verify_run(
    results: Results,
    scenario: Scenario,
    at: int,
    tickets: dict[tuple[str, int], Columns],
    most: float,
) -> Findings:
    row = results.manifest["runs"][at]
    found = Findings(row["method"], row["seed"])
    own = tickets.get((row["method"], row["seed"]))
    if results.ticket_columns is not None and own is None:
        own = rows(results.ticket_columns, slice(0, 0))
    charged = scenario.cluster.per == "environment-step"
    known = None
    if own is None:
        found.skip("single gradients", "tickets.parquet was not recorded")
    elif files.check_tickets(own, scenario.cluster.workers, row["steps"], charged, found):
        known = Tickets.read(own)
    run = _evidence(results, scenario, at, known)
    clock.check(run, found)
    accounts.check(run, found)
    points.check(run, found, results)
    sound = known is None or _sound(run, found)
    if known is not None and sound:
        accounts.tickets_agree(run, found)
        accounts.steps_agree(run, found)
        computations.check(run, found, timed=not results.real)
    if results.real:
        if known is not None and sound:
            repeated_story.check(run, found, results)
    elif sound and (own is None or known is not None):
        replayed.check(run, found, most)
    else:
        found.skip("replay", "its tickets cannot be read, or are there twice")
    return found


def _sound(run: Evidence, found: Findings) -> bool:
    """Every ticket exists once, and within the run's time."""
    tickets = run.known()
    keys = (tickets.worker * (run.closed + 1) + tickets.version) * (len(tickets) + 1)
    keys += np.minimum(tickets.index, len(tickets))
    _, groups, counts = np.unique(keys, return_inverse=True, return_counts=True)
    single = counts[groups] == 1
    once = found.demand("tickets", TICKETS, single, "is there more than once", tickets.name)
    inside = tickets.finish <= run.end
    message = f"ends after the run, {run.end:g} s"
    return found.demand("tickets", TICKETS, inside, message, tickets.name) and once


def _evidence(results: Results, scenario: Scenario, at: int, tickets: Tickets | None) -> Evidence:
    runs: list[dict[str, Any]] = results.manifest["runs"]
    row, workers = runs[at], scenario.cluster.workers
    begin = sum(run["steps"] + 1 for run in runs[:at])
    label = row["method"]
    return Evidence(
        label,
        row["seed"],
        scenario,
        scenario.build_cluster(),
        plugins.story_of(scenario.methods[label].method, settings_of(scenario, label)),
        files.vector_of(scenario),
        results.schedule_only,
        row,
        rows(results.step_columns, slice(begin, begin + row["steps"] + 1)),
        rows(results.worker_columns, slice(at * workers, (at + 1) * workers)),
        tickets,
    )
