"""Which method is ahead?  Tune all alike, race the best settings on fresh seeds, and compare.

results/compare-NAME/
  compare.json            what is compared, and how it was tuned
  tuning/                 the sweep, if there was one
  race/                   the runs that are compared: a result directory
  race-1/                 an earlier race, of other settings or seeds
  comparison.parquet      a row per level and method
  figures/
"""

import json
import math
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json

from simulator.campaign import run as campaign
from simulator.campaign.rows import claim
from simulator.campaign.run import Finished, RunOptions
from simulator.campaign.runner import Jobs
from simulator.comparison import tune as tuning
from simulator.comparison.tune import Tune
from simulator.mistakes import Mistake
from simulator.results import results
from simulator.results.results import Results
from simulator.scenario import loading
from simulator.scenario.loading import Source
from simulator.scenario.scenario import Scenario
from simulator.statistics.ahead import Standing, levels_of, standings
from simulator.sweeps import sweep as sweeps
from simulator.sweeps.best import fresh_seeds
from simulator.sweeps.sweep import Swept
from simulator.sweeps.sweep_file import Sweep
from simulator.system.files import replace
from simulator.system.messages import LOG
from simulator.tracking import UNTRACKED, Tracking
from simulator.training.record import BROKEN

if TYPE_CHECKING:
    import pandas as pd

FRESH = 5
"""Seeds of a comparison that was tuned, at least."""


class Compared(NamedTuple):
    """A comparison that is done."""

    scenario: Scenario
    race: Results
    swept: Swept | None
    levels: list[float]
    standings: list[Standing]
    confidence: float
    directory: Path
    good: bool
    """Whether every run of the race ended as it should."""

    @property
    def frame(self) -> "pd.DataFrame":
        """A row per level and method."""
        import pandas as pd

        rows = [each.as_row() for each in self.standings]
        return pd.DataFrame(rows, columns=[*Standing._fields, "verdict"])


def conduct(
    source: Source,
    settings: Sequence[str] = (),
    *,
    tune: Tune | None = None,
    levels: Sequence[float] | None = None,
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    confidence: float = 0.9,
    out: Path | None = None,
    jobs: Jobs = None,
    quiet: bool = False,
    command: str = "",
    tracking: Tracking = UNTRACKED,
) -> Compared:
    """A whole comparison; an interrupted one continues in its directory."""
    scenario = loading.load(source, settings).restrict(methods, None)
    tracking.choose(scenario.tracking)
    _check(scenario, levels)
    sweep = None if tune is None else tuning.sweep_of(scenario, tune)
    fresh = _seeds(scenario, sweep, seeds)
    directory = out or Path("results") / f"compare-{loading.name_of(source)}"
    identity = _claim(directory, scenario, sweep, confidence)
    tracking.open(directory)
    swept = None
    if sweep is not None:
        swept = sweeps.conduct(
            sweep,
            out=directory / "tuning",
            jobs=jobs,
            yes=True,
            quiet=quiet,
            command=command,
            tracking=tracking,
        )
        scenario = _best(swept)
    _write(directory, identity)
    scenario = scenario.restrict(None, fresh)
    options = RunOptions(jobs=jobs, quiet=quiet, tracking=tracking)
    ran = _race(scenario, directory / "race", options, command)
    steps, metric, higher = ran.results.step_columns, scenario.metric, scenario.higher_is_better
    found = list(levels or levels_of(steps, metric, higher, scenario.stop.target))
    failed = {(r["method"], r["seed"]) for r in ran.results.manifest["runs"] if r["end"] in BROKEN}
    standing = standings(steps, metric, higher, found, confidence, failed)
    compared = Compared(
        scenario, ran.results, swept, found, standing, confidence, directory, ran.good
    )
    replace(directory / "comparison.parquet", compared.frame.to_parquet)
    return compared


