"""What do the stories of single arrivals, of tables and of attempts say, word for word?

As in ``test_aggregations.py``: no simulator, only a cluster that writes down what it is told.
"""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import conversation, random_but_repeatable, steps, tickets_of

from algorithms.methods import (
    buffered,
    delay_adaptive,
    greedy,
    local_rounds,
    mindflayer,
    ringleader,
    ringmaster,
    synchronous,
)
from algorithms.tickets import Ticket
from algorithms.vocabulary import Expired, Joined, Lost

STOPPED = ("recall", True)


def one_by_one(workers, deliveries):
    """The tickets of workers that deliver one by one, each sent the newest point in answer."""
    points, again, tickets = [0] * workers, {}, []
    for version, worker in enumerate(deliveries, start=1):
        index = again.get((worker, points[worker]), 0)
        tickets.append(Ticket(worker, points[worker], index))
        again[worker, points[worker]] = index + 1
        points[worker] = version
    return tickets


# Delays.


def test_ringmaster_drops_what_is_too_old_and_answers_all_the_same():
    fresh, newer, old = Ticket(0, 0, 0), Ticket(0, 1, 0), Ticket(1, 0, 0)
    assert conversation(ringmaster(threshold=2), 2, [fresh, newer, old]) == [
        ("broadcast", 1, True),
        ("arrival", set()),
        ("step", [fresh], [1.0]),
        ("send", 0, 1, True),
        ("arrival", set()),
        ("step", [newer], [1.0]),
        ("send", 0, 1, True),
        ("arrival", set()),
        ("drop", old),
        ("send", 1, 1, True),
        ("arrival", set()),
    ]


def test_ringmaster_stops_whoever_has_become_too_old():
    # After two steps of worker 0 the others are two behind: stopped.  What worker 2 had sent by
    # then is dropped, and worker 2, which has been sent a newer point, is not sent one again.
    story = [Ticket(0, 0, 0), Ticket(0, 1, 0), Ticket(2, 0, 0), Ticket(1, 2, 0)]
    assert conversation(ringmaster(threshold=2, stops=True), 3, story) == [
        ("broadcast", 1, True),
        ("arrival", set()),
        ("step", [story[0]], [1.0]),
        ("send", 0, 1, True),
        ("arrival", set()),
        ("step", [story[1]], [1.0]),
        ("send", 0, 1, True),
        ("send", 1, 1, True, STOPPED),
        ("send", 2, 1, True, STOPPED),
        ("arrival", set()),
        ("drop", story[2]),
        ("arrival", set()),
        ("step", [story[3]], [1.0]),
        ("send", 1, 1, True),
        ("arrival", set()),
    ]


def test_ringmaster_does_not_stop_who_is_not_there():
    story = [Lost(1), Ticket(0, 0, 0), Joined(1), Ticket(0, 1, 0)]
    said = conversation(ringmaster(threshold=2, stops=True), 2, story)
    assert [words for words in said if words[0] == "send"] == [
        ("send", 0, 1, True),
        ("send", 1, 1, True),
        ("send", 0, 1, True),
    ]


@random_but_repeatable
@given(st.lists(st.integers(0, 3), max_size=60), st.booleans())
def test_a_threshold_out_of_reach_is_greedy(deliveries, stops):
    tickets = one_by_one(4, deliveries)
    out_of_reach = ringmaster(len(tickets) + 1, stops)
    assert conversation(out_of_reach, 4, tickets) == conversation(greedy(), 4, tickets)


@random_but_repeatable
@given(st.integers(1, 6), st.lists(st.integers(0, 3), max_size=60))
def test_with_stops_nobody_is_further_behind_than_the_threshold(threshold, deliveries):
    story, said = ringmaster(threshold, stops=True), []
    at, version = [0] * 4, 0
    tickets = []
    for worker in deliveries:  # each delivers what it was sent last
        tickets.append(Ticket(worker, at[worker], len(tickets)))
        said = conversation(story, 4, tickets)
        version = len(steps(said))
        (*_, answers) = split(said)
        for _, sent, *_ in answers:
            at[sent] = version
        assert all(version - point < threshold for point in at)
    assert len(steps(said)) == len(tickets)  # so nothing is ever dropped


