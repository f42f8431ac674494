"""Does a report show what happened, let a reader explore it, and run no script but its own?"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import browser
from test_cli import one_line, straggle, written

from simulator import Mistake, compare, complexity, load_results, report, run, sweep
from simulator.engine import Sinks
from simulator.reports import markup, timeline
from simulator.reports.packing import TICKS, packed
from simulator.schedule import Computation
from simulator.trace.tracks import layers_of, rerun

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
TOML = f"""
title = "{HOSTILE}"
seeds = [0, 1]
objective = {{ kind = "quadratic", dimension = 5 }}
stop = {{ seconds = 40, target = 0.2 }}
methods.rennala-nigt = {{ batch = 4, step = 0.1, momentum = 0.1 }}
methods.asynchronous-pg = {{ step = 0.02 }}
[cluster]
workers = 4
compute = {{ law = "exponential", mean = [1.0, 1.5, 2.0, 4.0] }}
outages = [{{ worker = 3, begin = 5.0, end = 9.0 }}]
[network]
upload = 0.3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run, a sweep, a study and a comparison, made with their reports."""
    place = tmp_path_factory.mktemp("reports")
    scenario = written(place / "mine.toml", TOML)
    words = ["--report", "--json", "--figures", "none", "--jobs", "1"]
    ran = straggle("run", scenario, "--out", place / "run", *words)
    assert json.loads(ran.out)["report"] == str(place / "run" / "report.html")
    short, once = ["stop={steps=9, target=0.5}", "seeds=[0]"], {"jobs": 1, "quiet": True}
    vary = "cluster.compute=1,2"
    complexity(scenario, vary, *short, out=place / "study", **once)
    grid = {"methods.*.step": [0.01, 0.1]}
    tables = {"scenario": str(scenario), "grid": grid, "set": {"seeds": [0], "stop.seconds": 9}}
    sweep({**tables, "title": HOSTILE}, out=place / "sweep", **once)
    compare(scenario, *short, tune=grid, seeds=[1, 2], out=place / "comparison", **once)
    for kind in ("study", "sweep", "comparison"):
        assert straggle("report", place / kind).code == 0
    return place


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


def opened(chromium, file, **options):
    """A page that is drawn, and the list of its errors."""
    page, errors = chromium.new_page(viewport={"width": 1200, "height": 900}, **options), []
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.evaluate("document.body.ready")
    page.set_default_timeout(5000)
    return page, errors


@pytest.fixture(scope="module")
def page(chromium, folder):
    page, errors = opened(chromium, folder / "run" / "report.html")
    yield page
    assert not errors


def until(page, condition):
    """Wait for a condition; the page itself allows no script of ours to wait inside it."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    pytest.fail(f"never: {condition}", False)


STATE = "document.querySelector('[data-kind=timeline]').timeline.state"


def view(page):
    return page.evaluate(f"({{...{STATE}.view}})")


@pytest.mark.parametrize("kind", ["run", "sweep", "study", "comparison"])
def test_every_kind_of_results_has_a_page_without_errors(kind, chromium, folder):
    page, errors = opened(chromium, folder / kind / "report.html", color_scheme="dark")
    drawn = page.locator(".widget").count()
    assert page.locator(".widget svg, .widget canvas.lanes").count() >= drawn > 0
    assert page.locator("table").count() >= 2
    command = page.get_by_label("Command").inner_text()
    assert command.removeprefix("Copy").strip().startswith(("straggle", "simulator"))
    assert "[methods.rennala-nigt]" in page.get_by_label("Scenario").inner_text()
    page.set_viewport_size({"width": 400, "height": 800})
    # Paper is white, has the charts, and nothing to press; also from a dark window.
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("[isDark(), styled('--paper')]") == [False, "#FFFFFF"]
    page.emulate_media(media="print", color_scheme="dark")
    charts = page.locator(".widget svg[role=img], canvas.lanes").filter(visible=True)
    assert charts.count() >= drawn
    idle = "nav, .copy, .minimap, .screen, .tooltip, button:not([aria-pressed=true])"
    assert page.locator(idle).filter(visible=True).count() == 0
    page.close()
    assert not errors


