"""Is the second implementation of the methods right? Equalities, closed forms and cases by hand."""

import math
from collections import Counter

import numpy as np
import pytest
from reference_methods import follow

ROOTS = [math.sqrt(i) for i in range(1, 11)]
CURVATURE = 0.25 * (2 * np.eye(5) - np.eye(5, k=1) - np.eye(5, k=-1))
SLOPE = np.array([-0.25, 0.0, 0.0, 0.0, 0.0])
START = np.array([2.0, 0.0, 0.0, 0.0, 0.0])


def fixed(*seconds):
    return lambda worker, k: seconds[worker]


def listed(*rows):
    """The durations of each worker, one by one; beyond the list it takes for ever."""
    return lambda worker, k: rows[worker][k] if k < len(rows[worker]) else math.inf


def erratic(worker, k):
    return float(np.random.default_rng([worker, k]).exponential() + 0.01)


def slope(worker, version, index, x, local=0):
    """The exact gradient of J(x) = slope'x - x'Ax/2."""
    return SLOPE - CURVATURE @ x


def noisy(worker, version, index, x, local=0):
    """The same with noise that belongs to the sample, not to the point."""
    return slope(worker, version, index, x) + np.random.default_rng(
        [worker, version, index, local]
    ).normal(size=x.size)


def value(x):
    return SLOPE @ x - x @ CURVATURE @ x / 2


def one_hot(worker, version, index, x):
    """Its worker's unit vector: with step 1 the iterate counts the weight of each worker."""
    return np.eye(x.size)[worker]


def times(method, duration, **terms):
    terms = {"settings": {}, "workers": 1, "updates": 1, "gradient": one_hot} | terms
    terms["settings"] = {"step": 1.0} | terms["settings"]
    updates = follow(method, duration=duration, start=np.zeros(terms["workers"]), **terms)
    return [update.time for update in updates]


def weights(method, duration, *, workers, updates, settings, in_flight="recall"):
    """The weight of each ticket (worker, version, index) in each update of a plain method."""
    slots = {}

    def names(worker, version, index, x):
        slot = slots.setdefault((worker, version, index), len(slots))
        return np.eye(1, x.size, slot)[0]

    history = follow(
        method,
        workers=workers,
        duration=duration,
        gradient=names,
        start=np.zeros(500),
        settings={"step": 1.0} | settings,
        updates=updates,
        in_flight=in_flight,
    )
    moves = np.diff([np.zeros(500)] + [update.iterate for update in history], axis=0)
    return [
        {ticket: pytest.approx(move[slot]) for ticket, slot in slots.items() if move[slot] > 1e-12}
        for move in moves
    ]


def same(one, other):
    assert [update.time for update in one] == [update.time for update in other]
    np.testing.assert_allclose(
        [update.iterate for update in one], [update.iterate for update in other], atol=1e-12
    )


def noisy_run(method, *, workers=3, duration=erratic, updates=30, in_flight="recall", **settings):
    return follow(
        method,
        workers=workers,
        duration=duration,
        gradient=noisy,
        start=START,
        settings=settings,
        updates=updates,
        in_flight=in_flight,
        hessian_product=lambda worker, x, v: -CURVATURE @ v,
    )


PLAIN = {
    "synchronous-pg": {},
    "rennala-pg": {"batch": 5},
    "malenia-pg": {"batch": 5},
    "asynchronous-pg": {},
    "delay-adaptive-pg": {},
    "ringmaster-pg": {"threshold": 2, "stops": True},
    "ringleader-pg": {},
    "fedbuff": {"buffer": 2, "local_steps": 2, "local_step": 0.5},
    "mindflayer-pg": {"attempts": 2, "limit": 1.0, "probability": 0.6},
    "fedsvrpg-m": {"local_steps": 2, "local_step": 0.1, "momentum": 0.5},
    "fedhapg-m": {"local_steps": 2, "local_step": 0.1, "momentum": 0.5},
}
NORMALISED = {
    "synchronous-nigt": {},
    "rennala-nigt": {"batch": 5},
    "malenia-nigt": {"batch": 5},
    "ringmaster-nigt": {"threshold": 2},
    "ringleader-nigt": {},
    "mindflayer-nigt": {"attempts": 2, "limit": 1.0, "probability": 0.6},
    "afedpg": {},
    "vanilla-asynchronous-pg": {},
    "synchronous-fedpg": {},
}
AGGREGATIONS = [name.removesuffix("-nigt") for name in NORMALISED if name.endswith("-nigt")]


