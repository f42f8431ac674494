"""Do the laws of durations give the seconds they promise, in every draw and on average?"""

import math
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulator.cluster import (
    LAWS,
    Durations,
    Empirical,
    Exponential,
    Fixed,
    Gamma,
    Geometric,
    HalfCauchy,
    HalfNormal,
    InvalidDuration,
    Law,
    Linear,
    LogNormal,
    NeverFinishes,
    Pareto,
    Permuted,
    Power,
    SlowDown,
    TwoSpeed,
)
from simulator.cluster.law import Bits, Floats
from simulator.commands.json_schema import json_schema
from simulator.commands.listing import listing
from simulator.mistakes import Mistake
from simulator.scenario.loading import check

ONE = Fixed(1.0)
NEVER_MIND = np.zeros(1, np.uint64)


def compute(law: Law, workers: int, seed: int = 0) -> Durations:
    return Durations(law, workers, name="cluster.compute", seed=seed)


def seconds(law: Law, workers: int) -> list[float]:
    """What a steady law gives, for the 0th time and for some other."""
    durations = compute(law, workers)
    first = durations.all(np.zeros(workers, np.int64)).tolist()
    assert first == durations.all(np.arange(workers) + 5).tolist() == durations.nominal.tolist()
    assert first == [durations.one(worker, k=worker % 3) for worker in range(workers)]
    return first


# Steady laws


def test_a_line_runs_evenly_from_the_first_worker_to_the_last() -> None:
    assert seconds(Linear(1.0, 3.0), 5) == [1.0, 1.5, 2.0, 2.5, 3.0]
    assert seconds(Linear(4.0, 1.0), 4) == [4.0, 3.0, 2.0, 1.0]
    assert seconds(Linear(2.0, 7.0), 2) == [2.0, 7.0]
    assert seconds(Linear(2.0, 7.0), 1) == [2.0]
    assert seconds(Geometric(2.0, 54.0), 4) == pytest.approx([2.0, 6.0, 18.0, 54.0])
    assert seconds(Geometric(3.0, 54.0), 1) == [3.0]


@pytest.mark.parametrize(
    ("workers", "share", "slow"),
    [
        (10, 0.3, 3), (10, 0.0, 0), (10, 1.0, 10), (4, 0.5, 2),
        (1, 0.5, 1), (1, 0.49, 0), (3, 0.5, 2), (5, 0.5, 3),  # a half counts as a whole
    ],
)  # fmt: skip
def test_of_two_speeds_the_slow_workers_come_last(workers: int, share: float, slow: int) -> None:
    wanted = [1.0] * (workers - slow) + [9.0] * slow
    assert seconds(TwoSpeed(fast=1.0, slow=9.0, slow_share=share), workers) == wanted


@pytest.mark.parametrize("of", [Power(0.5), Linear(1, 2), Fixed([float(i + 1) for i in range(50)])])
def test_permuted_seconds_are_the_same_seconds_on_other_workers(of: Law) -> None:
    plain, shuffled = seconds(of, 50), seconds(Permuted(of), 50)
    assert shuffled != plain
    assert sorted(shuffled) == sorted(plain)


def test_the_seed_alone_decides_how_seconds_are_permuted() -> None:
    once, again, other = (compute(Permuted(Power(1.0)), 50, seed).nominal for seed in (3, 3, 4))
    assert once.tolist() == again.tolist() != other.tolist()
    upload = Durations(Permuted(Power(1.0)), 50, name="network.upload", seed=3)
    assert upload.nominal.tolist() != once.tolist()  # slow computation may come with fast uploads


# Random laws: each draw


@dataclass(frozen=True)
class Case:
    """A random law, what it must be distributed like, and the same law without chance."""

    law: Any
    reference: Any
    calm: Law | None = None
    mean: float = math.inf
    variance: float = math.inf


