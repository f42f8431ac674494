"""Does a computation end when the integral of its worker's speed says so?

Against exact fractions, where every number is dyadic and ties are common; against closed forms;
against the definition (the integral, and the first time at which it is reached) for every law;
and one worker at a time against all at once, to the last bit.
"""

import ast
import bisect
import subprocess
import sys
import tracemalloc
from fractions import Fraction
from functools import partial
from math import exp, inf, log, nan, sqrt
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator
from simulator.cluster.random_words import keys, uniforms, words
from simulator.cluster.speeds import SPEEDS, Drift, Periodic, RandomWalk, Timetable, Trace, walk
from simulator.cluster.speeds.pieces import bisect_all

HEAD = "worker,time,speed\n"
TRACE = HEAD + "0,0,1\n1,2,0.3\n0,4.5,0\n1,7.1,1.9\n0,9,2\n"
WORKERS = 3


def examples(many):
    return settings(derandomize=True, database=None, deadline=None, max_examples=many)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a file and go to where it lies, so that messages name it without its directory."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="speeds.csv"):
        path = tmp_path / name
        path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text, "utf-8")
        return name

    return write


@pytest.fixture(params=["table", "own", "periodic", "drift", "random-walk", "trace", "repeated"])
def pace(request, written):
    """Speeds of three workers for every law, none of whose numbers is round."""
    rows = [[0.3, 0.0, 1.7, 0.6], [0.0, 1.1, 1.1, 0.0], [2.3, 0.1, 0.0, 0.7]]
    times = [0.0, 1.3, 4.9, 11.1]
    speed = {
        "table": lambda: Timetable(times, rows[0]),
        "own": lambda: Timetable(times, rows),
        "periodic": lambda: Periodic(13.7, times, rows[0], shift=[0.1, -3.3, 99.9], spread=True),
        "drift": lambda: Drift(start=[1.0, 0.0, 0.4], end=[0.2, 1.9, 0.4], seconds=20.3),
        "random-walk": lambda: RandomWalk(every=0.7, sigma=0.8, low=0.3, high=2.0),
        "trace": lambda: Trace(written(TRACE)),
        "repeated": lambda: Trace(written(TRACE), period=11.3),
    }
    return speed[request.param]().pace(WORKERS, seed=5)


# The definition, with exact numbers.


class Exact:
    """A worker's speeds as fractions, from a list of (time, speed) that reaches far enough."""

    def __init__(self, times, speeds):
        self.times = [Fraction(time) for time in times]
        self.speeds = [Fraction(speed) for speed in speeds]

    def work(self, time):
        ends = [*self.times[1:], None]
        done = Fraction(0)
        for begin, end, speed in zip(self.times, ends, self.speeds, strict=True):
            stop = time if end is None else min(time, end)
            done += speed * max(0, stop - begin)
        return done

    def finish(self, start, seconds):
        """The first time at which the integral from ``start`` on is ``seconds``."""
        ends = [*self.times[1:], None]
        for begin, end, speed in zip(self.times, ends, self.speeds, strict=True):
            begin = max(begin, start)
            if end is not None and end <= begin:
                continue
            if speed and (end is None or speed * (end - begin) >= seconds):
                return begin + seconds / speed
            if end is None:
                return inf
            seconds -= speed * (end - begin)
        raise AssertionError


QUARTERS = st.integers(1, 24).map(lambda quarters: quarters / 4)
DYADIC_SPEEDS = st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 1.0, 2.0, 4.0])


@st.composite
def dyadic_rows(draw):
    gaps = draw(st.lists(QUARTERS, min_size=0, max_size=7))
    times = [0.0, *np.cumsum(gaps).tolist()]
    one = st.lists(DYADIC_SPEEDS, min_size=len(times), max_size=len(times))
    return times, draw(st.lists(one, min_size=1, max_size=3))


def counted(finish, until, seconds=1.0):
    """The times at which one computation after another ends."""
    ends, time = [], finish(0.0, seconds)
    while time <= until:
        ends.append(time)
        assert len(ends) < 10_000, "time stands still"
        time = finish(time, seconds)
    return ends