def test_a_title_is_text_and_never_runs(page):
    assert page.locator("h1").inner_text() == HOSTILE
    assert page.title() == HOSTILE
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    # A script that got into the page would not run, and nothing is fetched.
    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy
    assert markup.data({"title": HOSTILE}).count("<") == 0


def test_the_page_holds_the_track_of_every_worker(page, folder):
    results = load_results(folder / "run")
    again = rerun(results, "rennala-nigt", 0)
    records = {worker: [] for worker in range(4)}

    def keep(record):
        worker = record.ticket.worker if isinstance(record, Computation) else record.worker
        if worker in records:
            records[worker].append(record)

    steps = [step.time for step in again.steps(Sinks(keep, keep))]
    slices = [
        each
        for own in records.values()
        for each in again.track(layers_of(own))
        if each.record is not None
    ]
    names = page.evaluate(f"{STATE}.content.kinds.map((kind) => kind.name)")
    assert page.evaluate(f"{STATE}.content.workers") == ["server", "0", "1", "2", "3"]
    lanes = page.evaluate(
        f"""Object.fromEntries(["start", "finish", "kind", "version", "step"]
        .map((name) => [name, [...{STATE}.lanes[name].slice({STATE}.lanes.first[1])]]))"""
    )
    lanes["steps"] = page.evaluate(f"[...{STATE}.lanes.steps]")
    tick = again.end / TICKS
    for name in ("start", "finish"):
        np.testing.assert_allclose(lanes[name], [getattr(s, name) for s in slices], atol=tick)
    np.testing.assert_allclose(lanes["steps"], steps, atol=tick)
    outcomes = [getattr(each.record, "outcome", each.kind) for each in slices]
    assert [names[kind] for kind in lanes["kind"]] == outcomes
    assert {"used", "recalled", "sending", "down"} <= set(outcomes)
    assert lanes["step"] == [getattr(each.record, "step", None) or 0 for each in slices]


def test_pointing_names_the_ticket_its_version_its_fate_and_its_step(page, folder):
    tickets = load_results(folder / "run").tickets
    own = tickets[(tickets.method == "rennala-nigt") & (tickets.seed == 0) & (tickets.worker == 1)]
    first = own[own.outcome == "used"].iloc[0]
    middle = (first.start + first.finish) / 2
    x, y = page.evaluate(
        f"""(time) => [GUTTER + time / {STATE}.lanes.end * {STATE}.size.width,
        STEPS + 2.5 / 5 * {STATE}.size.height]""",
        middle,
    )
    page.locator("canvas.lanes").hover(position={"x": x, "y": y})
    note = page.locator("[data-kind=timeline] .tooltip").inner_text()
    name = f"ticket 1.{first.version}.{first['index']}, used"
    assert note.splitlines()[:2] == [name, f"worker 1, version {first.version}"]
    assert f"in server step {first.used_in_step}, delay" in note


def test_keys_and_the_wheel_move_the_timeline(page):
    lanes, whole = page.locator("canvas.lanes"), view(page)
    picture = lanes.screenshot()
    lanes.focus()
    page.keyboard.press("+")
    near = view(page)
    assert near["until"] - near["from"] == pytest.approx(0.6 * (whole["until"] - whole["from"]))
    page.keyboard.press("ArrowRight")
    assert view(page)["from"] > near["from"]
    assert lanes.screenshot() != picture
    page.keyboard.press("Enter")  # selects a computation, which is read aloud
    page.keyboard.press("ArrowDown")
    assert "worker" in page.locator("[data-kind=timeline] .tooltip").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("Home")
    assert view(page) == whole
    page.keyboard.down("Control")
    lanes.hover(position={"x": 600, "y": 40})
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    until(page, f"{STATE}.view.from > 0")
    page.keyboard.press("Home")


def test_fates_can_be_left_out_and_runs_switched(page):
    shown = "() => new Set(new Uint32Array(%s.image.data.buffer)).has(%s.paint.looks[0].plain)"
    shown = shown.replace("%s", STATE)
    drawn = "() => document.querySelector('[data-kind=timeline]').timeline.paint()"
    assert page.evaluate(shown)
    pressed = page.get_by_role("group", name="Fates").get_by_role("button", pressed=True)
    assert pressed.count() == page.evaluate(f"{STATE}.content.kinds.length")
    fate = page.get_by_role("group", name="Fates").get_by_role("button").first
    fate.click()
    page.evaluate(drawn)
    assert not page.evaluate(shown)
    fate.click()
    page.locator("#timeline select").select_option("asynchronous-pg, seed 1")
    until(page, f"{STATE}.name === 'asynchronous-pg, seed 1'")