S = 0.5
CONTINUOUS = {
    "log-normal": Case(
        LogNormal(Fixed(3.0), S), stats.lognorm(S, scale=3 * math.exp(-(S**2) / 2)),
        calm=LogNormal(Fixed(3.0), 0.0), mean=3, variance=9 * (math.exp(S**2) - 1),
    ),
    "exponential": Case(
        Exponential(Fixed(3.0)), stats.expon(scale=3), mean=3, variance=9,
    ),
    "gamma of many": Case(
        Gamma(Fixed(3.0), 40), stats.gamma(40, scale=3 / 40), mean=3, variance=9 / 40,
    ),
    "gamma of few": Case(
        Gamma(Fixed(3.0), 0.3), stats.gamma(0.3, scale=3 / 0.3), mean=3, variance=9 / 0.3,
    ),
    "pareto": Case(
        Pareto(Fixed(3.0), 9), stats.pareto(9, scale=3),
        mean=3 * 9 / 8, variance=9 * 9 / (8**2 * 7),
    ),
    "pareto without mean": Case(
        Pareto(Fixed(3.0), 0.8), stats.pareto(0.8, scale=3),
    ),
    "half-normal": Case(
        HalfNormal(Fixed(3.0), Fixed(2.0)), stats.halfnorm(loc=3, scale=2),
        calm=HalfNormal(Fixed(3.0), Fixed(0.0)),
        mean=3 + 2 * math.sqrt(2 / math.pi), variance=4 * (1 - 2 / math.pi),
    ),
    "half-cauchy": Case(
        HalfCauchy(Fixed(3.0), Fixed(2.0)), stats.halfcauchy(loc=3, scale=2),
        calm=HalfCauchy(Fixed(3.0), Fixed(0.0)),
    ),
}  # fmt: skip
P = 0.2
SUDDEN = {
    "slow-down": Case(
        SlowDown(Fixed(3.0), P, 11.0), stats.bernoulli(P), calm=SlowDown(Fixed(3.0), 0, 11),
        mean=3 * (1 + 10 * P), variance=9 * 100 * P * (1 - P),
    ),
    "never-finishes": Case(
        NeverFinishes(Fixed(3.0), P), None, calm=NeverFinishes(Fixed(3.0), 0.0),
    ),
}  # fmt: skip
CASES = CONTINUOUS | SUDDEN
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
EACH_CONTINUOUS = pytest.mark.parametrize("case", CONTINUOUS.values(), ids=CONTINUOUS)


def vary(law: Law, bits: Bits) -> Floats:
    """What chance makes of one worker's seconds."""
    base = law.base(1, NEVER_MIND)
    return law.vary(np.repeat(base, len(bits), axis=0), bits)


def around(law: Any, seconds: list[float]) -> Law:
    """The same chance around other seconds: the first field of every random law."""
    changed: Law = replace(law, **{fields(law)[0].name: Fixed(seconds)})
    return changed


def test_every_random_law_is_tested_here() -> None:
    assert {type(case.law) for case in CASES.values()} == {
        law
        for law in LAWS.values()
        if law.varies and law is not Empirical  # test_empirical.py
    }


@EACH_CONTINUOUS
def test_the_bits_are_put_through_the_inverse_distribution_function(case: Case) -> None:
    chances = [1e-5, 1e-3, 0.1, 0.25, 0.4999, 0.5, 0.5001, 0.75, 0.9, 0.999, 0.99999]
    bits = np.array([int(chance * 2.0**64) for chance in chances], np.uint64)
    np.testing.assert_allclose(vary(case.law, bits), case.reference.ppf(chances), rtol=1e-9)


@EACH
def test_durations_grow_with_their_bits(case: Case) -> None:
    spread = np.linspace(0, 2.0**64 * (1 - 2.0**-50), 4001).astype(np.uint64)
    middle = np.uint64(2**63) + np.linspace(-(2.0**40), 2.0**40, 101).astype(np.int64).view(
        np.uint64
    )
    for bits in (spread, middle):
        found = vary(case.law, np.sort(bits))
        assert (found[1:] >= found[:-1]).all()
    assert vary(case.law, spread)[0] < vary(case.law, spread)[-1]