@given(dyadic_rows(), st.integers(0, 160), st.integers(1, 200))
@examples(300)
def test_a_table_is_exact_for_exact_numbers(table, eighths, quarters):
    times, rows = table
    start, seconds = eighths / 8, quarters / 4
    pace = Timetable(times, rows).pace(len(rows), seed=0)
    for worker, speeds in enumerate(rows):
        exact = Exact(times, speeds)
        end = exact.finish(Fraction(start), Fraction(seconds))
        assert pace.finish(worker, start, seconds) == end
        assert pace.work(worker, start) == exact.work(Fraction(start))
        assert pace.finish(worker, 0.0, seconds) == exact.finish(Fraction(0), Fraction(seconds))


@given(dyadic_rows(), QUARTERS, st.integers(-99, 99), st.integers(0, 160), st.integers(1, 80))
@examples(300)
def test_a_period_is_exact_for_exact_numbers(table, rest, shift, eighths, quarters):
    times, [speeds, *_] = table
    if not any(speeds):
        speeds[0] = 0.5
    period, start, seconds = times[-1] + rest, eighths / 8, quarters / 4
    pace = Periodic(period, times, speeds, shift=shift / 4).pace(1, seed=0)
    a_lap = Exact([*times, period], [*speeds, 0]).work(Fraction(period))
    ahead = Fraction(shift, 4) % Fraction(period)
    laps = int(start / period + seconds / a_lap) + 3
    repeated = [lap * period + time for lap in range(laps) for time in times]
    exact = Exact(repeated, speeds * laps)
    assert pace.finish(0, start, seconds) == exact.finish(ahead + Fraction(start), seconds) - ahead
    assert pace.work(0, start) == exact.work(ahead + Fraction(start)) - exact.work(ahead)


# What must hold for every law.


def test_every_law_is_played_here():
    assert set(SPEEDS) == {"table", "periodic", "drift", "random-walk", "trace"}


STARTS = np.array([0.0, 0.31, 1.3, 4.9, 9.0, 20.3, 57.77, 1234.5, inf])
SECONDS = np.array([0.0, 1e-9, 0.17, 1.0, 1.3, 5.5, 31.7, 4000.1, inf])


def test_one_worker_ends_when_all_do(pace):
    for start in STARTS:
        for turn, seconds in enumerate(SECONDS):
            for starts in (np.full(WORKERS, start), np.roll(STARTS, turn)[:WORKERS]):
                together = pace.finish_all(starts, np.full(WORKERS, seconds))
                alone = [pace.finish(i, float(starts[i]), float(seconds)) for i in range(WORKERS)]
                assert together.tolist() == alone


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=9).map(sorted), min_size=1, max_size=5),
    st.integers(-1, 10),
)
@examples(100)
def test_many_bisections_are_bisections(stretches, wanted):
    first = np.cumsum([0, *map(len, stretches)])
    values = np.array([*sum(stretches, []), nan])  # noqa: RUF017
    everywhere = np.full(len(stretches), float(wanted))
    for before, one in ((np.less, bisect.bisect_left), (np.less_equal, bisect.bisect_right)):
        places = bisect_all(values, everywhere, first[:-1], first[1:], before)
        alone = [one(stretch, wanted) for stretch in stretches]
        assert (places - first[:-1]).tolist() == alone


def test_one_worker_ends_when_all_do_at_random(monkeypatch):
    monkeypatch.setattr(walk, "FIRST_NUMBERS", 1)  # the smallest blocks
    rng = np.random.default_rng(3)
    many = 400
    times = [0.0, *np.cumsum(rng.uniform(0.1, 3, 11)).tolist()]
    rows = np.where(rng.random((many, 12)) < 0.3, 0, rng.uniform(0, 2, (many, 12)))
    log = {"times": times, "speeds": rows.tolist()}
    for speed in (
        Timetable(**log),
        Periodic(times[-1] + 0.7, times, rows[0].tolist(), spread=True),
        Drift(start=rows[:, 0].tolist(), end=rows[:, 1].tolist(), seconds=17.3),
        RandomWalk(every=0.3, sigma=0.5, low=0.1, high=3.0),
    ):
        pace = speed.pace(many, seed=1)
        starts = np.round(rng.uniform(0, 30, many), 1)
        for _ in range(30):
            seconds = rng.choice([1e-15, 0.1, 0.3, 2.0, 17.0], many)
            ends = pace.finish_all(starts, seconds)
            assert (ends >= starts).all()
            alone = [pace.finish(*one) for one in zip(range(many), starts, seconds, strict=True)]
            assert ends.tolist() == alone
            starts = np.where(np.isinf(ends), rng.uniform(0, 30, many), ends)


