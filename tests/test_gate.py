"""Does the gate hold what holds, and point at the right place where something has moved?"""

import json
import math
import signal
import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest
from children import ended, start_sending
from compiled import compiled_once
from test_cli import Answer, straggle, written
from test_imports import loaded_by
from test_suite_file import SCENARIO

import simulator
from algorithms.methods import METHODS
from simulator import gate
from simulator.campaign.processes import Local
from simulator.engine import Simulation
from simulator.engine.calendar import Calendar
from simulator.gate import baselines, claims, predicted, report, runs, shorthand, suite_file
from simulator.gate.figure import draw
from simulator.gate.headlines import of as headlines_of
from simulator.gate.history import Point
from simulator.mistakes import Mistake
from simulator.schedule import Step
from simulator.statistics import bounds
from simulator.training.dry_run import simulate

__all__ = ["compiled_once"]  # the fixture

SUITE = """
title = "Small"
[benchmarks.schedule]
kind = "exact"
why = "schedules are what they were"
scenario = "small.toml"
seeds = [0]
methods = ["rennala-nigt", "asynchronous-pg"]
[benchmarks.equal]
kind = "exact"
why = "ties go to the lower worker"
scenario = "small.toml"
seeds = [0]
methods = ["rennala-nigt"]
set = { "cluster.compute" = 1, "stop.steps" = 4 }
[benchmarks.curve]
kind = "tolerance"
why = "curves are what they were"
scenario = "small.toml"
seeds = [0, 1]
methods = ["rennala-nigt"]
relative = 1e-6
[benchmarks.rounds]
kind = "claim"
why = "the first two gradients are there after 2 s, the last after 4"
scenario = "small.toml"
of = "rennala-nigt"
over = "synchronous-nigt"
measure = "time-to-steps"
count = 10
at_least = 2
"""
SCHEDULES = ["schedule", "equal", "rounds"]


@pytest.fixture
def folder(tmp_path):
    written(tmp_path / "small.toml", SCENARIO)
    written(tmp_path / "suite.toml", SUITE)
    return tmp_path


@pytest.fixture
def kept(folder):
    """A folder whose suite has baselines of its schedules."""
    assert check(folder, update=True).good
    return folder


def check(folder, only=SCHEDULES, **options):
    """In this process, where a defect can be planted."""
    return gate.conduct(folder / "suite.toml", only=only, jobs=Local(1), **options)


def test_endless_benchmarks_are_refused_before_any_run(folder):
    asked = '"cluster.compute" = 1, "stop.steps" = 4'
    endless = '"methods.rennala-nigt.batch" = 2000000000, "stop.steps" = 2000000000'
    written(folder / "suite.toml", SUITE.replace(asked, endless))
    with pytest.raises(Mistake, match=r"^benchmarks.equal: .* in effect never end"):
        check(folder, update=True)
    assert not (folder / "baselines").exists()


def found(checked):
    return {finding.benchmark: finding for finding in checked.findings}


def edit(folder, before, after, name="suite.toml"):
    text = (folder / name).read_text()
    assert before in text
    written(folder / name, text.replace(before, after))


# What holds


def test_baselines_that_hold_are_kept_and_one_that_moved_is_written(kept):
    files = {path: path.read_bytes() for path in kept.rglob("*.json")}
    assert {finding.outcome for finding in check(kept).findings} == {"holds"}
    assert {finding.outcome for finding in check(kept, update=True).findings} == {"kept"}
    assert {path: path.read_bytes() for path in kept.rglob("*.json")} == files
    edit(kept / "baselines" / "suite", '"seconds": 4.0', '"seconds": 4.5', "schedule.json")
    assert not check(kept).good
    outcomes = {name: finding.outcome for name, finding in found(check(kept, update=True)).items()}
    assert outcomes == {"schedule": "updated", "equal": "kept", "rounds": "kept"}
    assert {path: path.read_bytes() for path in kept.rglob("*.json")} == files


def test_processes_agree_with_one_process(kept):
    assert (
        gate.conduct(kept / "suite.toml", only=SCHEDULES, jobs=2).findings == check(kept).findings
    )


