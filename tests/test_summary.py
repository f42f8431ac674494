"""Does the table show the first arrival, and never more than was measured?"""

import json
import math

import numpy as np
import pytest

from algorithms.tickets import Ticket
from simulator.results import results
from simulator.results.directory import claim_directory
from simulator.results.writer import Writer
from simulator.scenario.loading import check
from simulator.schedule import Accounts, Step
from simulator.statistics import report
from simulator.statistics.summary import as_data, compare, summarise, synchronous_label
from simulator.training.record import Run
from simulator.training.schedules import vector_of

NIGT = {"step": 0.1, "momentum": 0.5}
RENNALA, SYNCHRONOUS = {"batch": 2, **NIGT}, NIGT
BOTH = {"rennala-nigt": RENNALA, "synchronous-nigt": SYNCHRONOUS}


def scenario_of(methods=BOTH, seeds=(0, 1, 2), metric=None, **stop):
    stop = stop or {"seconds": 100.0, "target": 0.5}
    return check(
        {
            "title": "by hand",
            "seeds": list(seeds),
            "cluster": {"workers": 2, "compute": 1.0},
            "objective": {"kind": "quadratic", "dimension": 2},
            "evaluation": {"metric": metric} if metric else {},
            "stop": stop,
            "methods": methods,
        }
    )


def run_of(
    method,
    seed,
    reached=None,
    *,
    end=None,
    message="",
    gap=0.75,
    used=6,
    thrown=(1, 2, 4),
    until=100.0,
):
    """A step at ten seconds, watched ``until``.

    Worker 0 computed all the time, a third of it in vain; worker 1 computed half of it, was down
    for a fifth of it, sent for a tenth of it, and did nothing for the rest.
    """
    run = Run(method, seed, ("gap", "gradient_norm"))
    run.record_metrics({"gap": 4.0, "gradient_norm": 8.0})
    tickets = [Ticket(0, 0, 0), Ticket(1, 0, 0)]
    run.close(Step(0, 10.0, tickets, [0.5, 0.5], 2, None), 0)
    run.point = np.zeros(2)
    run.record_metrics({"gap": gap, "gradient_norm": 3.0})
    fates = {"recalled": thrown[0], "dropped": thrown[1], "lost": thrown[2]}
    counts = {"used": used, **fates, "unfinished": 1}
    by_worker = {name: np.array([many, 0]) for name, many in counts.items()}
    run.accounts = Accounts(
        time=until,
        started=np.array([sum(counts.values()), 0]),
        busy=np.array([until, until / 2]),
        communicating=np.array([0.0, until / 10]),
        down=np.array([0.0, until / 5]),
        idle=np.array([0.0, until / 5]),
        wasted=np.array([until / 3, 0.0]),
        **by_worker,
    )
    run.reached = reached
    run.end, run.message = end or ("stop" if reached is None else "target"), message
    return run


@pytest.fixture
def outcome_of(tmp_path):
    """A result directory made of runs, whose times to the target are given by method."""

    def outcome(times, scenario=None, **details):
        scenario = scenario or scenario_of({name: BOTH[name] for name in times})
        directory = claim_directory(tmp_path / "run")
        writer = Writer(directory, scenario, "", vector_of(scenario))
        for method, reached in times.items():
            for seed, seconds in zip(scenario.seeds, reached, strict=False):
                writer.add(run_of(method, seed, seconds, **details))
        writer.write("complete")
        return results.load(writer.directory)

    return outcome


def drawn(outcome):
    """The table: its title, its headings, and each method's cells."""
    table = report.table(outcome)
    return table.title, table.headings, {method: cells for method, *cells in table.rows}


def rows_of(outcome):
    return {row.method: row for row in summarise(outcome)}


# What is summarised


INF = math.inf


