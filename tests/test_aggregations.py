"""What does each server say to its cluster, word for word?

No simulator here: a scripted cluster reads the arrivals out from a list and writes down every
order, request and step.  What is checked is the story itself, so that any cluster that speaks
the vocabulary, simulated or real, hears the same.
"""

from collections import Counter
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedCluster, conversation, random_but_repeatable, steps, tickets_of

from algorithms.methods import greedy, malenia, rennala, synchronous
from algorithms.methods.malenia import Counts
from algorithms.tickets import Ticket
from algorithms.vocabulary import Joined, Lost


def test_rennala_takes_the_first_gradients_of_any_workers():
    first, second = tickets_of(1, 1, 0), tickets_of(1, 1, 1, version=1)
    third = [1 / 3] * 3
    assert conversation(rennala(batch=3), 2, first + second) == [
        ("broadcast", None, False),
        *[("arrival", set())] * 3,
        ("all_reduce", first),
        ("step", first, third),
        ("broadcast", None, False),
        *[("arrival", set())] * 3,
        ("all_reduce", second),
        ("step", second, third),
        ("broadcast", None, False),
        ("arrival", set()),
    ]


def test_malenia_waits_for_all_workers_and_weighs_them_equally():
    # Two workers and a batch of 3: 4 >= 3 (1/M_0 + 1/M_1) fails at counts 2, 1, holds at 3, 1.
    tickets = tickets_of(0, 0, 1, 0)
    assert conversation(malenia(batch=3), 2, tickets) == [
        ("broadcast", None, False),
        ("arrival", {0, 1}),
        ("arrival", {1}),
        ("arrival", {1}),
        ("arrival", {0, 1}),
        ("all_reduce", tickets),
        ("step", tickets, [1 / 6, 1 / 6, 1 / 2, 1 / 6]),
        ("broadcast", None, False),
        ("arrival", {0, 1}),
    ]


def test_synchronous_takes_one_gradient_from_each():
    first, second = tickets_of(2, 0, 1), tickets_of(0, 1, 2, version=1)
    third = [1 / 3] * 3
    assert conversation(synchronous(), 3, first + second) == [
        ("broadcast", 1, False),
        ("arrival", {0, 1, 2}),
        ("arrival", {0, 1}),
        ("arrival", {1}),
        ("all_reduce", first),
        ("step", first, third),
        ("broadcast", 1, False),
        ("arrival", {0, 1, 2}),
        ("arrival", {1, 2}),
        ("arrival", {2}),
        ("all_reduce", second),
        ("step", second, third),
        ("broadcast", 1, False),
        ("arrival", {0, 1, 2}),
    ]


def test_greedy_steps_with_each_arrival_and_answers_its_sender_alone():
    tickets = [Ticket(1, 0, 0), Ticket(1, 1, 0), Ticket(0, 0, 0)]
    assert conversation(greedy(), 2, tickets) == [
        ("broadcast", 1, True),
        ("arrival", set()),
        ("step", [tickets[0]], [1.0]),
        ("send", 1, 1, True),
        ("arrival", set()),
        ("step", [tickets[1]], [1.0]),
        ("send", 1, 1, True),
        ("arrival", set()),
        ("step", [tickets[2]], [1.0]),
        ("send", 0, 1, True),
        ("arrival", set()),
    ]


@random_but_repeatable
@given(st.integers(1, 30), st.lists(st.integers(0, 3), max_size=150))
def test_malenia_stops_at_the_first_arrival_that_suffices(batch, workers):
    said = steps(conversation(malenia(batch), 4, tickets_of(*workers)))
    used = [ticket for _, tickets, _ in said for ticket in tickets]
    assert used == tickets_of(*workers)[: len(used)]  # all of them, in the order they came
    for _, tickets, weights in said:
        names = [ticket.worker for ticket in tickets]
        assert suffices(names, 4, batch)
        assert not suffices(names[:-1], 4, batch)
        for worker in range(4):
            shares = [w for w, name in zip(weights, names, strict=True) if name == worker]
            assert sum(shares) == pytest.approx(1 / 4, rel=1e-12)
    assert not suffices(workers[len(used) :], 4, batch)


def suffices(workers, n, batch):
    """Malenia's condition as the paper prints it, in fractions."""
    counts = Counter(workers)
    if len(counts) < n:
        return False
    harmonic_mean = 1 / (sum(Fraction(1, count) for count in counts.values()) / n)
    return harmonic_mean >= Fraction(batch, n)


# Workers that are lost, and workers that join.


