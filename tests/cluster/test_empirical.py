"""Does the empirical law give the quantiles of its file, and does the file go where it must?"""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator import Empirical, load_results, run, verify
from simulator.cluster import Durations
from simulator.cluster.law import Bits
from simulator.mistakes import Mistake
from simulator.scenario.loading import check

SECONDS = [4.0, 0.5, 2.0, 8.0, 2.0]
ROWS = "host,seconds,worker\n" + "".join(f"a,{s:g},{i % 2}\n" for i, s in enumerate(SECONDS))
MINE = [sorted(SECONDS[0::2]), sorted(SECONDS[1::2])]
SCENARIO = """
seeds = [0]
cluster = {{ workers = 2, compute = {{ law = "empirical", file = "log.csv"{more} }} }}
network.upload = {{ law = "empirical", file = "log.csv", scale = 0.25, dimension_power = 1 }}
objective = {{ kind = "quadratic", dimension = 4 }}
stop = {{ steps = 30 }}
methods.rennala-pg = {{ batch = 2, step = 0.1 }}
methods.asynchronous-pg = {{ step = 0.1 }}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "log.csv").write_text(ROWS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bits_at(*chances: float) -> Bits:
    return np.array([int(chance * 2.0**64) for chance in chances], np.uint64)


def drawn(law: Empirical, worker: int, *chances: float) -> list[float]:
    base = law.base(2, np.zeros(2, np.uint64))
    return law.vary(np.repeat(base[[worker]], len(chances), axis=0), bits_at(*chances)).tolist()


def test_a_draw_is_the_quantile_of_the_rows_at_its_random_number() -> None:
    chances = np.linspace(0.001, 0.999, 333)
    wanted = np.quantile(SECONDS, chances, method="inverted_cdf")
    assert drawn(Empirical("log.csv"), 1, *chances) == wanted.tolist()
    assert drawn(Empirical("log.csv", scale=2.0), 0, 0, 0.3, 1 - 2.0**-53) == [1.0, 4.0, 16.0]


def test_with_a_column_of_workers_each_draws_from_its_own_rows() -> None:
    law = Empirical("log.csv", worker="worker")
    for worker, mine in enumerate(MINE):
        middles = (np.arange(len(mine)) + 0.5) / len(mine)
        assert drawn(law, worker, *middles) == mine
    durations = Durations(law, 2, name="network.upload", scale=0.125)
    assert durations.nominal.tolist() == [np.mean(mine) / 8 for mine in MINE]
    assert [each.tolist() for each in durations.extremes()] == [
        [mine[at] / 8 for mine in MINE] for at in (0, -1)
    ]


def test_the_mean_of_many_draws_is_that_of_the_rows() -> None:
    count = 40_000
    found = Durations(Empirical("log.csv"), count, name="cluster.compute", seed=2).all(
        np.zeros(count, np.int64)
    )
    assert set(found) == set(SECONDS)
    assert abs(found.mean() - np.mean(SECONDS)) < 4 * np.std(SECONDS) / count**0.5


def test_a_run_keeps_copies_of_both_files_and_verifies(here: Path) -> None:
    tables = tomllib.loads(SCENARIO.format(more=", worker = 'worker'"))
    ran = run(tables, out=here / "o", schedule_only=True, tickets=True, quiet=True)
    (here / "log.csv").unlink()
    (here / "o").rename(here / "moved")
    after = load_results(here / "moved")
    assert {path: file.name for path, file in after.scenario.files.items()} == {
        "cluster.compute.file": "compute.csv",
        "network.upload.file": "upload.csv",
    }
    assert after.scenario.fingerprint() == ran.manifest["scenario_hash"]
    assert verify(here / "moved").clean


def test_the_hash_is_of_the_rows_of_each_file(here: Path) -> None:
    tables: dict[str, Any] = tomllib.loads(SCENARIO.format(more=""))
    before = check(tables).fingerprint()
    tables["network"]["upload"]["file"] = "other.csv"
    (here / "other.csv").write_text(ROWS)
    assert check(tables).fingerprint() == before
    (here / "other.csv").write_text(ROWS.replace("8", "9"))
    assert check(tables).fingerprint() != before


TIME = "must be a number of seconds from 0 to 1e+18"


@pytest.mark.parametrize(
    ("rows", "more", "told"),
    [
        (ROWS, ", column = 'second'", ", line 1: must have the column second, separated by "
         "commas, and second is missing in 'host,seconds,worker'"),
        (ROWS, ", worker = 'host'", ", line 2: host = 'a': must be a whole number"),
        ("seconds\n1\n-2\n", "", f", line 3: seconds = -2: {TIME}"),
        ("seconds\n1\n\nnan\n", "", f", line 4: seconds = nan: {TIME}"),
        ("seconds\n1\ninf\n", "", f", line 3: seconds = inf: {TIME}"),
        ("seconds\n", "", ": has no rows: must have one at least"),
        ("worker,seconds\n0,1\n0,2\n", ", worker = 'worker'", ": has no row of worker 1: each of "
         "the 2 workers needs one; or leave out the key worker"),
        ("worker,seconds\n0,1\n2,2\n", ", worker = 'worker'",
         ", line 3: worker = 2: must be a worker's number, from 0 to 1"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_one_line(here: Path, rows: str, more: str, told: str) -> None:
    (here / "log.csv").write_text(rows)
    with pytest.raises(Mistake) as caught:
        check(tomllib.loads(SCENARIO.format(more=more)))
    assert str(caught.value).splitlines()[0] == f"cluster.compute.file = 'log.csv'{told}"


def test_a_computation_takes_time_and_its_file_must_exist(here: Path) -> None:
    (here / "log.csv").write_text("seconds\n1\n0\n")
    with pytest.raises(Mistake, match=r"^cluster.compute of worker 0 = 0: must be a positive"):
        check(tomllib.loads(SCENARIO.format(more="")))
    (here / "log.csv").unlink()
    with pytest.raises(Mistake, match=r"^cluster.compute.file = 'log.csv': cannot be read: No su"):
        check(tomllib.loads(SCENARIO.format(more="")))
