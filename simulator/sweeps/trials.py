"""Which runs does a round of a sweep have?  Every remaining setting, on the round's seeds."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from simulator.campaign.task import Task, tasks_of
from simulator.mistakes import Mistake, did_you_mean
from simulator.scenario import loading
from simulator.scenario.scenario import Scenario
from simulator.sweeps.halving import Round, rounds_of
from simulator.sweeps.settings import Setting, count, settings
from simulator.sweeps.sweep_file import Sweep

MOST = 500
"""Runs that need no ``--yes``."""


class Trial(NamedTuple):
    """One run of a sweep: a setting on a seed, in a round."""

    setting: Setting
    number: int
    """The setting's place in the sweep."""
    round: Round
    task: Task


def settings_of(
    sweep: Sweep, methods: Sequence[str] | None = None, yes: bool = False
) -> dict[int, Setting]:
    """All settings of a sweep by their numbers, each checked."""
    for label in methods or ():
        if label not in sweep.methods:
            hint = did_you_mean(label, sweep.methods)
            raise Mistake(f"--methods {label}: not in this scenario; {hint}")
    chosen = list(dict.fromkeys(methods or sweep.methods))
    runs = sum(_runs(sweep, count(sweep, method)) for method in chosen)
    if runs > MOST and not yes:
        raise Mistake(f"{runs:,} runs are more than {MOST}; --yes if they are meant")
    return dict(enumerate(settings(sweep, chosen)))


def _runs(sweep: Sweep, settings: int) -> int:
    """About how many runs a method with so many settings has in all rounds."""
    seeds = sweep.tables.get("seeds", Scenario.model_fields["seeds"].default)
    found = 0
    for each in rounds_of(sweep.table.halving):
        found += settings * (len(each.seeds(seeds)) if isinstance(seeds, list) else 1)
        settings = each.survivors(settings)
    return found


def trials_of(sweep: Sweep, left: Mapping[int, Setting], played: Round) -> Iterator[Trial]:
    for number, setting in left.items():
        tables, scenario = setting.tables, setting.scenario
        if played.share < 1:
            tables = {**played.tables(tables), "seeds": played.seeds(scenario.seeds)}
            scenario = loading.check(tables, sweep.folder)
        for task in tasks_of(tables, sweep.folder, scenario):
            yield Trial(setting, number, played, task)