def test_curves_switch_axes_methods_and_seeds(page):
    chart = page.locator("#curves")
    names, lines = chart.locator("text.name"), chart.locator("path[fill=none]")
    assert names.all_text_contents() == ["simulated time (s)", "optimality gap"]
    chart.locator("select").nth(1).select_option("gradients used")
    until(page, "document.querySelector('#curves text.name').textContent[0] === 'g'")
    assert lines.count() == 2
    band = chart.locator("path[fill-opacity]")
    assert band.count() == 2
    chart.get_by_role("button", name="asynchronous-pg").click()
    chart.get_by_role("button", name="1", exact=True).click()
    until(page, "document.querySelectorAll('#curves path').length === 1")
    chart.locator("svg[role=img]").focus()
    page.keyboard.press("ArrowRight")
    note = chart.locator(".tooltip").inner_text().splitlines()
    assert note[0].startswith("gradients used: ")
    assert note[1].startswith("rennala-nigt: ")


# From Python


def test_a_notebook_shows_the_page_and_a_path_saves_it(tmp_path):
    tables = {"cluster": {"workers": 2, "compute": 1}, "stop": {"steps": 3}, "title": HOSTILE}
    methods = {"afedpg": {"step": 0.1, "momentum": 0.1}}
    found = run({**tables, "objective": {"kind": "quadratic"}, "methods": methods}, quiet=True)
    page = found.report()
    frame = page._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts"')
    assert frame.count("<") == 2  # the page is an attribute
    assert page.save(tmp_path / "it.html").read_text("utf-8") == page.html


def test_a_run_without_a_step_has_a_page(chromium, tmp_path):
    tables = {"cluster": {"workers": 2, "compute": 1}, "objective": {"kind": "quadratic"}}
    tables |= {"methods": {"synchronous-pg": {"step": 0.1}}, "stop": {"seconds": 0.5}}
    page = run(tables, quiet=True).report()
    view, errors = opened(chromium, page.save(tmp_path / "none.html"))
    assert "0 server steps" in view.locator("#timeline").inner_text()
    view.close()
    assert not errors


def test_the_page_of_an_interrupted_run_says_how_to_finish_it(folder):
    whole = load_results(folder / "run")
    assert "runs have ended" not in whole.report().html
    cut = {**whole.manifest, "status": "interrupted", "runs": whole.manifest["runs"][:3]}
    text = replace(whole, manifest=cut).report().html
    assert f"interrupted: 3 of 4 runs have ended; straggle run --resume {whole.directory}" in text


def test_the_largest_timeline_is_small():
    rng = np.random.default_rng(0)
    count = timeline.MOST
    columns = {
        "start": np.sort(rng.random(count)),
        "kind": rng.choice(np.array([0, 1], object), count),
        "version": rng.integers(0, count, count),
        "index": np.zeros(count, int),
    }
    columns["finish"] = np.append(columns["start"][1:], 1.0)
    columns["step"] = columns["version"] + rng.integers(0, 100, count)
    track = timeline.Track("", [count], columns, columns["start"].tolist(), 1.0, 1.0)
    data = timeline._packed(track, [0, 1])["columns"]["data"]
    assert len(data) < 2.4e6
    random = {"x": rng.random(9).astype(np.float32)}
    assert packed(random)["fields"] == [["x", "f4", 9]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nothing", "report: nothing: is no directory; name one with results"),
        (".", "report: .: holds no results; straggle show lists those that exist"),
        ("a b --out c.html", "--out c.html: is for one directory; there are 2"),
    ],
)
def test_impossible_reports_are_refused_in_one_line(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert one_line(straggle("report", *words.split())).startswith(message)


def test_a_directory_without_its_manifest_is_refused(folder, tmp_path):
    (tmp_path / "complexity.parquet").write_bytes(
        (folder / "study/complexity.parquet").read_bytes()
    )
    with pytest.raises(Mistake, match="repeat the command of the study"):
        report(tmp_path)
    assert report(Path(folder / "study")).kind == "study"