def extremes(law: Law) -> tuple[float, float]:
    shortest, longest = compute(law, 1).extremes()
    return float(shortest[0]), float(longest[0])


@EACH
def test_no_draw_lies_outside_the_extremes(case: Case) -> None:
    shortest, longest = extremes(case.law)
    drawn = compute(case.law, 2000).all(np.zeros(2000, np.int64))
    assert 0 < shortest <= drawn.min() < drawn.max() <= longest
    if not isinstance(case.law, NeverFinishes):
        assert math.isfinite(longest)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.calm])
def test_randomness_without_effect_gives_exactly_the_base(name: str) -> None:
    calm = CASES[name].calm
    assert calm is not None
    assert extremes(calm) == (3.0, 3.0)
    assert set(compute(calm, 500).all(np.zeros(500, np.int64)).tolist()) == {3.0}


def test_slow_down_and_loss_happen_above_one_threshold() -> None:
    threshold = int(0.75 * 2**64)
    bits = np.array([threshold - 2**12, threshold + 2**12], np.uint64)
    assert vary(SlowDown(Fixed(3.0), 0.25, 11.0), bits).tolist() == [3.0, 33.0]
    assert vary(NeverFinishes(Fixed(3.0), 0.25), bits).tolist() == [3.0, math.inf]


@EACH
def test_a_worker_that_never_finishes_never_does(case: Case) -> None:
    durations = compute(around(case.law, [1.0, math.inf]), 2)
    assert durations.never.tolist() == [1]
    for found in (*durations.extremes(), *(durations.all(np.full(2, k)) for k in range(50))):
        assert found[1] == math.inf


def test_gamma_durations_are_never_zero() -> None:
    law = Gamma(ONE, 1e-3)  # most quantiles are smaller than any number
    found = compute(law, 1000).all(np.zeros(1000, np.int64))
    assert 0 < found.min() < 1e-300
    assert extremes(law)[0] > 0


def test_a_wild_pareto_law_is_free_if_its_minimum_is() -> None:
    law = Pareto(Fixed([0.0, 1e-3]), 0.01)  # factors greater than any number
    shortest, longest = Durations(law, 2, name="network.upload").extremes()
    assert (shortest[0], longest[0]) == (0, 0)
    assert 1e-3 <= shortest[1] < 1e300 < longest[1]


# Random laws: which draw is whose


@EACH
def test_a_draw_depends_only_on_seed_worker_and_number(case: Case) -> None:
    workers, ks = 7, range(100)
    together, apart = compute(case.law, workers), compute(case.law, workers)
    table = np.stack([together.all(np.full(workers, k)) for k in ks])
    backwards = [[apart.one(worker, k) for worker in range(workers)] for k in reversed(ks)]
    assert table[::-1].tolist() == backwards
    more = compute(case.law, 1000)
    assert [more.one(3, k) for k in ks] == table[:, 3].tolist()
    uneven = np.arange(workers) * 9
    assert together.all(uneven).tolist() == table[uneven, np.arange(workers)].tolist()


@EACH_CONTINUOUS
def test_other_seeds_workers_and_numbers_are_other_draws(case: Case) -> None:
    draws = [
        compute(case.law, 5, seed).one(worker, k)
        for seed in (0, 1) for worker in (0, 4) for k in (0, 1)
    ]  # fmt: skip
    assert len(set(draws)) == 8


@pytest.mark.parametrize("kind", [HalfNormal, HalfCauchy])
def test_spread_is_each_workers_own(kind: type[HalfNormal] | type[HalfCauchy]) -> None:
    """Twice the base and twice the spread are twice the seconds, with the same bits."""
    bits = np.full(3, 2**63 + 2**50, np.uint64)
    law = kind(Fixed([1.0, 2.0, 2.0]), Fixed([0.5, 1.0, 0.0]))
    base = law.base(3, bits)
    assert base[:, 0].tolist() == compute(law, 3).nominal.tolist() == [1.0, 2.0, 2.0]
    found = law.vary(base, bits)
    assert found[1] == 2 * found[0] > 2
    assert found[2] == 2.0