def test_a_baseline_holds_the_times_that_are_known(kept):
    baseline = baselines.read(kept / "baselines" / "suite", "schedule")
    rounds, arrivals = baseline.runs
    # Workers take 1, 2 and 4 s; a batch of two is full after 2 s, of workers 0 and 0, as ties go
    # to the lower worker, which has two by then.
    assert [step["seconds"] for step in rounds["steps"]] == [2.0 * k for k in range(1, 13)]
    assert {step["gradients"] for step in rounds["steps"]} == {"0 0"}
    assert {step["weights"] for step in rounds["steps"]} == {"2*0.5"}
    assert [step["seconds"] for step in arrivals["steps"]][:5] == [1.0, 2.0, 2.0, 3.0, 4.0]
    assert [step["gradients"] for step in arrivals["steps"]][:4] == ["0", "0", "1@2", "0@1"]
    who = {row["workers"]: row for row in rounds["workers"]}
    assert who["0"]["used"] == 24
    assert who["1-2"]["recalled"] == who["1-2"]["started"] == 12


# Planted defects: each is found, and the message says where


@pytest.fixture
def planted(kept, monkeypatch):
    """The findings once a defect has been planted."""

    def plant(place, name, defect):
        monkeypatch.setattr(place, name, defect)
        checked = check(kept)
        assert not checked.good
        return found(checked)

    return plant


def test_another_order_of_ties_is_found_in_the_gradients_that_a_step_used(planted):
    def last_first(self, workers):
        return workers[np.lexsort((-workers, self._rest[workers]))]

    findings = planted(Calendar, "_by_time", last_first)
    (line,) = findings["equal"].lines
    assert line.startswith(
        "rennala-nigt, seed 0: step 1 used gradients of workers 2 1, baseline 0-1; "
        "3 later steps moved, too; worker 0: started 4, baseline 8, used 0, baseline 4"
    )
    assert findings["rounds"].good


def test_another_weight_is_found_in_the_step(planted):
    step = Simulation.step

    def heavier(self, tickets, weights, *more):
        doubled = [2 * w if len(tickets) == 2 else w for w in weights]
        return step(self, tickets, doubled, *more)

    findings = planted(Simulation, "step", heavier)
    assert findings["schedule"].lines == [
        "rennala-nigt, seed 0: step 1 weighed them 2*1.0, baseline 2*0.5; 11 later steps moved, too"
    ]


def test_another_stop_is_found_at_the_last_step(planted):
    import simulator.training.dry_run as place

    stop_of = place.stop_of

    def early(scenario):
        stop = stop_of(scenario)
        return stop._replace(steps=stop.steps - 1)

    findings = planted(place, "stop_of", early)
    first, second = findings["schedule"].lines
    assert first.startswith(
        "rennala-nigt, seed 0: closed 11 steps, the last at 22 s, baseline 12 steps, the last at "
        "24 s; ended at 22 s (stop), baseline at 24 s (stop); worker 0: "
    )
    assert second.startswith("asynchronous-pg, seed 0: closed 11 steps")


def test_a_broken_claim_fails_under_any_baseline(kept):
    edit(kept, "at_least = 2", "at_least = 2.1")
    finding = found(check(kept))["rounds"]
    assert finding.outcome == "fails"
    assert finding.lines == [
        "time for 10 steps: synchronous-nigt needs 2 times that of rennala-nigt (median); "
        "on every seed at least 2; claimed 2.1"
    ]
    file = baselines.file_of(kept / "baselines" / "suite", "rounds")
    before = file.read_bytes()
    assert not check(kept, update=True).good
    assert file.read_bytes() == before


def test_a_rounding_concerns_times_only(kept):
    folder = kept / "baselines" / "suite"
    edit(kept, 'methods = ["rennala-nigt", "asynchronous-pg"]', "rounding = 1e-12")
    check(kept, update=True)
    file = baselines.file_of(folder, "schedule")
    text = file.read_text()
    for before, after, good in (
        ('"seconds": 4.0', '"seconds": 4.000000000000001', True),
        ('"seconds": 4.0', '"seconds": 4.00000000001', False),
        ('"gradients": "0 0"', '"gradients": "0-1"', False),
        ('"weights": "2*0.5"', '"weights": "2*0.5000000000000001"', False),
    ):
        written(file, text.replace(before, after))
        assert check(kept).good is good
    written(file, text)
    edit(kept, "rounding = 1e-12", "rounding = 0.0")
    assert check(kept).good
    edit(folder, '"seconds": 4.0', '"seconds": 4.000000000000001', file.name)
    assert not check(kept).good