def test_the_work_until_a_finish_is_the_seconds(pace):
    for worker in range(WORKERS):
        for start in STARTS[:-1]:
            for seconds in SECONDS[1:-1]:
                end = pace.finish(worker, start, seconds)
                done = pace.work(worker, end) - pace.work(worker, start)
                if end < inf:
                    assert done == pytest.approx(seconds, rel=1e-12, abs=1e-12 * (1 + start))
                else:
                    assert done < seconds


def test_a_finish_is_the_first_time(pace):
    for worker in range(WORKERS):
        for start in STARTS[:-1]:
            for seconds in SECONDS[3:-1]:
                end = pace.finish(worker, start, seconds)
                if end < inf:
                    before = end - 1e-6
                    done = pace.work(worker, before) - pace.work(worker, start)
                    # Just before a finish a worker moves, if only as slowly as a speed runs out.
                    assert done < seconds - 1e-10


def test_all_work_there_ever_is(pace):
    for worker in range(WORKERS):
        ever = pace.work(worker, inf)
        assert ever >= pace.work(worker, 1e4)
        if ever < inf:
            assert ever == pytest.approx(pace.work(worker, 1e4), rel=1e-12)
        assert pace.finish(worker, 0.0, ever + 1.0) == inf
        assert (pace.finish(worker, 0.0, 1e4) == inf) == (ever < 1e4)


CONSTANT = {
    "table": Timetable([0.0], [1.0]),
    "table of equal speeds": Timetable([0.0, 10.1, 33.3], [1.0, 1.0, 1.0]),
    "rows": Timetable([0.0, 10.1, 33.3], [[1.0, 1.0, 1.0], [1.0, 0.5, 0.0]]),
    "periodic": Periodic(0.7, [0.0, 0.3], [1.0, 1.0], shift=0.2, spread=True),
    "drift": Drift(start=1.0, end=1.0, seconds=12.3),
    "random-walk": RandomWalk(every=0.7, sigma=0.0, low=0.5, high=2.0),
    "narrow": RandomWalk(every=0.7, sigma=1.0, low=1.0, high=1.0),
    "trace": "worker,time,speed\n0,0.3,1\n0,7.7,1.0\n1,0,0.5\n",
    "trace of others": "worker,time,speed\n1,0,0.5\n",
}


@pytest.mark.parametrize("name", CONSTANT)
def test_a_constant_one_is_no_speed(name, written):
    speed = CONSTANT[name]
    pace = (Trace(written(speed)) if isinstance(speed, str) else speed).pace(2, seed=0)
    rng = np.random.default_rng(0)
    for start, seconds in zip(rng.uniform(0, 99, 500), rng.exponential(9, 500), strict=True):
        assert pace.finish(0, start, seconds) == start + seconds
        assert pace.finish_all(np.full(2, start), np.full(2, seconds))[0] == start + seconds


# Tables.


def test_rounding_costs_no_night():
    pace = Timetable([0.0, 0.3, 1000.0], [1.0, 0.0, 1.0]).pace(1, seed=0)
    assert 0.1 + 0.1 + 0.1 > 0.3
    assert counted(partial(pace.finish, 0), 1000, 0.1) == [0.1, 0.2, 0.3]
    stopped = Timetable([0.0, 0.3], [1.0, 0.0]).pace(1, seed=0)
    assert counted(partial(stopped.finish, 0), 1000, 0.1) == [0.1, 0.2, 0.3]
    slowed = Timetable([0.0, 0.3, 1000.0], [1.0, 0.5, 1.0]).pace(1, seed=0)
    assert counted(partial(slowed.finish, 0), 0.6, 0.1) == pytest.approx([0.1, 0.2, 0.3, 0.5])
    for one in (pace, stopped, slowed):
        assert one.finish_all(np.array([0.2]), np.array([0.1])) == pytest.approx([0.3])
    night = Periodic(1.0, [0.0, 0.2, 0.9], [0.0, 1.0, 0.0], shift=[0.0, 0.5]).pace(2, seed=0)
    for worker, dusk in ((0, 0.9), (1, 0.4)):
        ends = counted(partial(night.finish, worker), 49.95, 0.1)
        assert len(ends) == 350 - worker
        phases = {round((end - dusk) % 1, 6) % 1 for end in ends}
        assert phases == {0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}