@EACH
def test_seconds_scale_as_the_laws_within_do(case: Case) -> None:
    doubled = {name: Fixed(6.0) for name, value in vars(case.law).items() if value == Fixed(3.0)}
    doubled |= {name: Fixed(4.0) for name, value in vars(case.law).items() if value == Fixed(2.0)}
    twice = compute(replace(case.law, **doubled), 100)
    scaled = Durations(case.law, 100, name="cluster.compute", scale=2.0)
    at = np.zeros(100, np.int64)
    plain = compute(case.law, 100).all(at)
    assert twice.all(at).tolist() == scaled.all(at).tolist() == (2 * plain).tolist()


# Random laws: on average.  Seeds are fixed; a right law misses by 4 standard errors in 1 of 16,000.

ERRORS = 4.0
DRAWS = 40_000


def one_after_another(law: Law) -> Floats:
    durations = compute(law, 1, seed=1)
    return np.array([durations.one(0, k) for k in range(DRAWS)])


def side_by_side(law: Law) -> Floats:
    return compute(law, DRAWS, seed=2).all(np.full(DRAWS, 3))


WAYS = pytest.mark.parametrize("draw", [one_after_another, side_by_side])


@WAYS
@pytest.mark.parametrize(
    "name", [name for name, case in CASES.items() if math.isfinite(case.variance)]
)
def test_mean_and_variance_are_those_of_theory(name: str, draw: Any) -> None:
    case = CASES[name]
    found = draw(case.law)
    excess = float(case.reference.stats("k"))
    assert abs(found.mean() - case.mean) < ERRORS * math.sqrt(case.variance / DRAWS)
    error = case.variance * math.sqrt((excess + 2) / DRAWS)
    assert error < case.variance / 3  # or the next line says nothing
    assert abs(found.var() - case.variance) < ERRORS * error


# What is refused


LISTED = Fixed([1.0, 2.0, 3.0])
WRONG_COUNT = " has 3 entries for 10 workers: give one per worker, or a single number"


@pytest.mark.parametrize(
    ("law", "field"),
    [
        (LISTED, ""),
        (Permuted(LISTED), ".of"),
        (LogNormal(LISTED, 1.0), ".mean"),
        (LogNormal(Permuted(LISTED), 1.0), ".mean.of"),
        (Exponential(LISTED), ".mean"),
        (Gamma(LISTED, 1.0), ".mean"),
        (Pareto(LISTED, 1.0), ".minimum"),
        (HalfNormal(LISTED, ONE), ".minimum"),
        (HalfNormal(ONE, LISTED), ".std"),
        (HalfCauchy(LISTED, ONE), ".minimum"),
        (HalfCauchy(ONE, LISTED), ".scale"),
        (SlowDown(LISTED, 0.1, 2.0), ".of"),
        (NeverFinishes(LISTED, 0.1), ".of"),
    ],
)
def test_a_list_of_the_wrong_length_is_refused_with_its_path(law: Law, field: str) -> None:
    with pytest.raises(InvalidDuration) as caught:
        compute(law, 10)
    assert str(caught.value) == f"cluster.compute{field}{WRONG_COUNT}"


@pytest.mark.parametrize("wrong", [-1.0, math.inf, math.nan])
@pytest.mark.parametrize("name", ["std", "scale"])
def test_spread_must_be_finite_and_not_negative(name: str, wrong: float) -> None:
    spread = Fixed([1.0, 0.0, 1.0, wrong])
    law = HalfNormal(ONE, spread) if name == "std" else HalfCauchy(ONE, spread)
    with pytest.raises(InvalidDuration) as caught:
        compute(law, 4)
    remedy = "must be a finite number of seconds, 0 or more"
    assert str(caught.value) == f"cluster.compute.{name}[3] = {wrong:g}: {remedy}"