@pytest.mark.parametrize(
    ("rennala", "synchronous", "medians", "speed_up"),
    [
        ([10, 90, 20], [60, 70, 50], (20, 60), 3.0),
        ([10, None, 30], [None, 50, None], (30, INF), 100 / 30),  # a bound
        ([10, None], [20, 40], (INF, 30), None),  # half of an even number is no median
    ],
)
def test_seconds_to_the_target_are_medians_over_the_seeds(
    rennala, synchronous, medians, speed_up, outcome_of
):
    times = {"rennala-nigt": rennala, "synchronous-nigt": synchronous}
    rows = rows_of(outcome_of(times, scenario_of(seeds=range(len(rennala)))))
    mine, theirs = rows["rennala-nigt"], rows["synchronous-nigt"]
    assert (mine.seconds_to_target, theirs.seconds_to_target) == medians
    assert mine.reached == sum(seconds is not None for seconds in rennala)
    assert mine.speed_up == speed_up
    assert mine.speed_up_is_bound is (medians[1] == INF)


def test_work_and_idleness_are_those_of_the_accounts(outcome_of):
    row = rows_of(outcome_of({"rennala-nigt": [10, 20, 30]}))["rennala-nigt"]
    assert (row.steps, row.used, row.thrown_away) == (1, 6, 7)
    shares = (row.busy_share, row.communicating_share, row.down_share, row.idle_share)
    assert shares == pytest.approx((0.75, 0.05, 0.1, 0.1))
    assert row.wasted == pytest.approx((1 / 3) / (1 + 1 / 2))
    assert row.final_metric == 0.75


def test_only_methods_that_ran_are_summarised(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30]}, scenario_of(metric="gradient_norm"))
    rows = rows_of(outcome)
    assert list(rows) == ["rennala-nigt"]
    assert rows["rennala-nigt"].final_metric == 3.0
    # The reference is in the scenario but did not run: there is nothing to compare with.
    assert rows["rennala-nigt"].speed_up is None


def test_without_a_synchronous_method_there_is_no_speed_up(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30]})
    assert "speed-up" not in drawn(outcome)[1]
    assert not [line for line in report.notes(outcome) if "speed-up" in line]


@pytest.mark.parametrize(
    ("seconds", "baseline", "limit", "printed"),
    [
        (50.0, 200.0, 1000.0, (4.0, False)),
        (50.0, 25.0, 1000.0, (0.5, False)),
        (50.0, math.inf, 1000.0, (20.0, True)),
        (math.inf, 200.0, 1000.0, (None, False)),
        (math.inf, math.inf, 1000.0, (None, False)),
        (50.0, math.nan, 1000.0, (None, False)),
        (50.0, math.inf, math.nan, (None, False)),
        # Both were as good as the target before they started.
        (0.0, 0.0, 1000.0, (None, False)),
    ],
)
def test_speed_ups_are_exact_or_bounds_or_missing(seconds, baseline, limit, printed):
    assert compare(seconds, baseline, limit) == printed


def test_the_reference_is_the_first_synchronous_method_under_any_label():
    assert synchronous_label(scenario_of()) == "synchronous-nigt"
    assert synchronous_label(scenario_of({"rennala-nigt": RENNALA})) is None
    mine = {"method": "synchronous-pg", "step": 0.1}
    labelled = scenario_of({"rennala-nigt": RENNALA, "wait": mine, "synchronous-nigt": SYNCHRONOUS})
    assert synchronous_label(labelled) == "wait"


def test_data_for_json_has_null_for_missing_numbers(outcome_of):
    times = {"rennala-nigt": [10, 20, 30], "synchronous-nigt": [None] * 3}
    mine, theirs = as_data(summarise(outcome_of(times, gap=math.nan)))
    json.dumps([mine, theirs], allow_nan=False)
    assert theirs["seconds_to_target"] is theirs["speed_up"] is None
    assert (mine["speed_up"], mine["speed_up_is_bound"]) == (5.0, True)


# What is shown