# Equalities


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("rennala-pg", {"batch": 1}),
        ("malenia-pg", {"batch": 1}),
        ("asynchronous-pg", {}),
        ("delay-adaptive-pg", {}),
        ("ringmaster-pg", {"threshold": 1, "stops": True}),
        ("ringmaster-pg", {"threshold": math.inf}),
        ("ringleader-pg", {}),
        ("fedbuff", {"buffer": 1, "local_steps": 1, "local_step": 1.0}),
        ("mindflayer-pg", {"attempts": 1, "limit": math.inf, "probability": 1.0}),
        ("fedsvrpg-m", {"local_steps": 1, "local_step": 0.3, "momentum": 1.0}),
    ],
)
def test_one_worker_with_one_gradient_a_step_is_plain_ascent_under_any_name(method, settings):
    synchronous = noisy_run("synchronous-pg", workers=1, step=0.1)
    same(noisy_run(method, workers=1, step=0.1, **settings), synchronous)


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("rennala-nigt", {"batch": 1}),
        ("malenia-nigt", {"batch": 1}),
        ("ringmaster-nigt", {"threshold": 1}),
        ("afedpg", {}),
    ],
)
def test_one_worker_with_one_gradient_a_step_is_nigt_under_any_name(method, settings):
    shared = {"workers": 1, "step": 0.1, "momentum": 0.3}
    same(noisy_run(method, **shared, **settings), noisy_run("synchronous-nigt", **shared))


def test_equal_speeds_and_a_batch_of_all_make_rennala_and_malenia_synchronous():
    shared = {"workers": 4, "duration": lambda worker, k: 1.5, "step": 0.1}
    synchronous = noisy_run("synchronous-pg", **shared)
    same(noisy_run("rennala-pg", **shared, batch=4), synchronous)
    same(noisy_run("malenia-pg", **shared, batch=4), synchronous)


@pytest.mark.parametrize("stops", [False, True])
def test_ringmaster_without_a_limit_on_delays_is_asynchronous(stops):
    limitless = noisy_run("ringmaster-pg", step=0.1, threshold=math.inf, stops=stops)
    same(limitless, noisy_run("asynchronous-pg", step=0.1))


def test_look_ahead_alone_tells_nigt_from_normalised_momentum():
    """With momentum 1 there is none; with less there is."""
    for ahead, plain in [
        ("synchronous-nigt", "synchronous-fedpg"),
        ("afedpg", "vanilla-asynchronous-pg"),
    ]:
        same(
            noisy_run(ahead, step=0.1, momentum=1.0),
            noisy_run(plain, step=0.1, momentum=1.0),
        )
        differs = zip(
            noisy_run(ahead, step=0.1, momentum=0.2),
            noisy_run(plain, step=0.1, momentum=0.2),
            strict=True,
        )
        assert any(not np.allclose(one.iterate, other.iterate) for one, other in differs)


def test_on_a_quadratic_the_hessian_gives_what_the_difference_of_gradients_gives():
    settings = PLAIN["fedsvrpg-m"] | {"step": 0.2, "momentum": 0.3}
    same(noisy_run("fedhapg-m", **settings), noisy_run("fedsvrpg-m", **settings))