def test_rennala_subtracts_lost_gradients_and_collects_on():
    kept, gone, *more = tickets_of(1, 0, 1, 1)
    said = conversation(rennala(batch=3), 2, [kept, gone, Lost(0), Joined(0), *more])
    assert said == [
        ("broadcast", None, False),
        *[("arrival", set())] * 4,
        ("send", 0, None, False),
        *[("arrival", set())] * 2,
        ("all_reduce", [kept, *more]),
        ("step", [kept, *more], [1 / 3] * 3),
        ("broadcast", None, False),
        ("arrival", set()),
    ]


@pytest.mark.parametrize("aggregation", [rennala(3), malenia(3), synchronous(), greedy()])
def test_a_new_worker_gets_the_order(aggregation):
    said = conversation(aggregation, 2, [Joined(1)])
    (_, *order), (_, worker, *sent) = said[0], said[2]
    assert (worker, sent) == (1, order)


# Rennala of the earliest started.


def earliest(batch):
    return rennala(batch, count="earliest-started")


def test_the_earliest_started_are_chosen_before_they_are_done():
    # One of each is chosen, and there is room for two more: worker 1's next and its third.
    # Its fourth is one too many, and worker 0 is waited for.
    first, second, third, fourth = tickets_of(1, 1, 1, 1)
    late = Ticket(0, 0, 0)
    said = conversation(earliest(4), 2, [first, second, third, fourth, late])
    assert said == [
        ("broadcast", None, False),
        ("arrival", {0, 1}),
        ("arrival", {0, 1}),
        ("arrival", {0, 1}),
        ("arrival", {0}),
        ("drop", fourth),
        ("arrival", {0}),
        ("all_reduce", [first, second, third, late]),
        ("step", [first, second, third, late], [1 / 4] * 4),
        ("broadcast", None, False),
        ("arrival", {0, 1}),
    ]


def test_of_more_workers_than_gradients_the_first_numbers_are_chosen():
    tickets = [Ticket(1, 0, 0), Ticket(0, 0, 0)]
    said = conversation(earliest(2), 4, [Ticket(3, 0, 0), *tickets])
    assert said == [
        ("broadcast", None, False),
        ("arrival", {0, 1}),
        ("drop", Ticket(3, 0, 0)),
        ("arrival", {0, 1}),
        ("arrival", {0}),
        ("all_reduce", tickets),
        ("step", tickets, [1 / 2] * 2),
        ("broadcast", None, False),
        ("arrival", {0, 1}),
    ]


@random_but_repeatable
@given(st.integers(1, 9), st.integers(1, 4), st.lists(st.integers(0, 3), max_size=60))
def test_the_earliest_started_batch_has_the_named_workers(batch, n, workers):
    cluster = ScriptedCluster(n)
    story, used, seen = earliest(batch)(cluster), [], Counter()
    word, needs = story.send(None)
    for worker in (worker % n for worker in workers):
        ticket, named = Ticket(worker, cluster.version, seen[worker]), set(needs)
        seen[worker] += 1
        word, needs = story.send(ticket)
        if ("drop", ticket) not in cluster.said:
            used.append(ticket)
            assert worker in named
        if word == "all_reduce":
            assert used == list(needs)
            assert len(used) == batch
            used, seen = [], Counter()
            assert story.send(None).word == "step"
            word, needs = story.send(None)


# How Malenia counts.


def filled(workers, n):
    counts = Counts(n)
    for worker in workers:
        counts.add(worker)
    return counts


@random_but_repeatable
@given(st.integers(1, 12).flatmap(lambda n: st.lists(st.integers(1, 40), min_size=n, max_size=n)))
def test_counts_suffice_up_to_the_exact_harmonic_mean_and_no_further(counts):
    n = len(counts)
    filled_up = filled([worker for worker, many in enumerate(counts) for _ in range(many)], n)
    largest = floor(n**2 / sum(Fraction(1, count) for count in counts))
    assert filled_up.suffice(largest)
    assert not filled_up.suffice(largest + 1)


def test_balanced_counts_need_the_workers_that_the_batch_lacks():
    counts = filled([0, 1, 1, 2, 2, 2], 3)  # 9 >= M (1/M_0 + 1/M_1 + 1/M_2)
    assert not counts.needed(8, {0})  # 9 > 8: the others can make up for it
    assert counts.needed(9, {0}) == {0}  # 9 = 9 would need the others at infinity
    assert not counts.needed(17, {1})
    assert counts.needed(11, {1, 2}) == {1, 2}  # together: 11 (1/2 + 1/3) > 9
    assert not counts.needed(10, {1, 2})
    assert not counts.needed(100, set())