def split(said):
    """The orders that were sent between one arrival and the next."""
    between = [[]]
    for words in said:
        if words[0] == "arrival":
            between.append([])
        elif words[0] == "send":
            between[-1].append(words)
    return between[:-1]


def test_delay_adaptive_steps_are_short_only_beyond_as_many_as_there_are_workers():
    tickets = one_by_one(2, [0, 0, 0, 0, 1, 0])
    said = conversation(delay_adaptive(), 2, tickets)
    assert [weights for _, _, weights in steps(said)] == [[1], [1], [1], [1], [2 / 4], [1]]
    assert [words[:2] for words in said] == [
        words[:2] for words in conversation(greedy(), 2, tickets)
    ]


# Buffers.


def test_a_buffer_is_weighed_by_age_when_it_is_full():
    tickets = [Ticket(0, 0, 0), Ticket(0, 0, 1), Ticket(0, 1, 0), Ticket(1, 0, 0)]
    three = ("work", 3)
    assert conversation(buffered(buffer=2, local_steps=3), 2, tickets) == [
        ("broadcast", 1, True, three),
        ("arrival", set()),
        ("send", 0, 1, True, three),
        ("arrival", set()),
        ("step", tickets[:2], [1 / 2, 1 / 2]),
        ("send", 0, 1, True, three),
        ("arrival", set()),
        ("send", 0, 1, True, three),
        ("arrival", set()),
        ("step", tickets[2:], [1 / 2, 1 / 2 / sqrt(2)]),
        ("send", 1, 1, True, three),
        ("arrival", set()),
    ]


def test_what_a_buffer_holds_is_safe_from_the_loss_of_its_sender():
    tickets = [Ticket(0, 0, 0), Ticket(1, 0, 0)]
    said = conversation(buffered(buffer=2), 2, [tickets[0], Lost(0), Joined(0), tickets[1]])
    assert steps(said) == [("step", tickets, [1 / 2, 1 / 2])]


@random_but_repeatable
@given(st.lists(st.integers(0, 3), max_size=60))
def test_a_buffer_of_one_is_greedy_with_care(deliveries):
    tickets = one_by_one(4, deliveries)
    careful = [
        ("step", [ticket], [1 / sqrt(1 + version - ticket.version)])
        for version, ticket in enumerate(tickets)
    ]
    assert steps(conversation(buffered(1), 4, tickets)) == careful


# Tables.


def test_ringleader_collects_a_table_and_then_steps_with_all_of_it():
    a, b, c = tickets_of(0, 0, 1)  # the table, complete with c
    buffered, d = Ticket(1, 1, 0), Ticket(0, 0, 2)  # 1 is served, so this is for the next table
    e = Ticket(0, 2, 0)  # the first of the next round, which completes its table
    assert conversation(ringleader(), 2, [a, b, c, buffered, d, e]) == [
        ("broadcast", None, True),
        ("arrival", {0, 1}),
        ("arrival", {1}),
        ("arrival", {1}),
        ("step", [a, b, c], [1 / 4, 1 / 4, 1 / 2], {a, b, c}),
        ("send", 1, None, True),
        ("arrival", {0}),
        ("arrival", {0}),  # it is at the newest point, and goes on there
        ("step", [a, b, d, c], [1 / 6, 1 / 6, 1 / 6, 1 / 2]),
        ("send", 0, None, True),
        ("arrival", {0}),
        ("step", [buffered, e], [1 / 2, 1 / 2], {buffered, e}),
        ("send", 0, None, True),
        ("arrival", {1}),
    ]


def test_ringleader_sends_a_served_worker_a_newer_point_where_there_is_one():
    # Served are 2 (at 1), then 1 (at 2); what 2 delivers goes into the next table, and 2 on to 2.
    story = [*tickets_of(0, 1, 2), Ticket(1, 0, 1), Ticket(2, 1, 0)]
    said = conversation(ringleader(), 3, story)
    assert said[-3:] == [("arrival", {0}), ("send", 2, None, True), ("arrival", {0})]


def test_ringleader_drops_what_was_on_its_way_when_its_sender_was_served():
    late = Ticket(0, 0, 1)
    said = conversation(ringleader(), 1, [Ticket(0, 0, 0), late, Ticket(0, 1, 0)])
    assert [words[0] for words in said].count("drop") == 1
    assert ("drop", late) in said
    assert [used for _, used, _ in steps(said)] == [[Ticket(0, 0, 0)], [Ticket(0, 1, 0)]]


