"""What do the stories of single arrivals, of tables and of attempts say, word for word?

As in ``test_aggregations.py``: no simulator, only a cluster that records all calls.
"""

from math import sqrt

import pytest
from scripted import conversation, steps, tickets_of

from algorithms.methods import (
    buffered,
    delay_adaptive,
    greedy,
    local_rounds,
    mindflayer,
    ringleader,
    ringmaster,
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


def test_ringmaster_drops_old_gradients_and_answers_their_senders():
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


def test_ringmaster_stops_computations_that_have_become_too_old():
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


def test_ringmaster_does_not_stop_absent_workers():
    story = [Lost(1), Ticket(0, 0, 0), Joined(1), Ticket(0, 1, 0)]
    said = conversation(ringmaster(threshold=2, stops=True), 2, story)
    assert [words for words in said if words[0] == "send"] == [
        ("send", 0, 1, True),
        ("send", 1, 1, True),
        ("send", 0, 1, True),
    ]


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


def test_ringleader_drops_a_gradient_in_flight_when_its_sender_is_served():
    late = Ticket(0, 0, 1)
    said = conversation(ringleader(), 1, [Ticket(0, 0, 0), late, Ticket(0, 1, 0)])
    assert [words[0] for words in said].count("drop") == 1
    assert ("drop", late) in said
    assert [used for _, used, _ in steps(said)] == [[Ticket(0, 0, 0)], [Ticket(0, 1, 0)]]


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


def test_a_worker_lost_to_mindflayer_forfeits_the_round():
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


def test_mindflayer_waits_for_a_present_worker():
    said = conversation(mindflayer(1, 1.0, 1.0), 2, [Lost(1), Lost(0), Joined(1)])
    assert said[-5:] == [
        ("all_reduce", []),
        ("step", [], []),
        ("arrival", set()),
        ("send", 1, 1, False, ("limit", 1.0)),
        ("arrival", {1}),
    ]


@pytest.mark.parametrize("name", ["attempts", "limit", "probability"])
def test_mindflayer_needs_a_number_for_every_worker(name):
    named = {"attempts": 1, "limit": 1.0, "probability": 1.0}
    with pytest.raises(ValueError, match=f"^{name}: 3 numbers for 2 workers"):
        conversation(mindflayer(**{**named, name: [1, 1, 1]}), 2, [])


# Rounds of local steps.


@pytest.mark.parametrize(
    "aggregation", [ringmaster(2), delay_adaptive(), buffered(2), ringleader(), local_rounds(2)]
)
def test_a_new_worker_gets_the_order(aggregation):
    said = conversation(aggregation, 2, [Joined(1)])
    (_, *order), (_, worker, *sent) = said[0], said[2]
    assert (worker, sent) == (1, order)
