"""How good are the final policies?  Play them on new episodes."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from simulator.mistakes import Mistake, did_you_mean
from simulator.results.results import Results
from simulator.statistics.report import DASH
from simulator.text_table import Table
from simulator.training.jax_setup import prepare


class Selection(NamedTuple):
    """Some runs of results."""

    results: Results
    runs: list[tuple[str, int]]


def select(
    results: Results, methods: Iterable[str] | None, seeds: Iterable[int] | None
) -> Selection:
    """All runs, or those of some methods and seeds; a Mistake names an unknown one."""
    if results.schedule_only:
        raise Mistake(f"{results.directory}: holds schedules alone, there is nothing to evaluate")
    if results.runs.empty:
        raise Mistake(f"{results.directory}: holds no run")
    pairs = [(str(method), int(seed)) for method, seed in results.runs[["method", "seed"]].values]
    known = list(dict.fromkeys(method for method, _ in pairs))
    for method in methods or ():
        if method not in known:
            raise Mistake(f"--methods {method}: no such method here; {did_you_mean(method, known)}")
    known_seeds = sorted({seed for _, seed in pairs})
    for seed in seeds or ():
        if seed not in known_seeds:
            listed = ", ".join(map(str, known_seeds))
            raise Mistake(f"--seeds {seed}: no such seed here; known: {listed}")
    wanted_methods, wanted_seeds = set(methods or known), set(seeds or known_seeds)
    chosen = [(m, s) for m, s in pairs if m in wanted_methods and s in wanted_seeds]
    return Selection(results, chosen)


def evaluate(selection: Selection, episodes: int, seed: int) -> list[dict[str, Any]]:
    """A row per run: the metrics of its final point; for policies, with their spread.

    If workers' environments differ, a row per worker follows.
    """
    import jax

    prepare()
    scenario, points = selection.results.scenario, _points(selection)
    objective = scenario.build_objective()
    rows: list[dict[str, Any]] = []
    for (method, run_seed), parameters in points.items():
        point = jax.numpy.asarray(parameters)
        row: dict[str, Any] = {"method": method, "seed": run_seed}
        if objective.episodes is None:
            roots, going = jax.random.key(seed)[None], np.ones(1, bool)
            metrics = objective.evaluate(roots, point[None], 0, episodes, going)
            rows.append(row | {name: _finite(value) for name, (value,) in metrics.items()})
        else:
            played = objective.episodes.play(point, seed, episodes)
            rows += [row | part for part in _spreads(played, objective.episodes.worlds)]
    return rows


def _points(selection: Selection) -> dict[tuple[str, int], np.ndarray]:
    """The final point of every run; a Mistake if it does not fit the scenario."""
    results = selection.results
    results.scenario.check()
    size = results.scenario.objective.size(results.scenario.cluster.workers)
    if size.dimension != (saved := results.vector.dimension):
        sizes = f"its points have {saved:,} parameters, its scenario {size.dimension:,}"
        raise Mistake(f"{results.directory}: {sizes}; evaluate it with the packages that made it")
    return {run: results.parameters(*run) for run in selection.runs}


def _spreads(played: list[Any], worlds: int) -> list[dict[str, Any]]:
    """The spread of all episodes, and those of each worker's if environments differ."""
    if worlds == 1:
        return [_spread(played)]
    each = [{"worker": worker} | _spread(played[worker::worlds]) for worker in range(worlds)]
    return [{"worker": "all"} | _spread(played), *each]


def _spread(played: list[Any]) -> dict[str, Any]:
    totals = np.array([episode.total for episode in played])
    lengths = np.array([episode.length for episode in played])
    error = totals.std(ddof=1) / math.sqrt(len(totals)) if len(totals) > 1 else math.nan
    return {
        "episodes": len(played),
        "return": _finite(totals.mean()),
        "standard error": _finite(error),
        "worst": _finite(totals.min()),
        "best": _finite(totals.max()),
        "mean length": float(lengths.mean()),
    }


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def table(rows: list[dict[str, Any]]) -> Table:
    return Table([*rows[0]], [[_cell(value) for value in row.values()] for row in rows])


def _cell(value: Any) -> str:
    if value is None:
        return DASH
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