# Day and night.


def test_around_the_globe():
    def pace_of(**shifts):
        return Periodic(24.0, [0.0, 8.0], [1.0, 0.25], **shifts).pace(4, seed=0)

    spread, by_hand = pace_of(shift=2.0, spread=True), pace_of(shift=[2.0, 8.0, 14.0, 20.0])
    starts = np.linspace(0, 77, 4)
    ends = spread.finish_all(starts, np.full(4, 9.0))
    assert ends.tolist() == by_hand.finish_all(starts, np.full(4, 9.0)).tolist()
    assert len(set((ends - starts).tolist())) > 1


def test_a_shift_that_rounds_to_a_whole_period():
    pace = Periodic(10.0, [0.0, 4.0], [1.0, 0.0], shift=-1e-20).pace(1, seed=0)
    assert pace.finish(0, 0.0, 4.0) == 4


# Drifts.


@pytest.mark.parametrize("shape", [(1.0, 0.2), (0.0, 3.0), (2.0, 0.0), (0.7, 0.7001)])
def test_a_drift_is_its_integral(shape):
    start, end, seconds, cells = *shape, 7.3, 100_000
    pace = Drift(start=start, end=end, seconds=seconds).pace(1, seed=0)
    for begin, stop in [(0.0, 1.0), (0.0, 7.3), (2.2, 7.0), (6.0, 11.0), (8.0, 9.0)]:
        width = (stop - begin) / cells
        middles = begin + width * (np.arange(cells) + 0.5)
        done = float(np.interp(middles, [0, seconds], shape).sum()) * width
        # The midpoint rule is exact but in the cell with the kink.
        error = abs(end - start) / seconds * width**2 + 1e-11
        assert abs(pace.work(0, stop) - pace.work(0, begin) - done) < error
        assert pace.finish(0, begin, done) == pytest.approx(stop, rel=1e-6) or stop > seconds


def test_a_rise_from_zero_is_a_square_root():
    pace = Drift(start=0.0, end=1.0, seconds=1e6).pace(1, seed=0)
    for work in (1e-12, 1e-3, 1.0, 4e5):
        assert pace.finish(0, 0.0, work) == pytest.approx(sqrt(2e6 * work), rel=1e-15)
    assert pace.work(0, 1e-3) == pytest.approx(0.5e-12, rel=1e-15)


# Random walks.

WALK = RandomWalk(every=2.0, sigma=0.6, low=0.25, high=1.5)


def speeds_of(pace, workers, intervals, every):
    """A row for each worker, from the work in each interval."""
    edges = [[pace.work(i, k * every) for k in range(intervals + 1)] for i in range(workers)]
    return np.diff(np.array(edges), axis=1) / every


def test_a_walk_follows_its_random_words():
    seed, intervals = 11, 2300  # more than a block
    pace = WALK.pace(2, seed)
    for worker, start in enumerate(keys(seed, "cluster.speed", 2)):
        k = np.arange(1, intervals)
        drawn = uniforms(words(np.full(len(k), start), k))
        free, low, high = 0.0, log(WALK.low), log(WALK.high)
        expected = [1.0]
        for uniform in drawn.tolist():
            free += WALK.sigma * NormalDist().inv_cdf(uniform)
            place = free
            while not low <= place <= high:
                place = 2 * low - place if place < low else 2 * high - place
            expected.append(exp(place))
        walked = speeds_of(pace, 2, intervals, WALK.every)[worker]
        np.testing.assert_allclose(walked, expected, rtol=1e-9)
        assert walked.min() < 0.26 < 1.45 < walked.max()