@EACH
@pytest.mark.parametrize("wrong", [-1.0, math.nan])
def test_invalid_seconds_are_refused_under_every_law(case: Case, wrong: float) -> None:
    law = around(case.law, [1.0, wrong])
    with pytest.raises(InvalidDuration) as caught:
        compute(law, 2)
    place = "cluster.compute[1]" if case.law == Fixed else "cluster.compute of worker 1"
    assert str(caught.value) == f"{place} = {wrong:g}: must be a positive number of seconds"


@pytest.mark.parametrize("kind", [HalfNormal, HalfCauchy])
def test_zero_seconds_are_refused_unless_randomness_adds_some(kind: Any) -> None:
    assert compute(kind(Fixed(0.0), ONE), 3).all(np.zeros(3, np.int64)).min() > 0
    with pytest.raises(InvalidDuration, match=r"compute of worker 0 = 0: must be a positive"):
        compute(kind(Fixed(0.0), Fixed(0.0)), 3)


@pytest.mark.parametrize("law", [Permuted, Exponential])
def test_a_random_law_holds_no_random_law(law: Any) -> None:
    with pytest.raises(InvalidDuration) as caught:
        compute(law(Exponential(ONE)), 3)
    field = "of" if law is Permuted else "mean"
    message = f"cluster.compute.{field}: must be a law that does not vary itself"
    assert str(caught.value) == message


def test_a_computation_may_get_lost_a_message_may_not() -> None:
    law = NeverFinishes(ONE, 0.5)
    assert math.inf in compute(law, 100).all(np.zeros(100, np.int64)).tolist()
    with pytest.raises(
        InvalidDuration, match=r"network.upload of worker \d+ = inf: must be a finite"
    ):
        Durations(law, 100, name="network.upload")


# In a scenario

TABLES = {
    "fixed": "seconds = [1, 2, 3]",
    "power": "exponent = 0.5",
    "linear": "first = 1, last = 3.5",
    "geometric": "first = 1, last = 100",
    "two-speed": "fast = 1, slow = 9.0, slow_share = 0.3",
    "permuted": "of = { law = 'power', exponent = 1 }",
    "log-normal": "mean = 1, sigma = 0.5",
    "exponential": "mean = [1, 2, 3]",
    "gamma": "mean = { law = 'linear', first = 1, last = 2 }, shape = 2",
    "pareto": "minimum = { law = 'permuted', of = [1, 2, 3] }, shape = 1",
    "half-normal": "minimum = 1, std = { law = 'power', exponent = 0.5 }",
    "half-cauchy": "minimum = 0, scale = [1, 2, 3]",
    "slow-down": "of = { law = 'two-speed', fast = 1, slow = 2 }, probability = 0.1, factor = 9",
    "never-finishes": "of = 1.5, probability = 0.1",
    "empirical": "file = 'seconds.csv', scale = 2.0",
}
SCENARIO = """
cluster = {{ workers = 3, compute = {compute} }}
network = {{ upload = {upload} }}
objective = {{ kind = "quadratic" }}
stop = {{ steps = 10 }}
methods.rennala-pg = {{ batch = 2, step = 0.1 }}
"""


@pytest.fixture(autouse=True)
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seconds.csv").write_text("seconds\n1\n2.5\n")
    monkeypatch.chdir(tmp_path)


def scenario(compute: str = "1", upload: str = "0") -> Any:
    return check(tomllib.loads(SCENARIO.format(compute=compute, upload=upload)))


@pytest.mark.parametrize("name", LAWS)
def test_every_law_can_be_written_in_a_scenario(name: str) -> None:
    table = f"{{ law = '{name}', {TABLES[name]} }}"
    law = scenario(compute=table).cluster.compute.build()
    assert type(law) is LAWS[name]
    durations = compute(law, 3)
    assert durations.varies == law.varies
    assert durations.all(np.zeros(3, np.int64)).shape == durations.nominal.shape == (3,)
    if name != "never-finishes":
        network = scenario(upload=table[:-1] + ", dimension_power = 0.5 }").network
        assert network.upload.build() == law
        assert network.upload.dimension_power == 0.5