def test_local_rounds_of_one_step_that_trust_new_samples_alone_are_synchronous():
    settings = {"local_steps": 1, "local_step": 0.5, "momentum": 1.0}
    one = noisy_run("fedsvrpg-m", step=0.1, **settings)
    same(one, noisy_run("synchronous-pg", step=0.1))


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_the_rule_changes_no_time(aggregation):
    """And no two of these aggregations have the same times."""
    settings = {"step": 0.1, "momentum": 0.3, "batch": 5, "threshold": 2}
    settings |= NORMALISED["mindflayer-nigt"]
    clocks = {
        method: tuple(update.time for update in noisy_run(method, **settings))
        for method in NORMALISED
        if method.endswith("nigt")
    }
    plain = tuple(update.time for update in noisy_run(f"{aggregation}-pg", **settings))
    assert [method for method, ends in clocks.items() if ends == plain] == [f"{aggregation}-nigt"]


@pytest.mark.parametrize("method", [*PLAIN, *NORMALISED])
def test_four_times_the_durations_are_four_times_the_clock(method):
    settings = (PLAIN | NORMALISED)[method] | {"step": 0.1}
    settings = {"momentum": 0.5} | settings
    slow = {**settings, "limit": 4.0} if "limit" in settings else settings
    one = noisy_run(method, **settings)
    other = noisy_run(method, duration=lambda worker, k: 4 * erratic(worker, k), **slow)
    assert [4 * update.time for update in one] == [update.time for update in other]
    assert all((a.iterate == b.iterate).all() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("method", [*PLAIN, *NORMALISED])
def test_work_in_flight_matters_to_rennala_and_malenia_alone(method):
    settings = {"momentum": 0.5} | (PLAIN | NORMALISED)[method] | {"step": 0.1}
    recalled, finished = (
        [update.time for update in noisy_run(method, **settings, in_flight=in_flight)]
        for in_flight in ("recall", "finish")
    )
    assert (recalled == finished) == (not method.startswith(("rennala", "malenia")))


# Times in closed form


@pytest.mark.parametrize(
    ("method", "batch", "seconds"),
    [
        ("synchronous-pg", None, math.sqrt(10)),
        ("rennala-pg", 20, 5.0),
        ("rennala-pg", 30, 4 * math.sqrt(3)),
        ("rennala-pg", 50, 11.0),
        ("malenia-pg", 20, 6.0),
        ("malenia-pg", 50, 4 * math.sqrt(10)),
    ],
)
def test_the_first_batch_of_ten_workers_of_speeds_one_over_root_i(method, batch, seconds):
    [time] = times(method, fixed(*ROOTS), workers=10, settings={"batch": batch})
    assert time == pytest.approx(seconds)


def test_whose_gradients_make_the_first_batch():
    [update] = follow(
        "rennala-pg",
        workers=10,
        duration=fixed(*ROOTS),
        gradient=one_hot,
        start=np.zeros(10),
        settings={"batch": 20, "step": 20.0},
        updates=1,
    )
    assert update.iterate == pytest.approx([5, 3, 2, 2, 2, 2, 1, 1, 1, 1])


@pytest.mark.parametrize(("in_flight", "updates"), [("recall", 400), ("finish", 257)])
def test_recalling_work_in_flight_makes_400_updates_of_257(in_flight, updates):
    law = fixed(*[1.0] * 9, 100.0)
    terms = {"workers": 10, "settings": {"batch": 6}, "updates": 402}
    ends = times("rennala-pg", law, in_flight=in_flight, **terms)
    assert sum(time <= 400 for time in ends) == updates


def test_the_first_batch_may_differ():
    sizes = {"batch": 2, "initial_batch": 5}
    assert times("rennala-pg", fixed(1.0), settings=sizes, updates=3) == [5, 7, 9]
    assert times("malenia-pg", fixed(1.0), settings=sizes, updates=3) == [5, 7, 9]


def test_asynchronous_arrivals_by_a_time_are_the_sum_of_what_each_can_do():
    ends = times("asynchronous-pg", fixed(1.0, 1.5, 2.25), workers=3, updates=60)
    for horizon in (2.25, 7.0, 9.0):
        expected = sum(int(horizon / seconds) for seconds in (1.0, 1.5, 2.25))
        assert sum(time <= horizon for time in ends) == expected


def test_a_recalled_computation_counts_as_begun():
    """The second worker's next takes half a second; without recall its first goes on to 5.25."""
    law = listed([1.0] * 9, [5.25, 0.5, 9.0, 9.0])
    one_each = {"workers": 2, "updates": 6, "settings": {"batch": 1}}
    assert times("rennala-pg", law, **one_each)[:2] == [1.0, 1.5]
    assert times("rennala-pg", law, in_flight="finish", **one_each) == [1, 2, 3, 4, 5, 5.75]


def test_every_computation_of_a_worker_is_numbered_once():
    begun = Counter()

    def law(worker, k):
        assert k == begun[worker]
        begun[worker] += 1
        return erratic(worker, k)

    times("rennala-pg", law, workers=4, updates=20, settings={"batch": 5})
    assert min(begun.values()) >= 20


def test_a_set_of_workers_that_can_never_finish_is_told():
    with pytest.raises(RuntimeError, match="nobody will ever deliver"):
        times("synchronous-pg", fixed(1.0, math.inf), workers=2)


# Each method by hand


def test_malenia_weighs_workers_equally():
    [first] = weights("malenia-pg", fixed(1.0, 2.5), workers=2, updates=1, settings={"batch": 2})
    assert first == {(0, 0, 0): 1 / 4, (0, 0, 1): 1 / 4, (1, 0, 0): 1 / 2}


def test_delays_beyond_the_number_of_workers_are_damped():
    steps = weights("delay-adaptive-pg", fixed(1.0, 3.5), workers=2, updates=4, settings={})
    assert steps[2:] == [{(0, 2, 0): 1.0}, {(1, 0, 0): 2 / 3}]


@pytest.mark.parametrize(("stops", "ends"), [(False, [1, 3, 4]), (True, [1, 2, 3])])
def test_ringmaster_drops_what_is_too_old_or_stops_it(stops, ends):
    """The first worker takes 1, then 4 seconds; the second 2, then 1, then 1. Where no delay is
    allowed, the second's first is too old at 2 and it wins at 3; with stops it begins anew at 1.
    """
    law = listed([1.0, 4.0, 9.0, 9.0], [2.0, 1.0, 1.0, 9.0])
    terms = {"workers": 2, "updates": 3, "settings": {"threshold": 1, "stops": stops}}
    assert times("ringmaster-pg", law, **terms) == ends
    used = weights("ringmaster-pg", law, **terms)
    assert used == [{(0, 0, 0): 1.0}, {(1, 1, 0): 1.0}, {(1, 2, 0): 1.0}]


@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("threshold", [1, 2, 4])
def test_ringmaster_keeps_delays_below_the_threshold_and_needs_it(stops, threshold):
    terms = {"threshold": threshold, "stops": stops}
    steps = weights("ringmaster-pg", erratic, workers=6, updates=60, settings=terms)
    delays = [k - version for k, step in enumerate(steps) for _, version, _ in step]
    assert max(delays) == threshold - 1


def test_ringmaster_that_allows_no_delay_is_ascent_one_by_one():
    history = follow(
        "ringmaster-pg",
        workers=4,
        duration=erratic,
        gradient=slope,
        start=START,
        settings={"step": 0.3, "threshold": 1},
        updates=20,
    )
    x = START
    for update in history:
        x = x + 0.3 * slope(0, 0, 0, x)
        np.testing.assert_allclose(update.iterate, x)


def test_ringleader_steps_with_a_table_that_grows():
    """In update 4 the second worker's gradient is two updates old, the most that two allow."""
    terms = {"workers": 2, "updates": 4, "settings": {}}
    assert times("ringleader-pg", fixed(1.0, 2.5), **terms) == [2.5, 3.0, 5.0, 6.0]
    assert weights("ringleader-pg", fixed(1.0, 2.5), **terms) == [
        {(0, 0, 0): 1 / 4, (0, 0, 1): 1 / 4, (1, 0, 0): 1 / 2},
        {(0, 0, 0): 1 / 6, (0, 0, 1): 1 / 6, (0, 0, 2): 1 / 6, (1, 0, 0): 1 / 2},
        {(0, 2, 0): 1 / 4, (0, 2, 1): 1 / 4, (1, 1, 0): 1 / 2},
        {(0, 2, 0): 1 / 6, (0, 2, 1): 1 / 6, (0, 2, 2): 1 / 6, (1, 1, 0): 1 / 2},
    ]


def test_ringleader_keeps_what_comes_early_for_the_next_table():
    """The second worker delivers at 2 and, already served, at 3: that opens the next table."""
    law = listed([1.0, 10.0, 1.0], [2.0, 1.0, 20.0])
    terms = {"workers": 2, "updates": 3, "settings": {}}
    assert times("ringleader-pg", law, **terms) == [2.0, 11.0, 12.0]
    assert weights("ringleader-pg", law, **terms) == [
        {(0, 0, 0): 1 / 2, (1, 0, 0): 1 / 2},
        {(0, 0, 0): 1 / 4, (0, 0, 1): 1 / 4, (1, 0, 0): 1 / 2},
        {(0, 2, 0): 1 / 2, (1, 1, 0): 1 / 2},
    ]


def test_ringleader_weighs_workers_equally_and_bounds_their_delay():
    n = 5
    for k, step in enumerate(weights("ringleader-pg", erratic, workers=n, updates=60, settings={})):
        shares = Counter()
        for (worker, version, _), weight in step.items():
            shares[worker] += weight.expected
            assert k - version <= 2 * n - 2
        assert dict(shares) == pytest.approx(dict.fromkeys(range(n), 1 / n))


def test_fedbuff_sends_differences_and_discounts_old_ones():
    """Two local steps of a half take x to x / 4. The first client delivers at 2 and, from the same
    point, at 4: one update late when the buffer fills for the second time.
    """
    history = follow(
        "fedbuff",
        workers=2,
        duration=fixed(1.0, 1.5),
        gradient=lambda worker, version, index, x, local: -x,
        start=[1.0],
        settings={"step": 1.0, "buffer": 2, "local_steps": 2, "local_step": 0.5},
        updates=2,
    )
    assert [update.time for update in history] == [3.0, 6.0]
    late, new = -0.75 / math.sqrt(2), -0.75 * 0.25
    assert [update.iterate[0] for update in history] == pytest.approx(
        [0.25, 0.25 + (late + new) / 2]
    )


def test_mindflayer_aborts_attempts_at_the_limit_and_divides_by_what_it_expects():
    """An attempt of exactly the limit is done; the third round has no success and still counts."""
    law = listed([1.0, 3.0], [2.5, 2.0, 2.5])
    terms = {"attempts": [2, 1], "limit": [1.0, 2.0], "probability": [0.5, 1.0]}
    terms = {"workers": 2, "updates": 3, "settings": terms}
    assert times("mindflayer-pg", law, **terms) == [2.0, 4.0, 6.0]
    steps = weights("mindflayer-pg", law, **terms)
    assert steps == [{(0, 0, 0): 1 / 2}, {(1, 1, 0): 1 / 2}, {}]


def test_fedsvrpg_by_hand():
    """J = -x²/2, step 0.5, local step 0.1, momentum 0.4; round 0 has no direction to keep."""
    history = follow(
        "fedsvrpg-m",
        workers=2,
        duration=fixed(1.0, 1.5),
        gradient=lambda worker, version, index, x, local: -x,
        start=[1.0],
        settings={"step": 0.5, "local_steps": 2, "local_step": 0.1, "momentum": 0.4},
        updates=2,
    )
    assert [update.time for update in history] == [3.0, 6.0]
    assert [update.iterate[0] for update in history] == pytest.approx([0.525, 0.289875])


def test_afedpg_takes_its_weights_by_dispatch_and_its_steps_by_update():
    """Arrivals: the first worker at 1, the second at 1.5 from version 0, the first again at 2."""
    vectors = {(0, 0): [3.0, 1.0], (1, 0): [-1.0, 2.0], (0, 1): [0.5, -2.0]}
    seen = {}

    def gradient(worker, version, index, x):
        seen[worker, version] = x
        return np.array(vectors[worker, version])

    def weight(k):
        return 0.9 / (k + 1)

    def step(k):
        return 1.0 / (k + 2)

    history = follow(
        "afedpg",
        workers=2,
        duration=fixed(1.0, 1.5),
        gradient=gradient,
        start=[0.0, 0.0],
        settings={"momentum": weight, "step": step},
        updates=3,
    )
    assert [update.time for update in history] == [1.0, 1.5, 2.0]
    g = {ticket: np.array(vector) for ticket, vector in vectors.items()}
    d1 = g[0, 0]
    d2 = 0.1 * d1 + 0.9 * g[1, 0]
    d3 = 0.55 * d2 + 0.45 * g[0, 1]
    moves = [d / np.linalg.norm(d) / parts for d, parts in [(d1, 2), (d2, 3), (d3, 4)]]
    np.testing.assert_allclose([update.iterate for update in history], np.cumsum(moves, axis=0))
    np.testing.assert_allclose(seen[0, 1], history[0].iterate + 0.55 / 0.45 * moves[0])
    assert (seen[1, 0] == 0).all()


# On a quadratic without noise


@pytest.mark.parametrize("method", PLAIN)
def test_small_steps_climb_a_noiseless_quadratic_without_fail(method):
    settings = {**PLAIN[method], "step": 0.05}
    history = follow(
        method,
        workers=3,
        duration=fixed(0.5, 0.6, 0.9) if "limit" in settings else fixed(1.0, 1.3, 2.1),
        gradient=slope,
        start=START,
        settings=settings,
        updates=40,
        hessian_product=lambda worker, x, v: -CURVATURE @ v,
    )
    values = [value(START)] + [value(update.iterate) for update in history]
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize("momentum", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("method", ["synchronous-nigt", "rennala-nigt", "malenia-nigt"])
def test_the_direction_of_nigt_is_the_gradient_at_theta_on_a_quadratic(method, momentum):
    """The look-ahead is made so that momentum forgets nothing where curvature is constant."""
    history = follow(
        method,
        workers=3,
        duration=erratic,
        gradient=slope,
        start=START,
        settings={"step": 0.05, "momentum": momentum, "batch": 4},
        updates=15,
    )
    theta = START
    for update in history:
        direction = slope(0, 0, 0, theta)
        theta = theta + 0.05 * direction / np.linalg.norm(direction)
        np.testing.assert_allclose(update.iterate, theta, atol=1e-12)


@pytest.mark.parametrize("method", NORMALISED)
def test_normalised_steps_have_the_length_they_are_given(method):
    settings = {"step": 0.1, "momentum": 0.3} | NORMALISED[method]
    iterates = [START] + [update.iterate for update in noisy_run(method, **settings)]
    lengths = np.linalg.norm(np.diff(iterates, axis=0), axis=1)
    assert lengths == pytest.approx(np.full(30, 0.1))


@pytest.mark.parametrize("method", NORMALISED)
def test_without_any_direction_theta_stays_and_the_updates_count(method):
    history = follow(
        method,
        workers=2,
        duration=fixed(1.0, 1.5),
        gradient=lambda worker, version, index, x: np.zeros(2),
        start=[1.0, 2.0],
        settings={"step": 0.1, "momentum": 0.3} | NORMALISED[method],
        updates=3,
    )
    assert [update.iterate.tolist() for update in history] == [[1.0, 2.0]] * 3


def test_corrected_rounds_of_one_step_are_plain_ascent_where_there_is_no_noise():
    """The kept direction, moved by the change of the gradient, is the gradient again."""
    shared = {"workers": 2, "duration": erratic, "gradient": slope, "start": START, "updates": 20}
    settings = {"step": 0.3, "local_steps": 1, "local_step": 0.1, "momentum": 0.2}
    same(
        follow("fedsvrpg-m", settings=settings, **shared),
        follow("synchronous-pg", settings={"step": 0.3}, **shared),
    )