def test_a_walk_does_not_depend_on_earlier_queries(monkeypatch):
    rng = np.random.default_rng(2)
    asked = [(int(i), float(t), float(s)) for i, t, s in rng.uniform(0, [5, 9000, 99], (60, 3))]
    forth, back = WALK.pace(5, seed=3), WALK.pace(5, seed=3)
    ends = [forth.finish(*one) for one in asked]
    assert [back.finish(*one) for one in asked[::-1]] == ends[::-1]
    far = WALK.pace(5, seed=3)
    far.work(4, 1e5)
    assert [far.finish(*one) for one in asked] == ends
    monkeypatch.setattr(walk, "AT_ONCE", 1)  # a worker at a time
    assert [WALK.pace(5, seed=3).finish(*one) for one in asked[:5]] == ends[:5]


def test_the_steps_of_a_walk_are_normal():
    workers, intervals, sigma = 50, 400, 0.1
    free = RandomWalk(every=1.0, sigma=sigma, low=1e-9, high=1e9).pace(workers, seed=4)
    steps = np.diff(np.log(speeds_of(free, workers, intervals, 1.0)), axis=1) / sigma
    error = 1 / sqrt(steps.size)
    assert abs(steps.mean()) < 4 * error
    assert abs(steps.var() - 1) < 4 * sqrt(2) * error
    assert abs((steps**4).mean() - 3) < 4 * sqrt(96) * error
    assert abs((steps[:, 1:] * steps[:, :-1]).mean()) < 4 * error
    assert abs((steps[1:] * steps[:-1]).mean()) < 4 * error


