"""How large is a report, and how fast is its timeline?  In a browser without a GPU.

A thousand workers with a hundred thousand computations: the page is opened, and the timeline is
painted from the whole run down to a hundredth of it.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from browser import browser

from benchmarks.row import Aim, Row
from benchmarks.stopwatch import Stopwatch, timed
from simulator import run

COMPUTATIONS, FRAMES = 100_000, 40
WHAT = "report, 1,000 workers, 100,000 used gradients"
PAINT = """(frames) => {
  const { state, paint } = document.querySelector("[data-kind=timeline]").timeline;
  const seconds = [];
  for (let frame = 0; frame < frames; frame++) {
    whole(state);
    zoom(state.view, 100 ** (-frame / frames), 0.5);
    const begin = performance.now();
    paint();
    state.image.data[0];
    seconds.push((performance.now() - begin) / 1000);
  }
  return [state.lanes.size, seconds];
}"""


def reports(watch: Stopwatch) -> Iterator[Row]:
    """The size of a page with a large timeline, the making of it, and its frames."""
    computations = watch.work(COMPUTATIONS)
    cluster = 'cluster.compute={law="exponential", mean={law="power", exponent=0.3}}'
    short = "cluster.workers=1000", f"stop={{gradients={computations}}}"
    only = {"methods": "afedpg", "seeds": 0, "schedule_only": True, "quiet": True}
    watch.heard("simulating")
    results = run("straggler", cluster, *short, **only)
    with TemporaryDirectory() as folder, browser() as chromium:
        file = Path(folder) / "report.html"
        watch.heard("writing the report")
        seconds = timed(lambda: results.report().save(file))
        yield Row(f"{WHAT}: its size", file.stat().st_size / 1e6, "MB", Aim("≤", 3))
        yield Row(f"{WHAT}: to make it", seconds, "s")
        watch.heard("painting")
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.goto(file.as_uri())
        page.evaluate("document.body.ready")
        size, frames = page.evaluate(PAINT, FRAMES)
        assert size >= computations
        detail = f"slowest of {FRAMES}: {1000 * max(frames):.0f} ms; {size:,} slices"
        yield Row(f"{WHAT}: a frame", 1e6 * median(frames), "µs", Aim("≤", 16_700), detail)