def test_a_claim_that_still_holds_shows_how_its_numbers_have_moved(kept):
    file = baselines.file_of(kept / "baselines" / "suite", "rounds")
    plain = json.loads(file.read_text())
    for factor, lines, outcome in ((1 + 1e-14, [], "kept"), (1.5, [RECORDED], "updated")):
        changed = json.loads(json.dumps(plain))
        for run in changed["runs"]:
            run["measured"] *= factor if run["method"] == "synchronous-nigt" else 1
        written(file, json.dumps(changed))
        held = found(check(kept))["rounds"]
        assert held.good
        assert held.lines[1:] == lines
        assert found(check(kept, update=True))["rounds"].outcome == outcome


RECORDED = "baseline: 3 times, at least 3"


# Learning curves


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learnt")
    written(folder / "small.toml", SCENARIO)
    written(folder / "suite.toml", SUITE)
    assert check(folder, only=["curve"], update=True).good
    return folder


def test_a_curve_holds_up_to_its_tolerance_and_no_further(learnt):
    file = baselines.file_of(learnt / "baselines" / "suite", "curve")
    text = file.read_text()
    plain = json.loads(text)
    point, metric = plain["runs"][1]["points"][5], plain["asked"]["metric"]
    for off, good in ((1 + 0.9e-6, True), (1 + 1.1e-6, False), (1.5, False)):
        changed = json.loads(text)
        changed["runs"][1]["points"][5][metric] *= off
        written(file, json.dumps(changed))
        checked = check(learnt, only=["curve"])
        assert checked.good is good
    (line,) = checked.findings[0].lines
    assert line.startswith(
        f"rennala-nigt, seed 1: {metric} at step 5 (10 s) is {point[metric]:.6g}, "
        f"baseline {1.5 * point[metric]:.6g} (-33.3%; allowed ±1e-06)"
    )
    headline = checked.findings[0].headline
    assert headline == f"rennala-nigt {metric} up to 33% lower, first at step 5"
    written(file, text.replace('"seconds": 10.0', '"seconds": 9.5'))
    (finding,) = check(learnt, only=["curve"]).findings
    assert "was measured at step 5 (10 s), baseline step 5 (9.5 s)" in finding.lines[0]


# Claims: closed forms


def record(method, seed, measured, reached=True):
    return {"method": method, "seed": seed, "measured": measured, "reached": reached}


def test_ratios_are_taken_within_a_seed_and_a_missed_goal_makes_none_larger():
    mine = [record("a", 0, 2.0), record("a", 1, 5.0, reached=False), record("a", 2, 4.0)]
    theirs = [record("b", 0, 6.0), record("b", 1, 9.0), record("b", 2, 100.0, reached=False)]
    assert claims.ratios([*mine, *theirs], "a", "b") == [3.0, 0.0, 25.0]


@pytest.mark.parametrize("many", [5, 12, 30])
@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_the_sign_tests_bound_is_the_order_statistic_of_the_binomial(many, confidence):
    from scipy.stats import binom

    if 0.5**many > 1 - confidence:
        return
    values = list(np.random.default_rng(many).permutation(np.arange(1.0, many + 1)))
    rank = bounds.lower_bound(values, "sign", confidence) - 1  # so many values lie below
    assert binom.cdf(rank, many, 0.5) <= 1 - confidence < binom.cdf(rank + 1, many, 0.5)


def test_the_paired_t_bound_is_scipys_of_the_logarithms():
    from scipy.stats import ttest_1samp

    ratios = [5.0, 7.0, 6.0, 8.5]
    test = ttest_1samp(np.log(ratios), 0.0, alternative="greater")
    low = math.exp(test.confidence_interval(0.95).low)
    assert bounds.lower_bound(ratios, "paired-t", 0.95) == pytest.approx(low, rel=1e-12)
    assert bounds.lower_bound([5.0, 0.0], "paired-t", 0.95) == 0.0