@pytest.mark.parametrize("name", LAWS)
def test_every_law_is_listed_in_a_line_and_known_to_the_schema(name: str) -> None:
    line = (LAWS[name].__doc__ or "").split("\n\n")[0]
    assert listing()["laws of durations"][name] == line.replace("`", "") != ""
    assert line.endswith(".")
    assert "\n" not in line
    assert len(line) < 100
    tables = [
        table
        for table in json_schema()["$defs"].values()
        if table["properties"].get("law", {}).get("const") == name
    ]
    assert {table["description"] for table in tables} == {line}
    kinds = {"dimension_power" in table["properties"] for table in tables}
    assert kinds == {True, False}  # of transfers, and of computations
    known = {field.name for field in fields(LAWS[name])}  # type: ignore[arg-type]
    for table in tables:
        assert table["properties"].keys() - {"law", "dimension_power"} == known


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.varies])
def test_in_a_scenario_a_random_law_holds_no_random_law(name: str) -> None:
    within = f"{{ law = '{name}', {TABLES[name]} }}"
    with pytest.raises(Mistake) as caught:
        scenario(compute=f"{{ law = 'exponential', mean = {within} }}")
    assert str(caught.value).startswith(f"cluster.compute.mean.law = '{name}': ")


@pytest.mark.parametrize(
    ("table", "start"),
    [
        ("law = 'linear', first = -1, last = 1", "first = -1: must be greater than or equal to 0"),
        ("law = 'linear', first = 1, last = inf", "last = inf: must be less than or equal"),
        ("law = 'linear', first = nan, last = 1", "first = nan: must be"),
        ("law = 'linear', first = 1", "last: is missing"),
        ("law = 'geometric', first = 0, last = 1", "first = 0: must be greater than 0"),
        ("law = 'two-speed', fast = 1, slow = 2, slow_share = 1.1", "slow_share = 1.1: must be"),
        ("law = 'two-speed', fast = 1, slow = 2, slow_share = -1", "slow_share = -1: must be"),
        ("law = 'permuted', of = { law = 'permuted', of = 1 }", "of.law = 'permuted': "),
        ("law = 'permuted', of = [1, 'a', 3]", "of[1] = 'a': must be a number"),
        ("law = 'permuted', of = [1, 2]", "of has 2 entries for 3 workers"),
        ("law = 'gamma', mean = 1, shape = 0", "shape = 0: must be greater than 0"),
        ("law = 'gamma', mean = 1, shape = nan", "shape = nan: must be"),
        ("law = 'gamma', mean = 1, shape = 1e7", "shape = 10000000.0: must be less"),
        ("law = 'gamma', mean = true, shape = 1", "mean"),
        ("law = 'pareto', minimum = 1, shape = 0", "shape = 0: must be greater than 0"),
        ("law = 'pareto', minimum = 1, shape = 101", "shape = 101: must be less"),
        ("law = 'half-normal', minimum = 1, std = -1", "std = -1: must be a finite number"),
        ("law = 'half-normal', minimum = 1", "std: is missing"),
        ("law = 'half-cauchy', minimum = 1, scale = inf", "scale = inf: must be a finite"),
        ("law = 'slow-down', of = 1, probability = 1.5, factor = 2", "probability = 1.5: must be"),
        ("law = 'slow-down', of = 1, probability = -1, factor = 2", "probability = -1: must be"),
        ("law = 'slow-down', of = 1, probability = 0.5, factor = 0.5", "factor = 0.5: must be"),
        ("law = 'slow-down', of = 1, probability = 0.5, factor = inf", "factor = inf: must be"),
        ("law = 'never-finishes', of = 1, probability = 1", "probability = 1: must be less than 1"),
        ("law = 'never-finishes', of = 1, probability = -1", "probability = -1: must be greater"),
    ],
)  # fmt: skip
def test_a_wrong_number_is_refused_in_one_line_with_its_path(table: str, start: str) -> None:
    with pytest.raises(Mistake) as caught:
        scenario(compute=f"{{ {table} }}")
    assert str(caught.value).startswith(f"cluster.compute.{start}")
    assert "\n" not in str(caught.value)
