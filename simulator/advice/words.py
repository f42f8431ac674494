"""How is advice shown?  A ranking, the times of all sizes, the reasons, and the assumptions."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from algorithms.methods import METHODS
from simulator.advice.advise import Advice
from simulator.advice.flips import UPLOAD, Flip
from simulator.advice.numbers import DASH, number, per_second
from simulator.advice.ranking import APART, Ranking, Row
from simulator.advice.reasons import reasons
from simulator.text_table import Table


def tables(advice: Advice) -> list[Table]:
    return [_ranking(advice), *_sizes(advice.ranking)]


def _ranking(advice: Advice) -> Table:
    headings = ["method", "size", "times as long", "verdict", "step", "gradients/s"]
    headings += ["idle", "wasted", "delay", "traffic"]
    rows = [[names, *_cells(advice.ranking, same)] for names, same in together(advice.ranking)]
    title = advice.scenario.title or "Advice"
    return Table(headings, rows, f"{title}: {recommendation(advice)}", words=(3,), prose=(0, 1))


def recommendation(advice: Advice) -> str:
    candidate = advice.ranking.leader.candidate
    size = f" with {candidate.setting} = {candidate.size}" if candidate.setting else ""
    same = [
        row.candidate.method
        for row in next(together(advice.ranking))[1]
        if row.candidate.setting == candidate.setting
    ]
    return f"take {' or '.join(same)}{size}"


def together(ranking: Ranking) -> Iterator[tuple[str, list[Row]]]:
    """The best row of each method; methods with the same forecast, and as good, belong together."""
    for _, rows in groupby(ranking.best, lambda row: (row.time, row.forecast)):
        same = list(rows)
        yield ", ".join(row.candidate.method for row in same), same


def _cells(ranking: Ranking, rows: Sequence[Row]) -> list[str]:
    row, found = rows[0], rows[0].forecast
    chosen = (each.candidate for each in rows)
    sizes = dict.fromkeys(f"{each.setting} {each.size}" for each in chosen if each.setting)
    size = ", ".join(sizes) or DASH
    known = found is not None and row is not ranking.leader and not ranking.is_biased(row)
    times = f"{ranking.times(row):.2f}" if known else DASH
    if found is None:
        return [size, times, ranking.verdict(row), *[DASH] * 6]
    return [
        *(size, times, ranking.verdict(row)),
        f"{number(found.seconds)} s",
        number(found.gradients / found.seconds),
        f"{found.idle:.0%}",
        f"{found.wasted:.0%}",
        number(found.delay) if found.delay else "0",
        per_second(found.bytes / found.seconds),
    ]


def _sizes(ranking: Ranking) -> list[Table]:
    """The time of every method at every size, as a multiple of the leader's."""
    rows = [row for row in ranking.rows if row.candidate.setting and not ranking.is_biased(row)]
    sizes = sorted({row.candidate.size or 0 for row in rows})
    if not rows:
        return []
    shown = [
        [names, setting, *(number(own.get(size, math.nan)) for size in sizes)]
        for names, setting, own in _times_of_sizes(ranking)
    ]
    title = "Times as long as the leader, at each size"
    return [Table(["method", "size", *map(str, sizes)], shown, title, words=(1,), prose=(0,))]


def _times_of_sizes(ranking: Ranking) -> Iterator[tuple[str, str, Mapping[int, float]]]:
    """The time of each size of every method; methods with the same times belong together."""
    methods = [row.candidate.method for row in ranking.best if not ranking.is_biased(row)]
    found: dict[Any, list[str]] = {}
    for method in methods:
        rows = [row for row in ranking.rows if row.candidate.method == method]
        times = tuple((row.candidate.size or 0, ranking.times(row)) for row in rows)
        if setting := rows[0].candidate.setting:
            found.setdefault((setting, times), []).append(method)
    for (setting, times), names in found.items():
        yield ", ".join(names), setting, dict(times)


def notes(advice: Advice) -> list[str]:
    return [
        *_reasons(advice),
        *_ties(advice.ranking),
        *_edge(advice.ranking),
        f"Assumed: the noise requires batches of {number(advice.noise.batch)} gradients "
        f"({advice.noise.source}).",
        "Assumed: step and momentum are tuned for each method and size.",
        *_bias(advice),
        *_drift(advice.ranking),
        *(_change(flip) for flip in advice.flips),
        *_unchanged(advice),
        *_settings(advice),
    ]


def _reasons(advice: Advice) -> list[str]:
    noise = advice.noise.batch
    return [
        f"{names}: {' '.join(reasons(rows[0], noise, advice.scenario))}"
        for names, rows in together(advice.ranking)
    ]