PREDICTED = [
    ("rennala-nigt", "synchronous-nigt", "time-to-steps", 7),
    ("malenia-nigt", "synchronous-nigt", "time-to-steps", 9),
    ("rennala-nigt", "afedpg", "time-to-gradients", 1001),
    ("afedpg", "synchronous-nigt", "time-to-gradients", 999),
    ("rennala-nigt", "synchronous-nigt", "time-to-gradients", 333),
]


@pytest.mark.parametrize(("of", "over", "measure", "count"), PREDICTED)
@pytest.mark.parametrize("upload", ["0", "[1,2,3,4,5,6,7,8,9,10]"])
def test_predictions_agree_with_the_schedule(folder, of, over, measure, count, upload):
    text = (
        f'kind = "claim"\nwhy = "theory"\nscenario = "sqrt-workers"\nof = "{of}"\nover = "{over}"\n'
        f'measure = "{measure}"\ncount = {count}\nat_least = "predicted"\nseeds = [0]\n'
        f'set = {{ "network.upload" = {upload} }}\n'
    )
    written(folder / "suite.toml", f"[benchmarks.b]\n{text}")
    benchmark = suite_file.read(folder / "suite.toml").benchmarks["b"]
    measured = {}
    for task in runs.tasks_of(benchmark):
        simulate(task.scenario(), lambda run: measured.update({run.method: run.accounts.time}))
    for label in (of, over):
        report = predicted.seconds(benchmark.scenario, label, benchmark.table)
        assert measured[label] == pytest.approx(report, rel=1e-12)
    assert predicted.predicted(benchmark) == pytest.approx(measured[over] / measured[of])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('"cluster.compute" = { law = "exponential", mean = 1 }', "cluster.compute is random"),
        ('"cluster.in_flight" = "finish"', "cluster.in_flight is 'finish'"),
        ('"network.collective" = "gather"', "network.collective is not 'max'"),
        ('"network.download" = 1', "downloads take time"),
        ('"cluster.outages" = [{ worker = 0, end = 5 }]', "there are outages"),
        ('"methods.rennala-nigt.initial_batch" = 3', "no closed form knows the schedule"),
    ],
)
def test_predictions_are_refused_if_the_closed_forms_do_not_hold(folder, settings, message):
    edit(folder, "at_least = 2", f'at_least = "predicted"\nset = {{ {settings} }}')
    with pytest.raises(Mistake, match=r"benchmarks.rounds: at_least = 'predicted': .*") as refused:
        check(folder, update=True)
    assert message in str(refused.value)


# Baselines: missing, of something else, of others


def one_line(answer: Answer):
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("\n") == 1
    return answer.err


def test_a_missing_baseline_is_misuse_and_a_claim_needs_none(folder):
    suite = folder / "suite.toml"
    report = one_line(straggle("check", suite, "--only", "schedule", "--quiet"))
    assert f"benchmarks.schedule: has no baseline in {folder / 'baselines' / 'suite'}" in report
    assert report.endswith("suite.toml --update writes it\n")
    assert straggle("check", suite, "--only", "rounds", "--quiet") == Answer(0, "", "")


def test_a_changed_scenario_is_an_error_with_its_keys_beside_its_differences(kept):
    edit(kept, "count = 10", "count = 11")
    edit(kept, "batch = 2", "batch = 4", "small.toml")
    junit, markdown = kept / "j.xml", kept / "m.md"
    files = ["--junit", junit, "--markdown", markdown, "--json", "--quiet"]
    answer = straggle("check", kept / "suite.toml", "--only", "schedule", *files)
    report = "has changed since its baseline"
    assert answer.code == 2
    assert answer.err.startswith(f"straggle: benchmarks.schedule: {report}, ")
    assert answer.err.endswith("methods.rennala-nigt.batch is 4, was 2; --update accepts that\n")
    (finding,) = json.loads(answer.out)["benchmarks"]
    assert finding["outcome"] == "stale"
    # In 3 s the workers finish 3, 1 and 0 gradients, in 2 s one less.
    assert finding["headline"] == "rennala-nigt 50% later, first at step 1"
    for text in (markdown.read_text(encoding="utf-8"), junit.read_text(encoding="utf-8")):
        assert report in text
        assert "50% later" in text
    assert [error.get("type") for error in ElementTree.parse(junit).iter("error")] == ["stale"]
    changed = found(check(kept))
    assert changed["rounds"].lines[0].count("count is 11, was 10; ") == 1
    updated = found(check(kept, update=True))
    assert updated["schedule"].outcome == "updated"
    assert updated["schedule"].lines == ["methods.rennala-nigt.batch is 4, was 2", LATER]
    assert check(kept, only=["schedule"]).good


