"""Do the tickets tell the same as steps and accounts, whatever happens, and in little memory?"""

import tracemalloc

import pandas as pd
import pyarrow.parquet as pq
import pytest
from compiled import compiled_once, run_in, run_schedules
from test_cli import TICKETS, agree_with_steps, agree_with_workers

from algorithms.tickets import Ticket
from simulator.campaign import run as campaign_run
from simulator.campaign.run import write_tickets
from simulator.results import ledger, results
from simulator.results.ledger import Ledger
from simulator.scenario.loading import check
from simulator.schedule import Computation
from simulator.training.record import Run

__all__ = ["compiled_once"]  # the fixture

METHODS = {
    "rennala-pg": {"batch": 5, "step": 0.1},
    "earliest": {
        "method": "rennala-pg", "batch": 6, "step": 0.1, "count": "earliest-started",
    },
    "malenia-pg": {"batch": 6, "step": 0.1},
    "synchronous-pg": {"step": 0.1},
    "asynchronous-pg": {"step": 0.1},
    "ringmaster-pg": {"threshold": 3, "stops": True, "step": 0.1},
    "fedsvrpg-m": {"local_steps": 2, "local_step": 0.1, "momentum": 0.5, "step": 0.1},
}  # fmt: skip
# Those whose weights in a step do not sum to one, or that use a gradient in several steps.
UNEVEN = {
    "delay-adaptive-pg": {"step": 0.1},
    "ringleader-pg": {"step": 0.1},
    "mindflayer-pg": {"attempts": 2, "limit": 3.0, "probability": 0.5, "step": 0.1},
    "fedbuff": {"buffer": 2, "step": 0.1, "local_step": 0.1, "local_steps": 2},
}
RANDOM = {"law": "log-normal", "mean": [1.0, 2.0, 4.0, 9.0], "sigma": 0.5}
CRASHING = {
    "workers": 4,
    "compute": RANDOM,
    "failures": {"mean_time_between_failures": 20.0, "mean_time_to_repair": 3.0},
    "outages": [{"worker": 1, "begin": 8.5, "end": 14.0}],
}
UPLINK = {"collective": "parameter-server", "uplink": {"bandwidth": 64.0}}
NETWORKS = {
    "free": {},
    "gather": {"upload": [0.5, 0.1, 0.9, 0.3], "download": 0.25, "collective": "gather"},
    "ring": {"upload": {"bandwidth": 64.0, "latency": 0.1}, "collective": "ring"},
    "uplink": UPLINK | {"upload": 0.25},
}


def scenario(*, cluster=CRASHING, network=None, methods=METHODS, stop=None, seeds=(0, 1)):
    plain = {
        "seeds": list(seeds),
        "cluster": cluster,
        "network": network or {},
        "objective": {"kind": "quadratic", "dimension": 4},
        "stop": stop or {"seconds": 90.5},
        "methods": methods,
    }
    return check(plain)


def recorded(described, directory, **options):
    folder, code = run_in(directory, described, schedule_only=True, tickets=True, **options)
    return results.load(folder), code


@pytest.mark.parametrize(
    ("in_flight", "in_outage", "network"),
    [
        ("recall", "lost", "gather"),
        ("finish", "lost", "uplink"),
        ("recall", "continued", "free"),
        ("finish", "continued", "ring"),
    ],
)
def test_tickets_of_a_crashing_cluster_agree_with_all_else(in_flight, in_outage, network, tmp_path):
    cluster = CRASHING | {"in_flight": in_flight, "in_outage": in_outage}
    methods = METHODS | UNEVEN
    described = scenario(cluster=cluster, network=NETWORKS[network], methods=methods, seeds=[0])
    found, code = recorded(described, tmp_path / "o")
    assert code == 0
    assert list(found.tickets.columns) == TICKETS
    assert found.tickets["environment_steps"].isna().all()
    assert not found.tickets.duplicated(["method", "seed", "worker", "version", "index"]).any()
    used = found.tickets[found.tickets["outcome"] == "used"]
    assert set(used["method"]) == set(methods)
    assert used[["used_in_step", "weight"]].notna().all(axis=None)
    even = found.steps["method"].isin(METHODS)
    agree_with_steps(used[used["method"].isin(METHODS)], found.steps[even])
    agree_with_workers(found.tickets, found.workers)
    seconds_agree(found)
    # Otherwise it would all be about nothing.
    assert found.workers["down"].sum() > 0
    assert (found.workers["lost"].sum() > 0) == (in_outage == "lost")
    assert found.workers["recalled" if in_flight == "recall" else "dropped"].sum() > 0


def seconds_agree(found):
    """Where no outage interrupts a computation, its seconds are from its start to its finish."""
    if found.scenario.cluster.in_outage == "continued":
        return
    rows = found.tickets.assign(seconds=found.tickets["finish"] - found.tickets["start"])
    whose = ["method", "seed", "worker"]
    busy = rows.groupby(whose)["seconds"].sum()
    vain = rows[rows["outcome"].isin(["recalled", "dropped", "lost"])].groupby(whose)["seconds"]
    accounts = found.workers.set_index(whose)
    for mine, theirs in ((busy, "busy"), (vain.sum(), "wasted")):
        wanted = accounts[theirs]
        ours = mine.reindex(wanted.index, fill_value=0.0)
        pd.testing.assert_series_equal(ours, wanted, check_names=False, rtol=1e-9, atol=1e-9)