def test_the_table_shows_the_exact_ratio_when_both_got_there(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30], "synchronous-nigt": [70, 75, 80]})
    title, headings, rows = drawn(outcome)
    assert title == "by hand: gap of 0.5 within 100 simulated seconds (median of 3 seeds)"
    assert headings == [
        "method",
        "seconds to target",
        "server steps",
        "gradients used",
        "work wasted",
        "workers idle",
        "speed-up",
    ]
    assert rows == {
        "rennala-nigt": ["20", "1", "6", "22%", "10%", "3.75"],
        "synchronous-nigt": ["75", "1", "6", "22%", "10%", "1"],
    }


@pytest.mark.parametrize(
    ("stop", "until", "limit", "bound"),
    [
        ({"seconds": 100.0, "target": 0.5}, 100.0, "100 simulated seconds", 100),
        # Synchronous stopped at 10 s for its steps: it is known to be slow for 10 s, not for 100.
        (
            {"seconds": 100.0, "steps": 1, "target": 0.5},
            10.0,
            "100 simulated seconds or 1 server steps",
            10,
        ),
        ({"steps": 9, "target": 0.5}, 40.0, "9 server steps", 40),
    ],
)
def test_a_bound_holds_as_long_as_the_reference_was_watched(stop, until, limit, bound, outcome_of):
    times = {"rennala-nigt": [4, None, 5], "synchronous-nigt": [None, 3, None]}
    title, _, rows = drawn(outcome_of(times, scenario_of(**stop), until=until))
    assert title == f"by hand: gap of 0.5 within {limit} (median of 3 seeds)"
    assert rows["rennala-nigt"][0] == "5 (2 of 3 seeds)"
    assert rows["rennala-nigt"][-1] == f"> {bound / 5:g}"
    assert rows["synchronous-nigt"][0] == f"not within {bound} s (1 of 3 seeds)"
    assert rows["synchronous-nigt"][-1] == "\N{EN DASH}"


def test_without_a_target_the_table_shows_the_metric_at_the_end(outcome_of):
    times = {"rennala-nigt": [None] * 3, "synchronous-nigt": [None] * 3}
    outcome = outcome_of(times, scenario_of(seconds=100.0))
    title, headings, rows = drawn(outcome)
    assert title == "by hand: gap within 100 simulated seconds (median of 3 seeds)"
    assert headings[1] == "gap at the end"
    assert "speed-up" not in headings
    assert rows["rennala-nigt"] == ["0.75", "1", "6", "22%", "10%"]


def test_the_title_names_every_limit():
    scenario = scenario_of(seconds=1e6, steps=2000, gradients=3000)
    title = report.title(scenario, 1, report.goal_of(scenario))
    seconds, steps, gradients = (
        "1,000,000 simulated seconds",
        "2,000 server steps",
        "3,000 gradients",
    )
    assert title == f"by hand: gap within {seconds} or {steps} or {gradients}"
    assert report.title(scenario, 1, "") == f"by hand: {seconds} or {steps} or {gradients}"


# Notes


def test_notes_explain_the_words_and_name_the_reference(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30], "synchronous-nigt": [70, 75, 80]})
    notes = "\n".join(report.notes(outcome))
    assert "simulated seconds to the target, against synchronous-nigt" in notes
    assert "work wasted: computing that went into recalled, obsolete or lost gradients" in notes


@pytest.mark.parametrize("end", ["stalled", "failed", "stop", "interrupted"])
def test_notes_name_each_run_that_did_not_end_as_it_should(end, outcome_of):
    outcome = outcome_of({"rennala-nigt": [None] * 3}, end=end, message="it went wrong")
    lines = [line for line in report.notes(outcome) if "it went wrong" in line]
    seeds = (0, 1, 2) if end in ("stalled", "failed") else ()
    assert lines == [f"rennala-nigt, seed {seed}, {end}: it went wrong" for seed in seeds]