LATER = (
    "rennala-nigt, seed 0: step 1 closed at 3 s, baseline 2 s (+1 s), "
    "step 1 used gradients of workers 0 0-1 0, baseline 0 0, "
    "step 1 weighed them 4*0.25, baseline 2*0.5; 11 later steps moved, too; "
    "ended at 36 s (stop), baseline at 24 s (stop); "
    "worker 0: started 36, baseline 24, used 36, baseline 24 and 1 more worker"
)


def test_one_stale_baseline_does_not_stop_the_suite_and_its_claim_is_judged(kept):
    slower = '"cluster.compute" = [1, 2, 5]'
    edit(kept, "at_least = 2", f"at_least = 2\nset = {{ {slower} }}")
    file = baselines.file_of(kept / "baselines" / "suite", "schedule")
    written(file, file.read_text().replace('"seconds": 4.0', '"seconds": 3.5'))
    baselines.file_of(file.parent, "equal").unlink()
    checked = check(kept)
    outcomes = {name: finding.outcome for name, finding in found(checked).items()}
    assert outcomes == {"schedule": "moved", "equal": "missing", "rounds": "stale"}
    assert checked.code == 2
    error, judged, before = found(checked)["rounds"].lines
    assert "compute.seconds is [1.0, 2.0, 5.0], was [1.0, 2.0, 4.0]; --update accepts" in error
    assert "synchronous-nigt needs 2.5 times that of rennala-nigt" in judged
    assert before == "baseline: 2 times, at least 2"
    headlines = report.headlines(checked)
    assert headlines == [
        "schedule moved: rennala-nigt with other times up to the same end, first at step 2; "
        "asynchronous-pg with other times up to the same end, first at step 5",
        "equal missing",
        "rounds stale: synchronous-nigt needs 2.5 times that of rennala-nigt: 25% more than before",
    ]
    edit(kept, slower, '"cluster.compute" = [1, 2, 3]')
    broken = found(check(kept))["rounds"]
    assert broken.outcome == "fails"
    assert broken.headline.endswith(
        "1.5 times that of rennala-nigt: 25% less than claimed, 25% less than before"
    )


# Headlines


def rows(*seconds, gradients="0"):
    return [
        {"step": at, "seconds": each, "gradients": gradients, "weights": "1.0"}
        for at, each in enumerate(seconds, 1)
    ]


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        (rows(1.0, 2.0, 4.52), rows(1.0, 2.0, 4.0), "a 13% later, first at step 3"),
        (rows(1.0, 1.5), rows(1.0, 2.0, 3.0), "a 25% sooner, first at step 2"),
        (
            rows(1.0, gradients="1"),
            rows(1.0),
            "a with other gradients at the same times, first at step 1",
        ),
        (rows(1.0, 2.0), rows(1.0), "a closed 2 steps instead of 1"),
        (rows(1.0), rows(1.0), ""),
    ],
)
def test_a_headline_compares_the_last_step_that_both_have(kept, new, old, words):
    benchmark = suite_file.read(kept / "suite.toml").benchmarks["schedule"]
    end = {"method": "a", "seed": 0, "end": "stop", "seconds": 1.0, "workers": []}
    pair = ([{**end, "steps": steps}] for steps in (new, old))
    assert headlines_of(benchmark, *pair) == words


# History