def test_a_walk_says_how_much_memory_it_would_need(monkeypatch):
    workers, intervals = 1000, 2000
    monkeypatch.setattr(walk, "MOST_BYTES", 16 * workers * intervals)
    tracemalloc.start()
    try:
        pace = RandomWalk(every=3.0, sigma=0.1, low=0.5, high=2.0).pace(workers, seed=0)
        before = tracemalloc.get_traced_memory()[0]
        pace.work(0, 3.0 * intervals - 1)
        assert tracemalloc.get_traced_memory()[0] - before < 1.02 * walk.MOST_BYTES
    finally:
        tracemalloc.stop()
    message = (
        "cluster.speed.every = 3: must be more: the speeds of 1000 workers until {} seconds "
        "take more than 0.0298023 GiB"
    )
    for ask, time in (
        (lambda: pace.work(0, 6000.0), "6000"),
        (lambda: pace.finish(0, 5000.0, 1e6), "505000"),
        (lambda: pace.finish_all(np.zeros(workers), np.full(workers, 1e18)), "5e+17"),
        (lambda: pace.finish_all(np.full(workers, 1e300), np.ones(workers)), "1e+300"),
        (lambda: pace.finish(7, 0.0, pace.work(7, 5999.99) + 0.1), "6000"),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            ask()
        assert str(caught.value) == message.format(time)
    every = np.arange(workers)
    almost = np.array([pace.work(int(worker), 5999.0) for worker in every])
    ends = pace.finish_all(np.zeros(workers), almost)
    np.testing.assert_allclose(ends, 5999, rtol=1e-12)


# Traces.


def parquet(written, name="speeds.parquet", **columns):
    path = written(b"", name)
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def same_ends(one, other):
    starts = np.linspace(0, 14, 57)
    return all(
        one.finish(worker, start, seconds) == other.finish(worker, start, seconds)
        for worker in range(WORKERS)
        for start in starts
        for seconds in (0.3, 1.1, 6.0)
    )


@pytest.mark.parametrize(
    "text",
    [
        TRACE,
        TRACE.replace("\n", "\r\n"),
        "\ufeff" + TRACE,
        TRACE.replace("\n", "\n\n").rstrip(),
        'speed , host,"time",worker\n1,"a,\nb",0,0\n0.3,,2,1\n1.9,x,7.1,1\n 0,,4.5,0\n2,,9e0,0\n',
        (TRACE.replace("\n", ",\xfc\n").replace(",\xfc", ",host", 1)).encode("latin-1"),
    ],
)
def test_a_csv_trace_is_its_table(written, text):
    table = Timetable([0.0, 4.5, 7.1, 9.0], [[1, 0, 0, 2], [0.3, 0.3, 1.9, 1.9], [1, 1, 1, 1]])
    assert same_ends(Trace(written(text)).pace(WORKERS, 0), table.pace(WORKERS, 0))


@pytest.mark.parametrize("kind", ["int64", "uint8", "uint64"])
def test_a_parquet_trace_is_its_table(written, kind):
    columns = {"worker": np.array([0, 1, 0, 1, 0], kind), "time": [0.0, 2.0, 4.5, 7.1, 9.0]}
    columns |= {"host": list("abcde"), "speed": [1.0, 0.3, 0.0, 1.9, 2.0]}
    trace = Trace(parquet(written, **columns))
    assert same_ends(trace.pace(WORKERS, 0), Trace(written(TRACE)).pace(WORKERS, 0))
    columns["speed"], columns["time"] = [1, 1, 0, 2, 3], [0, 1, 2, 3, 4]
    whole = Trace(parquet(written, **columns)).pace(WORKERS, 0)
    assert (whole.work(0, 5.0), whole.work(1, 4.0), whole.work(2, 9.0)) == (5, 5, 9)


def test_reading_a_parquet_trace_loads_no_pandas(written):
    path = parquet(written, worker=[0], time=[0.0], speed=[1.0])
    lines = f"""
import sys
from simulator.cluster.speeds import Trace
assert not {{"scipy", "pyarrow", "pandas"}} & set(sys.modules)
Trace({path!r}).pace(2, seed=0)
assert "pandas" not in sys.modules
"""
    root = str(Path(simulator.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", lines], capture_output=True, text=True, env={"PYTHONPATH": root}
    )
    assert done.returncode == 0, done.stderr


def test_a_trace_repeats(written):
    trace = Trace(written(TRACE), period=12.0).pace(WORKERS, 0)
    night = Periodic(12.0, [0.0, 4.5, 9.0], [1.0, 0.0, 2.0]).pace(WORKERS, 0)
    assert [trace.finish(0, t, 7.7) for t in STARTS] == [night.finish(0, t, 7.7) for t in STARTS]
    night = Periodic(12.0, [0.0, 7.1], [0.3, 1.9]).pace(WORKERS, 0)
    assert [trace.finish(1, t, 7.7) for t in STARTS] == [night.finish(1, t, 7.7) for t in STARTS]
    assert trace.finish(2, 11.1, 2.2) == 11.1 + 2.2


def test_a_trace_of_a_worker_that_never_works(written):
    name = written(HEAD + "0,0,0\n0,3,0\n1,2,0.5\n")
    for period in (None, 5.0):
        pace = Trace(name, period=period).pace(2, seed=0)
        assert pace.finish(0, 1.0, 0.1) == pace.finish_all(np.ones(2), np.full(2, 0.1))[0] == inf
        assert pace.work(0, 99.0) == pace.work(0, inf) == 0
        assert pace.work(1, inf) == inf


# What is refused.

SPEED = "must be a number from 0 to 1e+09; 1 is the law's own speed"
TIME = "must be a number of seconds from 0 to 1e+18"
POSITIVE = "must be a positive number of seconds, 1e+18 at most"
PER_TIME = "give one per time"
PER_WORKER = "entries for 2 workers: give one per worker, or a single number"
RIGHT = {
    Timetable: {"times": [0.0, 1.0], "speeds": [1.0, 1.0]},
    Periodic: {"period": 24.0, "times": [0.0, 8.0], "speeds": [1.0, 0.0]},
    Drift: {"end": 0.5, "seconds": 10.0},
    RandomWalk: {"every": 1.0, "sigma": 0.1, "low": 0.5, "high": 2.0},
}


@pytest.mark.parametrize(
    ("law", "wrong", "message"),
    [
        (Timetable, {"times": []}, "times = []: must begin with 0"),
        (Timetable, {"times": [1.0, 2.0]}, "times[0] = 1: must be 0, the beginning"),
        (Timetable, {"times": [0.0, 0.0]}, "times[1] = 0: must be more than times[0] = 0"),
        (Timetable, {"times": [0.0, 9.0, 5.0]}, "times[2] = 5: must be more than times[1] = 9"),
        (Timetable, {"times": [0.0, inf]}, f"times[1] = inf: {TIME}"),
        (Timetable, {"times": [0.0, nan]}, f"times[1] = nan: {TIME}"),
        (Timetable, {"speeds": [1.0]}, f"speeds has 1 entries for 2 times: {PER_TIME}"),
        (Timetable, {"speeds": [1.0, -1.0]}, f"speeds[1] = -1: {SPEED}"),
        (Timetable, {"speeds": [[1.0] * 2, [1.0, nan]]}, f"speeds[1][1] = nan: {SPEED}"),
        (Timetable, {"speeds": [[1.0] * 2, [inf, 1.0]]}, f"speeds[1][0] = inf: {SPEED}"),
        (
            Timetable,
            {"speeds": [[1.0] * 2, [1.0]]},
            f"speeds[1] has 1 entries for 2 times: {PER_TIME}",
        ),
        (
            Timetable,
            {"speeds": [[1.0] * 2] * 3},
            "speeds has 3 rows for 2 workers: give one per worker, or a single list of numbers",
        ),
        (Periodic, {"period": 0.0}, f"period = 0: {POSITIVE}"),
        (Periodic, {"period": inf}, f"period = inf: {POSITIVE}"),
        (Periodic, {"period": 8.0}, "times[1] = 8: must be less than period = 8"),
        (Periodic, {"times": [0.0]}, f"speeds has 2 entries for 1 times: {PER_TIME}"),
        (Periodic, {"speeds": [0.0, -1.0]}, f"speeds[1] = -1: {SPEED}"),
        (
            Periodic,
            {"speeds": [0.0, 0.0]},
            "speeds: one of them must be more than 0, or no computation finishes",
        ),
        (Periodic, {"shift": [0.0, inf]}, "shift[1] = inf: must be seconds, 1e+18 at most"),
        (Periodic, {"shift": [0.0]}, f"shift has 1 {PER_WORKER}"),
        (Drift, {"seconds": 0.0}, f"seconds = 0: {POSITIVE}"),
        (Drift, {"end": -1.0}, f"end = -1: {SPEED}"),
        (Drift, {"start": [1.0, nan]}, f"start[1] = nan: {SPEED}"),
        (Drift, {"end": [1.0] * 3}, f"end has 3 {PER_WORKER}"),
        (RandomWalk, {"every": 0.0}, f"every = 0: {POSITIVE}"),
        (RandomWalk, {"sigma": nan}, "sigma = nan: must be from 0 to 10"),
        (RandomWalk, {"low": 0.0}, "low = 0: must be more than 0, and 1 at most"),
        (RandomWalk, {"high": 0.5}, "high = 0.5: must be from 1 to 1e+09"),
    ],
)
def test_a_wrong_number_of_a_law_is_named(law, wrong, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole message is compared)
        law(**RIGHT[law] | wrong).pace(2, seed=0)
    assert str(caught.value) == message


COLUMNS = "must have the columns worker, time and speed"
NINES = "9" * 56
WORKER = "must be a worker's number, from 0 to 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n\n", f": is empty: {COLUMNS}"),
        (HEAD, ": has no rows: must have one at least"),
        (
            "\nworker;time;speed\n0;0;1\n",
            f", line 2: {COLUMNS}, separated by commas, and worker is missing "
            "in 'worker;time;speed'",
        ),
        (HEAD + "0,0,1\n0,1,fast\n", ", line 3: speed = 'fast': must be a number"),
        (HEAD + "0,0,\n", ", line 2: speed = '': must be a number"),
        (HEAD + "a\tb,x,y\n", ", line 2: worker = 'a\\tb': must be a whole number"),
        (HEAD + "\n0,0,1\n\n3,1,1\n", f", line 5: worker = 3: {WORKER}"),
        (HEAD + "-1,0,1\n", f", line 2: worker = -1: {WORKER}"),
        (HEAD + f"{2**53 + 1},0,1\n", f", line 2: worker = {2**53 + 1}: {WORKER}"),
        (HEAD + f"{2**63},0,1\n", f", line 2: worker = '{2**63}': must be a worker's number"),
        (
            HEAD + "9" * 5000 + ",0,1\n",
            f", line 2: worker = '{NINES}...: must be a whole number",
        ),
        (HEAD + "0,nan,1\n", f", line 2: time = nan: {TIME}"),
        (HEAD + "0,0,1\n1,-2,1\n", f", line 3: time = -2: {TIME}"),
        (HEAD + "0,0,1\n0,1,inf\n", f", line 3: speed = inf: {SPEED}"),
        (
            HEAD + '"0",5,1\n1,0,1\n0,4,1\n1,0,1\n',
            ", line 4: time = 4 of worker 0: must be more than 5, as in line 2",
        ),
        (
            "host," + HEAD + '"a\nb",0,0,1\n,x,0,1\n',
            ", line 4: worker = 'x': must be a whole number",
        ),
        (HEAD + "0,1\n", ", line 2: has 2 fields: must have 3, as the header has"),
        (HEAD + '0,1,1\n0,2,"1\n', ", line 3: must be CSV: unexpected end of data"),
        (
            HEAD + "0," + "7" * 200_000 + ",1\n",
            ", line 2: must be CSV: field larger than field limit (131072)",
        ),
        (
            HEAD + "0,0,1\n" + "1," * 10**6,
            ", line 3: is longer than 1048576 characters: must be a row of a CSV file",
        ),
        (
            b"PAR1\x00\xff\x15\x04",
            f", line 1: {COLUMNS}, separated by commas, and worker is missing "
            "in 'PAR1\\x00\ufffd\\x15\\x04'",
        ),
    ],
)
def test_a_wrong_csv_trace_is_named_by_its_line(written, text, message):
    refused(f"file = 'speeds.csv'{message}", written(text))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"speed": [1.0, -1.0]}, f", row 2: speed = -1: {SPEED}"),
        ({"speed": [1.0, None]}, ", row 2: speed is missing: must be a number"),
        ({"speed": ["1", "2"]}, ": column speed holds 'string': must hold numbers"),
        ({"speed": None}, f": {COLUMNS}: speed is missing"),
        ({"worker": [0.0, 0.0]}, ": column worker holds 'double': must hold whole numbers"),
        ({"worker": [0, 3]}, f", row 2: worker = 3: {WORKER}"),
        (
            {"worker": np.array([2**64 - 1, 0], np.uint64)},
            f", row 1: worker = {2**63 - 1}: {WORKER}",
        ),
        ({"time": [0.0, nan]}, f", row 2: time = nan: {TIME}"),
        ({"time": [3.0, 3.0]}, ", row 2: time = 3 of worker 0: must be more than 3, as in row 1"),
        (
            {"worker": np.array([], int), "time": np.array([]), "speed": np.array([])},
            ": has no rows: must have one at least",
        ),
    ],
)
def test_a_wrong_parquet_trace_is_named_by_its_row(written, columns, message):
    right = {"worker": [0, 0], "time": [0.0, 1.0], "speed": [1.0, 1.0]}
    table = {name: column for name, column in (right | columns).items() if column is not None}
    refused(f"file = 'speeds.parquet'{message}", parquet(written, **table))


