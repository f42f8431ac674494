"""How is advice made?  Candidates, their schedules, the noise, a ranking, and what changes it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from simulator.advice import candidates
from simulator.advice.candidates import Candidate
from simulator.advice.flips import Flip, flips
from simulator.advice.forecast import Forecast
from simulator.advice.noise import Noise, noise_of
from simulator.advice.ranking import Ranking, ranking, simulated
from simulator.campaign.progress import showing
from simulator.mistakes import Mistake
from simulator.scenario import loading
from simulator.scenario.loading import Source
from simulator.scenario.scenario import Scenario

FEW, SEVERAL = 3_000, 8_000
"""Events of a first simulation of each candidate, and of a second one of the best."""
CONTENDERS = 1.5
"""Candidates within so many times the leader's time are simulated again."""
SEEDS = 3
ALONE: Mapping[str, Any] = {"objective": {"kind": "quadratic"}, "stop": {"steps": 1}}
"""What the tables of a cluster alone lack."""


class Advice(NamedTuple):
    scenario: Scenario
    noise: Noise
    ranking: Ranking
    flips: Sequence[Flip]
    alone: bool
    """Whether the file describes a cluster and no objective."""

    @property
    def lonely(self) -> bool:
        """Whether there is nothing to compare."""
        return len(self.ranking.best) == 1


def advise(
    source: Source,
    settings: Iterable[str] = (),
    *,
    methods: Sequence[str] | None = None,
    noise: float | None = None,
    probed: bool = False,
    quiet: bool = False,
) -> Advice:
    if noise is not None and not 0 < noise < float("inf"):
        raise Mistake(f"--noise {noise:g}: must be a finite number of gradients, more than 0")
    if noise is not None and probed:
        raise Mistake("--noise and --probe: one states what the other measures; give one of them")
    scenario, alone = read(source, settings, methods)
    if alone and probed:
        raise Mistake("--probe: needs an objective; give the file a table [objective]")
    with showing(doing="estimating the noise", quiet=quiet) as progress:
        found = noise_of(scenario, stated=noise, probed=probed, alone=alone)
        alike = scenario.objective.alike
        every, seeds = candidates.candidates(scenario), scenario.seeds[:SEEDS]
        progress.under_way(f"simulating {len(every)} schedules")
        ranked = _ranked(every, found, seeds, alike)
        _check_progress(ranked)
        progress.under_way("searching for what would change the answer")
        lonely = len(ranked.best) == 1
        changes = [] if lonely else flips(ranked, found, scenario, seeds)
    return Advice(scenario, found, ranked, changes, alone)


def _ranked(every: Sequence[Candidate], noise: Noise, seeds: Sequence[int], alike: bool) -> Ranking:
    first = ranking(every, simulated(FEW, seeds), noise, alike)
    near = {row.candidate.schedule for row in first.rows if first.times(row) <= CONTENDERS}
    longer = simulated(SEVERAL, seeds)
    known = {row.candidate.schedule: row.forecast for row in first.rows}

    def simulate(candidate: Candidate) -> Forecast | None:
        return longer(candidate) if candidate.schedule in near else known[candidate.schedule]

    return ranking(every, simulate, noise, alike)


def _check_progress(found: Ranking) -> None:
    if found.verdict(found.leader) == "never":
        names = ", ".join(row.candidate.method for row in found.best)
        raise Mistake(f"no step closes with any of these methods: {names}; see straggle validate")


def read(
    source: Source, settings: Iterable[str] = (), methods: Sequence[str] | None = None
) -> tuple[Scenario, bool]:
    """The scenario to advise on, and whether it is that of a cluster alone.

    Methods are the scenario's own, by their labels, or registered ones by their names.
    """
    tables, folder = loading.tables_of(source, settings)
    alone = "objective" not in tables
    if alone:
        _check_messages(tables)
        tables = {**ALONE, **tables}
    own = tables.get("methods", {})
    chosen = methods or list(own) or candidates.known()
    workers = tables.get("cluster", {}).get("workers", 1)
    others = candidates.tables_of([name for name in chosen if name not in own], workers)
    tables["methods"] = {name: own[name] if name in own else others[name] for name in chosen}
    return loading.check(tables, folder), alone


def _check_messages(tables: Mapping[str, Any]) -> None:
    """Without an objective the size of a message is unknown."""
    network = tables.get("network", {})
    wired = "bandwidth" in str(network)
    if wired and "message_bytes" not in network:
        raise Mistake("network.message_bytes: is missing; a bandwidth needs the size of a message")