def test_a_step_that_closes_as_the_run_stalls_is_kept(tmp_path):
    """A worker gets stuck at the very start of a round, at the moment at which a step closed."""
    now_and_then = {"law": "never-finishes", "of": 1.0, "probability": 0.1}
    cluster = {"workers": 2, "compute": now_and_then}
    methods = {"synchronous-pg": METHODS["synchronous-pg"]}
    described = scenario(cluster=cluster, methods=methods, seeds=[0])
    found, code = recorded(described, tmp_path / "o")
    assert code == 3
    assert found.runs["end"].tolist() == ["stalled"]
    steps = found.runs["steps"].item()
    assert steps > 0
    assert found.steps["time"].tolist() == [float(step) for step in range(steps + 1)]
    assert found.workers["used"].tolist() == [steps, steps]
    agree_with_workers(found.tickets, found.workers)


def test_a_part_per_run_in_the_order_of_fates(tmp_path):
    recorded(scenario(), tmp_path / "o")
    parts = sorted(path.name for path in (tmp_path / "o" / "tickets.parquet").iterdir())
    assert parts == sorted(f"{label}-{seed}.parquet" for label in METHODS for seed in (0, 1))
    one = pd.read_parquet(tmp_path / "o" / "tickets.parquet" / "earliest-1.parquet")
    assert set(one["method"]) == {"earliest"}
    assert set(one["seed"]) == {1}
    assert one["used_in_step"].dropna().is_monotonic_increasing


# Memory

MIB = 2**20


def many(gradients):
    for at in range(gradients):
        ticket = Ticket(at % 7, at // 7, 0)
        yield Computation(ticket, float(at), at + 1.0, "used", at + 1, 1.0)


@pytest.mark.parametrize(
    ("rows", "gradients", "most"),
    [(2**11, 30_000, 2.0), pytest.param(2**15, 300_000, 24.0, marks=pytest.mark.nightly)],
)
def test_a_long_schedule_is_recorded_in_little_memory(rows, gradients, most, tmp_path, monkeypatch):
    """``rows`` are written together.  300,000 would take 100 MiB and more as rows of Python."""
    monkeypatch.setattr(ledger, "ROWS", rows)
    described = scenario(
        cluster={"workers": gradients // 300, "compute": {"law": "power", "exponent": 0.5}},
        methods={"synchronous-pg": {"step": 0.1}},
        stop={"gradients": gradients},
        seeds=[0],
    )
    (run,) = run_schedules(described)
    assert run.accounts.started.sum() == gradients
    with Ledger(tmp_path / "t", run) as part:
        tracemalloc.start()
        write_tickets(described, run, part)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < most * MIB
    file = pq.ParquetFile(tmp_path / "t" / "synchronous-pg-0.parquet")
    assert file.metadata.num_rows == gradients
    assert file.num_row_groups == -(-gradients // rows)


# Whole or not there


def nothing_half_done(directory):
    return not [path for path in directory.rglob("*") if "partial" in path.name]


@pytest.mark.parametrize("run_number", [1, 3])
def test_ctrl_c_while_tickets_are_written_leaves_files_that_can_be_read(
    run_number, tmp_path, monkeypatch
):
    honest, asked = campaign_run.write_tickets, []

    def interrupted(described, run, rows):
        asked.append(run)
        honest(described, run, rows)
        if len(asked) == run_number:
            raise KeyboardInterrupt

    monkeypatch.setattr(campaign_run, "write_tickets", interrupted)
    found, code = recorded(scenario(seeds=[0]), tmp_path / "o")
    assert code == 130
    assert found.manifest["status"] == "interrupted"
    assert len(found.runs) == run_number - 1  # a run is recorded with its tickets
    assert nothing_half_done(tmp_path / "o")
    parts = [path.stem for path in (tmp_path / "o" / "tickets.parquet").iterdir()]
    assert sorted(parts) == sorted(f"{label}-0" for label in list(METHODS)[: run_number - 1])
    if run_number == 1:
        assert found.tickets is None
    else:
        assert set(found.tickets["method"]) == set(list(METHODS)[: run_number - 1])


def test_an_interrupted_schedules_tickets_are_those_of_its_steps(tmp_path, monkeypatch):
    """Ctrl-C comes while the third method is simulated, not just between two steps."""
    from simulator.engine.workers import Workers

    honest, left = Workers.complete, [8000]  # the estimate takes at most 6,100

    def complete(self, *arguments):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return honest(self, *arguments)

    monkeypatch.setattr(Workers, "complete", complete)
    stop = {"steps": 10_000}
    found, code = recorded(scenario(stop=stop, seeds=[0]), tmp_path / "o")
    assert code == 130
    assert found.runs["end"].tolist() == ["interrupted"]
    assert nothing_half_done(tmp_path / "o")
    agree_with_steps(found.tickets[found.tickets["outcome"] == "used"], found.steps)
    agree_with_workers(found.tickets, found.workers)


def test_an_error_leaves_no_part(tmp_path):
    with pytest.raises(ZeroDivisionError), Ledger(tmp_path / "t", Run("a", 0)) as rows:  # noqa: PT012
        for computation in many(ledger.ROWS + 5):
            rows.add(computation)
        raise ZeroDivisionError
    assert list((tmp_path / "t").iterdir()) == []