def refused(message, *arguments, **named):
    """A trace of three workers is, in these words."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Trace(*arguments, **named).pace(WORKERS, seed=0)
    assert str(caught.value) == message
    assert message.isprintable()


@pytest.mark.parametrize("content", [b"", b"PAR1" + b"\x00" * 99 + b"PAR1", b"a,b\n" * 9])
def test_an_invalid_parquet_file_is_refused(written, content):
    with pytest.raises(
        ValueError, match=r"^file = 's.parquet': must be a Parquet file: "
    ) as caught:
        Trace(written(content, "s.parquet")).pace(1, seed=0)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("file", "complaint"),
    [
        ("'no.csv'", "cannot be read: No such file or directory"),
        ("'no.parquet'", "cannot be read: No such file or directory"),
        ("'a\\x00.csv'", "cannot be read: embedded null byte"),
        ("'folder.csv'", "cannot be read: Is a directory"),
        ("'.csv'", "must end in .csv or .parquet"),
        ("''", "must end in .csv or .parquet"),
    ],
)
def test_a_wrong_path_is_refused(tmp_path, monkeypatch, file, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    read = complaint.startswith("cannot")
    remedy = ": must be the path of a CSV or Parquet file" if read else ""
    refused(f"file = {file}: {complaint}{remedy}", ast.literal_eval(file))


def test_a_trace_does_not_outlast_its_period(written):
    name = written(TRACE, "speeds.CSV")
    end = "file = 'speeds.CSV', line 6: time = 9: must be less than period = 9"
    refused(end, name, period=9.0)
    refused(f"period = 0: {POSITIVE}", name, period=0.0)