def _ties(ranking: Ranking) -> list[str]:
    first = next(together(ranking))[1]
    close = [
        row for row in ranking.best if ranking.verdict(row) == "not told apart" and row not in first
    ]
    if not close:
        return []
    names = " and ".join(row.candidate.name for row in close)
    return [
        f"Not told apart from {ranking.leader.candidate.name}, within {APART - 1:.0%}: {names}."
    ]


def _edge(ranking: Ranking) -> list[str]:
    """A caution where the best size is the largest one."""
    leader = ranking.leader.candidate
    sizes = [row.candidate.size for row in ranking.rows if row.candidate.method == leader.method]
    if leader.size is None or len(sizes) == 1 or leader.size < max(size or 0 for size in sizes):
        return []
    name = f"{leader.setting} = {leader.size}"
    return [
        f"{name} is the largest size that was tried for {leader.method}; a larger may be better."
    ]


def _bias(advice: Advice) -> list[str]:
    biased = [row.candidate.method for row in advice.ranking.best if advice.ranking.is_biased(row)]
    if not biased:
        return []
    names = ", ".join(biased)
    return [f"The workers' objectives differ, and these methods favour fast workers: {names}."]


def _drift(ranking: Ranking) -> list[str]:
    """A caution where local steps lead."""
    if not ranking.leader.is_local:
        return []
    others = [row for row in ranking.best if not row.is_local and ranking.verdict(row) != "never"]
    words = "Assumed: local steps do not drift apart, as on a quadratic that all workers share."
    if not others:
        return [words]
    other = others[0]
    longer = f"{ranking.times(other):.2f} times as long"
    return [f"{words} If they do, {other.candidate.name} is the best, {longer}."]


def _change(flip: Flip) -> str:
    way = "from" if flip.value > flip.now else "below"
    if flip.what == UPLOAD:
        return (
            f"An upload takes {number(flip.now)} s; {way} {number(flip.value)} s "
            f"{'on ' if way == 'from' else ''}{flip.leader.name} leads."
        )
    return (
        f"The noise requires {number(flip.now)} gradients; {way} {number(flip.value)} "
        f"{'on ' if way == 'from' else ''}{flip.leader.name} leads."
    )


def _unchanged(advice: Advice) -> list[str]:
    kinds = {flip.what for flip in advice.flips}
    leader = advice.ranking.leader.candidate.method
    if advice.lonely or kinds:
        return []
    tried = "from a 64th to 64 times the upload time, and of the noise"
    return [f"{leader} leads in the whole range that was tried: {tried}."]


def _settings(advice: Advice) -> list[str]:
    """The settings that theory knows for the leader."""
    candidate, eps = advice.ranking.leader.candidate, advice.noise.eps
    method = candidate.scenario.methods[candidate.method].method
    if eps is None or METHODS[method].prescribe is None:
        return []
    return [f"Settings that theory proves for {method}: theory = {{ eps = {eps:.4g} }}."]


# Plain data


def rows_of(ranking: Ranking, rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [_data(ranking, row) for row in rows]


def _data(ranking: Ranking, row: Row) -> dict[str, Any]:
    candidate, found, needed = row.candidate, row.forecast, row.steps
    data: dict[str, Any] = {
        "method": candidate.method,
        "setting": candidate.setting,
        "size": candidate.size,
        "times": ranking.times(row),
        "verdict": ranking.verdict(row),
    }
    if found is None or needed is None:
        return data
    return data | {
        "seconds_per_step": found.seconds,
        "steps_per_second": 1 / found.seconds,
        "gradients_per_second": found.gradients / found.seconds,
        "bytes_per_second": found.bytes / found.seconds,
        **_plain(found),
        "steps_of_path": needed.path,
        "steps_of_delay": needed.delay,
        "steps_of_noise": needed.noise,
    }


def _plain(found: Any) -> Mapping[str, Any]:
    names = {
        "gradients": "gradients_per_step",
        "batch": "batch",
        "delay": "delay",
        "depth": "local_steps",
        "busy": "busy_share",
        "communicating": "communicating_share",
        "down": "down_share",
        "idle": "idle_share",
        "wasted": "wasted_share",
        "last": "last_worker",
        "last_share": "last_worker_share",
        "steps": "simulated_steps",
    }
    return {column: getattr(found, name) for name, column in names.items()}


def changes_of(advice: Advice) -> list[dict[str, Any]]:
    return [
        {
            "what": flip.what,
            "now": flip.now,
            "value": flip.value,
            "method": flip.leader.method,
            "setting": flip.leader.setting,
            "size": flip.leader.size,
        }
        for flip in advice.flips
    ]
