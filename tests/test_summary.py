"""Does the table say who got there first, and never more than what was measured?"""

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
    run.look({"gap": 4.0, "gradient_norm": 8.0})
    tickets = [Ticket(0, 0, 0), Ticket(1, 0, 0)]
    run.close(Step(0, 10.0, tickets, [0.5, 0.5], 2, None), 0)
    run.point = np.zeros(2)
    run.look({"gap": gap, "gradient_norm": 3.0})
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


def test_seconds_to_the_target_are_medians_over_the_seeds(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 90, 20], "synchronous-nigt": [60, 70, 50]})
    rows = rows_of(outcome)
    assert rows["rennala-nigt"].seconds_to_target == 20
    assert rows["rennala-nigt"].reached == rows["rennala-nigt"].seeds == 3
    assert rows["rennala-nigt"].speed_up == 3.0
    assert rows["rennala-nigt"].speed_up_is_bound is False
    assert rows["synchronous-nigt"].speed_up == 1.0


def test_a_seed_that_did_not_get_there_counts_as_infinite(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, None, 30], "synchronous-nigt": [None, 50, None]})
    rows = rows_of(outcome)
    assert rows["rennala-nigt"].seconds_to_target == 30
    assert rows["rennala-nigt"].reached == 2
    assert rows["synchronous-nigt"].seconds_to_target == math.inf
    assert rows["synchronous-nigt"].reached == 1


def test_half_the_seeds_of_an_even_number_are_not_a_median(outcome_of):
    scenario = scenario_of(seeds=[0, 1])
    outcome = outcome_of({"rennala-nigt": [10, None], "synchronous-nigt": [20, 40]}, scenario)
    rows = rows_of(outcome)
    assert rows["rennala-nigt"].seconds_to_target == math.inf
    assert rows["rennala-nigt"].speed_up is None
    assert rows["synchronous-nigt"].seconds_to_target == 30


def test_work_and_idleness_are_those_of_the_accounts(outcome_of):
    row = rows_of(outcome_of({"rennala-nigt": [10, 20, 30]}))["rennala-nigt"]
    assert (row.steps, row.used, row.thrown_away) == (1, 6, 7)
    shares = (row.busy_share, row.communicating_share, row.down_share, row.idle_share)
    assert shares == pytest.approx((0.75, 0.05, 0.1, 0.1))
    assert row.wasted == pytest.approx((1 / 3) / (1 + 1 / 2))
    assert row.final_metric == 0.75


def test_the_last_metric_is_the_one_that_the_scenario_names(outcome_of):
    scenario = scenario_of(metric="gradient_norm")
    outcome = outcome_of({"rennala-nigt": [10, 20, 30]}, scenario)
    assert rows_of(outcome)["rennala-nigt"].final_metric == 3.0


def test_only_methods_that_ran_are_summarised(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30]}, scenario_of())
    assert list(rows_of(outcome)) == ["rennala-nigt"]
    # The reference is in the scenario but did not run: there is nothing to compare with.
    assert rows_of(outcome)["rennala-nigt"].speed_up is None


@pytest.mark.parametrize(
    ("seconds", "baseline", "limit", "told"),
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
def test_speed_ups_are_exact_or_bounds_or_not_there(seconds, baseline, limit, told):
    assert compare(seconds, baseline, limit) == told


def test_the_reference_is_the_first_synchronous_method_under_any_label():
    assert synchronous_label(scenario_of()) == "synchronous-nigt"
    assert synchronous_label(scenario_of({"rennala-nigt": RENNALA})) is None
    mine = {"method": "synchronous-pg", "step": 0.1}
    labelled = scenario_of({"rennala-nigt": RENNALA, "wait": mine, "synchronous-nigt": SYNCHRONOUS})
    assert synchronous_label(labelled) == "wait"


def test_data_for_json_has_null_where_nothing_happened(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30], "synchronous-nigt": [None] * 3})
    data = as_data(summarise(outcome))
    json.dumps(data, allow_nan=False)
    assert data[1]["seconds_to_target"] is None
    assert data[1]["speed_up"] is None
    assert data[0]["speed_up"] == 5.0
    assert data[0]["speed_up_is_bound"] is True


def test_data_for_json_has_null_where_nothing_could_be_measured(outcome_of):
    outcome = outcome_of({"rennala-nigt": [None] * 3}, gap=math.nan, end="failed")
    json.dumps(as_data(summarise(outcome)), allow_nan=False)


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