def test_ringleader_keeps_what_a_lost_worker_had_delivered():
    a, b, c = Ticket(0, 0, 0), Ticket(1, 0, 0), Ticket(0, 1, 0)
    said = conversation(ringleader(), 2, [a, Lost(0), b, Joined(0), c])
    assert [words[1:3] for words in steps(said)] == [
        ([a, b], [1 / 2, 1 / 2]),
        ([a, c, b], [1 / 4, 1 / 4, 1 / 2]),
    ]


# Attempts.


def test_mindflayer_steps_when_all_attempts_are_over():
    done = Ticket(0, 0, 0)
    weight = 1 / (0.5 * 2 + 1.0 * 1)
    story = [done, Expired(1), Expired(0), Expired(0), Expired(1), Expired(0)]
    assert conversation(mindflayer([2, 1], 3.0, [0.5, 1.0]), 2, story) == [
        ("send", 0, 2, False, ("limit", 3.0)),
        ("send", 1, 1, False, ("limit", 3.0)),
        ("arrival", {0, 1}),
        ("arrival", {0, 1}),
        ("arrival", {0}),
        ("all_reduce", [done]),
        ("step", [done], [weight]),
        ("send", 0, 2, False, ("limit", 3.0)),
        ("send", 1, 1, False, ("limit", 3.0)),
        ("arrival", {0, 1}),
        ("arrival", {0, 1}),
        ("arrival", {0}),
        ("all_reduce", []),
        ("step", [], []),
        ("send", 0, 2, False, ("limit", 3.0)),
        ("send", 1, 1, False, ("limit", 3.0)),
        ("arrival", {0, 1}),
    ]


def test_who_is_lost_to_mindflayer_forfeits_the_round():
    gone, kept = Ticket(0, 0, 0), Ticket(1, 0, 0)
    story = [gone, Lost(0), Joined(0), kept]
    said = conversation(mindflayer([2, 1], [1.0, 2.0], 1.0), 2, story)
    assert said[-6:] == [
        ("arrival", {1}),
        ("all_reduce", [kept]),
        ("step", [kept], [1 / 3]),
        ("send", 0, 2, False, ("limit", 1.0)),
        ("send", 1, 1, False, ("limit", 2.0)),
        ("arrival", {0, 1}),
    ]


def test_mindflayer_waits_for_somebody_to_be_there():
    said = conversation(mindflayer(1, 1.0, 1.0), 2, [Lost(1), Lost(0), Joined(1)])
    assert said[-5:] == [
        ("all_reduce", []),
        ("step", [], []),
        ("arrival", set()),
        ("send", 1, 1, False, ("limit", 1.0)),
        ("arrival", {1}),
    ]


@pytest.mark.parametrize("name", ["attempts", "limit", "probability"])
def test_mindflayer_wants_a_number_for_everybody(name):
    named = {"attempts": 1, "limit": 1.0, "probability": 1.0}
    with pytest.raises(ValueError, match=f"^{name}: 3 numbers for 2 workers"):
        conversation(mindflayer(**{**named, name: [1, 1, 1]}), 2, [])


# Rounds of local steps.


def test_local_rounds_are_synchronous_but_for_the_work():
    story = [Ticket(1, 0, 0), Lost(1), Joined(1), Ticket(0, 0, 0), Ticket(1, 0, 1)]
    said = conversation(local_rounds(4), 2, story)
    orders = [words for words in said if words[0] in ("broadcast", "send")]
    assert orders == [
        ("broadcast", 1, False, ("work", 4)),
        ("send", 1, 1, False, ("work", 4)),
        ("broadcast", 1, False, ("work", 4)),
    ]
    plain = [
        tuple(word for word in words if word != ("work", 4)) if words in orders else words
        for words in said
    ]
    assert plain == conversation(synchronous(), 2, story)
    assert conversation(local_rounds(1), 2, story) == plain


@pytest.mark.parametrize(
    "aggregation", [ringmaster(2), delay_adaptive(), buffered(2), ringleader(), local_rounds(2)]
)
def test_a_joiner_who_has_never_been_there_is_sent_the_order(aggregation):
    said = conversation(aggregation, 2, [Joined(1)])
    (_, *order), (_, worker, *sent) = said[0], said[2]
    assert (worker, sent) == (1, order)