def test_the_history_of_a_benchmark_is_read_from_git(kept):
    outside = one_line(straggle("check", kept / "suite.toml", "--history"))
    assert "not a git repository" in outside
    commit(kept, "Write the baselines")
    edit(kept, "batch = 2", "batch = 4", "small.toml")
    assert check(kept, only=["schedule"], update=True).good
    commit(kept, "Take a batch of four")
    file = baselines.file_of(kept / "baselines" / "suite", "schedule")
    file.write_text(file.read_text() + "\n")
    commit(kept, "Change no number")
    edit(kept, "batch = 4", "batch = 2", "small.toml")
    assert check(kept, only=["schedule"], update=True).good
    points = simulator.check_history(kept / "suite.toml", only="schedule")
    rounds = points[points["number"] == "rennala-nigt: seconds of step 12"]
    assert rounds["value"].tolist() == [24.0, 36.0, 24.0]
    subjects = ["Write the baselines", "Take a batch of four", "not committed"]
    assert rounds["subject"].tolist() == subjects
    shown = straggle("check", kept / "suite.toml", "--history", "--only", "rounds,schedule")
    assert shown.code == 0
    (line,) = [line for line in shown.out.splitlines() if "+50%" in line]
    assert " 36 " in line
    assert line.count("█") == 20
    assert "+50%" in line
    assert "synchronous-nigt / rennala-nigt" in shown.out
    # A number that never changed has no bar.
    assert "█" not in straggle("check", kept / "suite.toml", "--history", "--only", "rounds").out
    misuse = straggle("check", kept / "suite.toml", "--history", "--update")
    assert "--update, with --history: nothing is run" in one_line(misuse)
    misuse = straggle("check", kept / "suite.toml", "--figures", "png")
    assert "--figures png: is for the figures of --history; add that" in one_line(misuse)


def test_the_history_is_drawn_where_a_number_has_changed(tmp_path):
    numbers = {"rounds": [24.0, 36.0, 36.0], "kept": [1.0]}
    points = [
        Point(benchmark, f"afedpg: {benchmark}", f"abcde{at}", "2026-11-29", "subject", value)
        for benchmark, values in numbers.items()
        for at, value in enumerate(values)
    ]
    (file,) = draw(points, tmp_path / "figures", ["svg"])
    assert file == tmp_path / "figures" / "rounds.svg"
    for text in ("afedpg: rounds", "+50%", "abcde2", "2026-11-29"):
        assert text in file.read_text()


def commit(folder, subject):
    name = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "."], [*name, "commit", "--quiet", "-m", subject]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 0}', {"seconds": "x"}, None])
def test_a_baseline_that_cannot_be_read_is_said_so(text, kept):
    file = baselines.file_of(kept / "baselines" / "suite", "schedule")
    report, only = "is no baseline", ("--only", "schedule", "--quiet")
    if not isinstance(text, str):
        broken = json.loads(file.read_text())
        steps = broken["runs"][0]["steps"]
        steps[0] = {**steps[0], **text} if text else text
        text, report = json.dumps(broken), "benchmarks.schedule: is no baseline: its record of "
    written(file, text)
    assert report in one_line(straggle("check", kept / "suite.toml", *only))
    assert found(check(kept, update=True))["schedule"].outcome == "new"
    assert check(kept, only=["schedule"]).good


def test_another_version_of_a_package_is_said_and_compared_all_the_same(kept):
    file = baselines.file_of(kept / "baselines" / "suite", "schedule")
    plain = json.loads(file.read_text())
    plain["versions"]["numpy"] = "1.0"
    written(file, json.dumps(plain))
    checked = check(kept)
    assert checked.good
    (note,) = checked.notes
    assert note == f"numpy {np.__version__} here, 1.0 in the baseline of schedule"


def test_a_baseline_of_no_benchmark_is_said_and_removed_by_an_update(folder):
    edit(folder, SUITE[SUITE.index("[benchmarks.curve]") : SUITE.index("[benchmarks.rounds]")], "")
    check(folder, only=None, update=True)
    stray = written(folder / "baselines" / "suite" / "old.json", "{}")
    assert check(folder, only=None).notes == [
        f"{stray} belongs to no benchmark of the suite; --update removes it"
    ]
    assert check(folder, update=True).notes == []  # it may belong to what was not asked for
    assert stray.is_file()
    check(folder, only=None, update=True)
    assert not stray.exists()


# The command