def test_the_table_says_not_within_and_more_than(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30], "synchronous-nigt": [None] * 3})
    _, _, rows = drawn(outcome)
    assert rows["rennala-nigt"][-1] == "> 5"
    assert rows["synchronous-nigt"][0] == "not within 100 s"
    assert rows["synchronous-nigt"][-1] == "–"  # noqa: RUF001 (a dash, as tables have it)


def test_the_table_says_how_many_seeds_got_there_when_not_all_did(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, None, 30], "synchronous-nigt": [None, 50, None]})
    _, _, rows = drawn(outcome)
    assert rows["rennala-nigt"][0] == "30 (2 of 3 seeds)"
    assert rows["synchronous-nigt"][0] == "not within 100 s (1 of 3 seeds)"


def test_without_a_limit_in_seconds_the_bound_is_what_was_watched(outcome_of):
    scenario = scenario_of(steps=9, target=0.5)
    times = {"rennala-nigt": [10] * 3, "synchronous-nigt": [None] * 3}
    title, _, rows = drawn(outcome_of(times, scenario, until=40.0))
    assert title == "by hand: gap of 0.5 within 9 server steps (median of 3 seeds)"
    assert rows["synchronous-nigt"][0] == "not within 40 s"
    assert rows["rennala-nigt"][-1] == "> 4"


def test_a_bound_holds_when_the_reference_ended_before_the_limit(outcome_of):
    """Synchronous stopped at 10 s for its steps: it is known to be slow for 10 s, not for 100."""
    scenario = scenario_of(seconds=100.0, steps=1, target=0.5)
    times = {"rennala-nigt": [5] * 3, "synchronous-nigt": [None] * 3}
    outcome = outcome_of(times, scenario, until=10.0)
    assert rows_of(outcome)["rennala-nigt"].speed_up == 10 / 5
    assert drawn(outcome)[2]["synchronous-nigt"][0] == "not within 10 s"


def test_without_a_synchronous_method_there_is_no_speed_up(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30]})
    _, headings, _ = drawn(outcome)
    assert "speed-up" not in headings
    assert not [line for line in report.notes(outcome) if "speed-up" in line]


def test_without_a_target_the_table_shows_the_metric_at_the_end(outcome_of):
    times = {"rennala-nigt": [None] * 3, "synchronous-nigt": [None] * 3}
    outcome = outcome_of(times, scenario_of(seconds=100.0))
    title, headings, rows = drawn(outcome)
    assert title == "by hand: gap within 100 simulated seconds (median of 3 seeds)"
    assert headings[1] == "gap at the end"
    assert "speed-up" not in headings
    assert rows["rennala-nigt"] == ["0.75", "1", "6", "22%", "10%"]


def test_one_seed_is_no_median(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10]}, scenario_of({"rennala-nigt": RENNALA}, seeds=[0]))
    assert drawn(outcome)[0] == "by hand: gap of 0.5 within 100 simulated seconds"


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


def test_lower_is_better_where_the_objective_says_so():
    assert not scenario_of().higher_is_better
    assert not scenario_of(metric="gradient_norm").higher_is_better


# Notes


def test_notes_explain_the_words_and_name_the_reference(outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30], "synchronous-nigt": [70, 75, 80]})
    notes = "\n".join(report.notes(outcome))
    assert "simulated seconds to the target, against synchronous-nigt" in notes
    assert "work wasted: computing that went into recalled, obsolete or lost gradients" in notes


@pytest.mark.parametrize("end", ["stalled", "failed"])
def test_notes_name_each_run_that_did_not_end_as_it_should(end, outcome_of):
    outcome = outcome_of({"rennala-nigt": [None] * 3}, end=end, message="it went wrong")
    lines = [line for line in report.notes(outcome) if "it went wrong" in line]
    assert lines == [f"rennala-nigt, seed {seed}, {end}: it went wrong" for seed in (0, 1, 2)]


@pytest.mark.parametrize("end", ["stop", "target", "interrupted"])
def test_notes_are_silent_about_the_others(end, outcome_of):
    outcome = outcome_of({"rennala-nigt": [10, 20, 30]}, end=end, message="nothing to see")
    assert not [line for line in report.notes(outcome) if "nothing to see" in line]