def load(directory: Path) -> Compared:
    """A comparison that is done, from its directory."""
    import pandas as pd

    file = directory / "comparison.parquet"
    if not file.exists():
        raise Mistake(f"{directory}: the comparison is not done; repeat its command, which goes on")
    rows = pd.read_parquet(file)[list(Standing._fields)].to_dict("records")
    standing = [Standing(**{str(name): value for name, value in row.items()}) for row in rows]
    race = results.load(directory / "race")
    tuned = (directory / "tuning" / "sweep.json").exists()
    return Compared(
        race.scenario,
        race,
        sweeps.load(directory / "tuning") if tuned else None,
        list(dict.fromkeys(each.level for each in standing)),
        standing,
        _read(directory / "compare.json")["confidence"],
        directory,
        race.manifest["status"] == "complete",
    )


def _check(scenario: Scenario, levels: Sequence[float] | None) -> None:
    if len(scenario.methods) < 2:
        raise Mistake("compare: needs two methods or more; the scenario has one")
    for level in levels or ():
        if not math.isfinite(level):
            raise Mistake(f"--levels {level:g}: must be finite numbers, such as 50,100")


def _seeds(scenario: Scenario, sweep: Sweep | None, seeds: Sequence[int] | None) -> list[int]:
    """The seeds of the race: none that chooses a setting."""
    if sweep is None:
        return list(seeds or scenario.seeds)
    tuned = sweep.tables.get("seeds", scenario.seeds)
    if shared := sorted({*tuned} & {*(seeds or ())}):
        numbers = ", ".join(map(str, shared))
        raise Mistake(f"--seeds: the methods are tuned on {numbers}; compare them on other seeds")
    return list(seeds or fresh_seeds(tuned, FRESH))


def _claim(
    directory: Path, scenario: Scenario, sweep: Sweep | None, confidence: float
) -> dict[str, Any]:
    """Continue a comparison in its directory; refuse to replace another one.

    It may grow: by seeds, and by settings, which the directory of the tuning checks.
    """
    wanted = {
        "scenario": scenario.model_copy(update={"seeds": []}).fingerprint(),
        "tune": tuning.as_data(sweep),
        "confidence": confidence,
    }
    file = directory / "compare.json"
    claim(directory, lambda _: file.exists(), inside="")
    if not file.exists():
        _write(directory, wanted)
        return wanted
    before, again = _read(file), f"--out {directory}: holds another comparison"
    if before["scenario"] != wanted["scenario"]:
        raise Mistake(f"{again}: its scenario differs; name another directory")
    if before["tune"] is not None and sweep is None:
        raise Mistake(f"{again}: it is tuned; give --tune, or name another directory")
    return wanted


def _write(directory: Path, identity: dict[str, Any]) -> None:
    text = json.dumps(identity, indent=2) + "\n"
    replace(directory / "compare.json", lambda path: path.write_text(text))


def _read(file: Path) -> dict[str, Any]:
    try:
        found = from_json(file.read_bytes())
        return {name: found[name] for name in ("scenario", "tune", "confidence")}
    except (OSError, ValueError, TypeError, LookupError):
        raise Mistake(f"{file}: cannot be read; name another directory by --out") from None


def _best(swept: Swept) -> Scenario:
    """Every method at its best setting."""
    file = swept.directory / "best.toml"
    if not file.exists():
        raise Mistake("--tune: every run failed, so no setting is the best; try smaller steps")
    found = loading.load(file)
    if lost := [method for method in swept.sweep.methods if method not in found.methods]:
        labels = ", ".join(lost)
        raise Mistake(f"--tune: every run of {labels} failed; try smaller steps, or leave it out")
    return found


def _set_aside(place: Path) -> None:
    """Keep a race of other settings or seeds as ``race-1``, ``race-2``, …"""
    names = (place.with_name(f"{place.name}-{number}") for number in count(1))
    kept = next(name for name in names if not name.exists())
    place.rename(kept)
    LOG.warning(f"{place} has other settings or seeds; it is kept as {kept}")


def _race(scenario: Scenario, place: Path, options: RunOptions, command: str) -> Finished:
    """The runs that are compared; those that were done before are read."""
    manifest = place / "manifest.json"
    if manifest.exists() and results.manifest_in(place)["scenario_hash"] != scenario.fingerprint():
        _set_aside(place)
    if manifest.exists():
        ran = campaign.resume(place, scenario, options=options)
    else:
        ran = campaign.run(scenario, place, "", command=command, options=options)
    if ran.results.manifest["status"] == "interrupted":
        raise KeyboardInterrupt
    return ran