def test_a_regression_is_exit_code_1_in_every_form(kept):
    suite, file = kept / "suite.toml", baselines.file_of(kept / "baselines" / "suite", "schedule")
    only = ("--only", ",".join(SCHEDULES))
    assert straggle("check", suite, *only).code == 0
    written(file, file.read_text().replace('"seconds": 4.0', '"seconds": 3.5'))
    moved = "step 2 closed at 4 s, baseline 3.5 s (+0.5 s)"

    shown = straggle("check", suite, *only)
    assert shown.code == 1
    assert shown.out.startswith("Small: 2 of 3 benchmarks hold")
    assert "schedules are what they were" in shown.out

    asked = ("--junit", kept / "junit.xml", "--markdown", kept / "summary.md", "--json")
    report = json.loads(straggle("check", suite, *only, *asked).out)
    assert not report["good"]
    (bad,) = [each for each in report["benchmarks"] if not each["good"]]
    assert bad["benchmark"] == "schedule"
    assert bad["lines"][0].startswith(f"rennala-nigt, seed 0: {moved}")
    assert bad["since"].startswith(f"{file} (straggle ")

    suites = ElementTree.parse(kept / "junit.xml").getroot()
    assert (suites.get("tests"), suites.get("failures")) == ("3", "1")
    (failure,) = suites.iter("failure")
    assert failure.get("message").startswith("rennala-nigt with other times")
    assert moved in failure.text

    summary = (kept / "summary.md").read_text()
    assert summary.startswith("### Small: 2 of 3 benchmarks hold\n")
    assert summary.index("`schedule`") < summary.index("`equal`")  # what does not hold comes first
    assert straggle("check", suite, *only, "--markdown", "-").out == summary


def test_misuse_of_the_command_is_one_line(kept):
    suite = kept / "suite.toml"
    assert "did you mean 'schedule'" in one_line(straggle("check", suite, "--only", "shedule"))
    assert "choose" not in one_line(straggle("check", "nowhere.toml"))
    assert "--markdown -: prints" in one_line(straggle("check", suite, "--markdown", "-", "--json"))
    nowhere = kept / "no" / "folder" / "junit.xml"
    report = straggle("check", suite, "--only", "equal", "--junit", nowhere, "--quiet")
    assert (report.code, report.err.count("\n")) == (2, 1)
    assert "--sweep and --suite: choose one" in one_line(straggle("schema", "--sweep", "--suite"))


def test_an_interruption_is_exit_code_130_wherever_it_comes(kept):
    only = ("--only", ",".join(SCHEDULES))
    words = ["check", kept / "suite.toml", "--jobs", "1", "--quiet", *only]
    checking = start_sending(signal.SIGINT, "simulator.engine:Simulation.step", words)
    assert ended(checking, 130) == "straggle: interrupted; no baseline was written\n"


def test_exact_benchmarks_are_checked_without_jax(kept):
    modules, printed = loaded_by(
        "import sys\n"
        "from simulator.cli import main\n"
        f"sys.argv = {['straggle', 'check', str(kept / 'suite.toml'), '--jobs', '1']}\n"
        f"sys.argv += {['--only', ','.join(SCHEDULES), '--markdown', '-']}\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code"
    )
    assert "3 of 3 benchmarks hold" in printed
    assert not {"jax", "pandas", "matplotlib", "scipy"} & set(modules)


# In little


def test_a_step_in_shorthand_tells_workers_ages_and_weights_in_their_order():
    from algorithms.tickets import Ticket

    tickets = [Ticket(w, 5, 0) for w in (0, 1, 2, 4)] + [Ticket(w, 3, 0) for w in (5, 6)]
    step = Step(5, 1.0, tickets, [0.25] * 4 + [0.1, 0.1], 6, None)
    assert shorthand.gradients(step) == "0-2 4 5-6@2"
    assert shorthand.weights(step) == "4*0.25 2*0.1"


# The shipped suite


def test_the_shipped_suite_covers_all_methods_and_has_its_baselines():
    suite = suite_file.read("stragglers")
    assert len(suite.benchmarks) >= 12
    kinds = [benchmark.table.kind for benchmark in suite.benchmarks.values()]
    assert min(kinds.count(kind) for kind in ("exact", "tolerance", "claim")) >= 4
    methods = {
        table.method for b in suite.benchmarks.values() for table in b.scenario.methods.values()
    }
    assert methods == METHODS.keys()
    directory = suite.path.parent / "baselines" / suite.name
    assert {path.stem for path in directory.iterdir()} == suite.benchmarks.keys()
    for name, benchmark in suite.benchmarks.items():
        baseline = baselines.read(directory, name)
        assert not baselines.changes(baselines.of(benchmark, [], ""), baseline)
        assert baseline.command == f"straggle check stragglers --update --only {name}"
