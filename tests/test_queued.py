"""When does the trainer step, with which episodes?  By hand, and in closed form."""

from itertools import pairwise

import pytest
from scripted import Asked, ScriptedCluster

from algorithms.methods import greedy, queued
from algorithms.tickets import Ticket
from algorithms.vocabulary import Joined, Lost, Trained
from simulator.cluster import Cluster, Exponential, Fixed, LogNormal, Outage, Outages, Server
from simulator.engine import Simulation, Sinks, Stop


def played(seconds, training, steps, aggregation, **cluster):
    cluster = Cluster(len(seconds), Fixed(seconds), server=Server(Fixed(training)), **cluster)
    simulation = Simulation(cluster, aggregation)
    return list(simulation.steps(Stop(steps=steps))), simulation


def delays(step):
    return [step.version - ticket.version for ticket in step.tickets]


# How far may workers be ahead?


@pytest.mark.parametrize(("workers", "batch"), [(8, 8), (8, 16), (8, 12), (20, 8)])
def test_on_policy_generates_and_trains_in_turn(workers, batch):
    steps, _ = played([1.0] * workers, 0.5, 6, queued(batch, depth=0))
    rounds = -(-batch // workers)
    assert [step.time for step in steps] == [(rounds + 0.5) * (k + 1) for k in range(6)]
    assert all(delays(step) == [0] * batch for step in steps)


@pytest.mark.parametrize("training", [0.5, 1.0, 2.0])
def test_one_step_off_generates_while_it_trains(training):
    steps, _ = played([1.0] * 8, training, 6, queued(8, depth=1))
    assert {b.time - a.time for a, b in pairwise(steps)} == {max(1.0, training)}
    assert [delays(step) for step in steps] == [[0] * 8] + [[1] * 8] * 5


@pytest.mark.parametrize("depth", [0, 1, 8])
def test_so_many_episodes_are_begun_and_not_trained(depth):
    cluster = Cluster(64, Exponential(Fixed(1.0)), server=Server(Fixed(1.0)))
    begun = []
    simulation = Simulation(cluster, queued(16, depth=depth), trace=Sinks(begun.append))
    steps = list(simulation.steps(Stop(steps=30)))
    simulation.close_trace()
    ends = [0.0] + [step.time for step in steps]
    counts = [sum(each.start < end for each in begun) for end in ends[1:]]
    most = [16 * (version + 1 + depth) for version in range(30)]
    assert all(count <= limit for count, limit in zip(counts, most, strict=True))
    assert (counts == most) == (depth < 8)  # with 8 there are too few workers


def test_without_a_depth_no_worker_waits_for_the_trainer():
    _, simulation = played([1.0] * 8, 0.25, 40, queued(2, queue=4))
    assert simulation.accounts().idle.sum() == 0


# The queue


def test_a_full_queue_holds_the_workers_back():
    steps, simulation = played([1.0] * 4, 10.0, 3, queued(4, queue=1))
    assert [step.time for step in steps] == [11.0, 21.0, 31.0]
    # The second batch is in the queue at 2 s.  The third is complete at 3 s, and waits for room.
    assert simulation.accounts().busy.tolist() == [5.0] * 4
    assert [delays(step)[0] for step in steps] == [0, 1, 2]


@pytest.mark.parametrize(
    ("full", "second"), [("drop-oldest", 6), ("drop-newest", 1)], ids=["oldest", "newest"]
)
def test_a_full_queue_drops_a_prompt(full, second):
    """One worker makes an episode a second; the queue has room for two, and a step takes 7.5 s."""
    steps, simulation = played([1.0], 7.5, 2, queued(1, queue=2, full=full))
    assert [step.tickets[0].index for step in steps] == [0, second]
    assert simulation.accounts().idle.sum() == 0
    assert simulation.accounts().dropped.sum() > 0


def test_old_prompts_are_dropped_before_a_training():
    steps, simulation = played([1.0, 1.0, 10.5], 0.5, 12, queued(2, age=3))
    assert max(max(delays(step)) for step in steps) <= 3
    assert simulation.accounts().dropped.tolist() == [0, 0, 1]
    assert all(ticket.worker != 2 for step in steps for ticket in step.tickets)


# Prompts


def conversation(aggregation, workers, events):
    """All words of the story, up to the last of these events."""
    cluster = ScriptedCluster(workers)
    story = aggregation(cluster)
    request = story.send(None)
    for event in events:
        assert isinstance(request, Asked)
        assert request.word == "arrival"
        cluster.version = event.version if isinstance(event, Trained) else cluster.version
        request = story.send(event)
    return cluster.said


def sent(worker):
    return ("send", worker, 1, True)


def test_a_prompt_is_complete_with_its_last_episode():
    a, b, c, d = Ticket(0, 0, 0), Ticket(1, 0, 0), Ticket(2, 0, 0), Ticket(0, 0, 1)
    said = conversation(queued(2, group=2), 3, [a, c, d, b])
    half = [0.5, 0.5]
    assert said == [
        *(sent(0), sent(1), sent(2)),
        sent(0),  # a is in: worker 0 begins the other episode of the second prompt
        sent(2),
        ("train", [c, d], half),  # the second prompt is complete before the first
        *(sent(0), sent(1)),  # b completes the first prompt, which waits for the trainer
    ]


def test_the_episode_of_a_lost_worker_is_begun_again():
    a, b = Ticket(0, 0, 0), Ticket(0, 0, 1)
    said = conversation(queued(2, group=2), 2, [Lost(1), a, b, Joined(1)])
    assert said == [
        *(sent(0), sent(1)),
        sent(0),  # in place of worker 1
        ("train", [a, b], [0.5, 0.5]),
        sent(0),
        sent(1),
    ]


def test_newer_points_reach_the_episodes_under_way():
    a = Ticket(0, 0, 0)
    said = conversation(queued(1, update="during"), 2, [a, Trained(1)])
    assert said[-2:] == [("refresh", 1), ("refresh", 0)]
    steps, _ = played([1.0, 4.0], 0.5, 5, queued(1, update="during"))
    long = Ticket(1, 0, 0)
    [mixture] = [step.mixtures[long] for step in steps if long in step.tickets]
    shares = [step.time / 4.0 for step in steps if step.time < 4.0]
    assert mixture == ((0, 0.0), *((at + 1, share) for at, share in enumerate(shares)))


def test_a_batch_holds_whole_prompts():
    with pytest.raises(ValueError, match=r"^batch = 6: must be a multiple of group = 4$"):
        queued(6, group=4)


# The same rules one by one


def test_old_gradients_are_dropped_one_by_one():
    steps, simulation = played([1.0] * 3 + [9.5], 0.0, 40, greedy(age=5))
    assert max(delays(step)[0] for step in steps) <= 5
    assert simulation.accounts().dropped.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("depth", [0, 2])
def test_few_gradients_are_under_way(depth):
    steps, simulation = played([1.0] * 5, 0.0, 30, greedy(depth=depth))
    assert steps[-1].time == 30 / (depth + 1)
    assert simulation.accounts().busy.sum() == steps[-1].time * (depth + 1)
    workers = [step.tickets[0].worker for step in steps]
    assert {*workers[:6]} == {0, 1, 2, 3, 4}  # each in its turn


def test_a_lost_worker_leaves_its_turn_to_the_next():
    gone = Outages((Outage(0, 0.5, 5.25),))
    steps, _ = played([1.0, 1.0], 0.0, 4, greedy(depth=0), outages=gone)
    assert [(step.time, step.tickets[0].worker) for step in steps] == [
        (1.5, 1),
        (2.5, 1),
        (3.5, 1),
        (4.5, 1),
    ]


# How old are the episodes, on average?  By counting those that are under way or wait


def mean_age(slots, batch, rho, sigma, **settings):
    cluster = Cluster(
        slots, LogNormal(Fixed(1.0), sigma), server=Server(Fixed(rho * batch / slots))
    )
    steps = list(Simulation(cluster, queued(batch, **settings)).steps(Stop(steps=300)))[100:]
    return sum(step.mean_delay for step in steps) / len(steps)


@pytest.mark.parametrize("rho", [1.5, 4.0])
@pytest.mark.parametrize(("slots", "queue"), [(32, 1), (128, 3)])
def test_workers_that_wait_fill_the_queue_and_the_slots(slots, queue, rho):
    """One episode less where the newest one has just begun."""
    age = mean_age(slots, 64, rho, 1.0, queue=queue)
    assert age == pytest.approx(queue + slots / 64, abs=1 / 64 + 1e-9)


@pytest.mark.parametrize("slots", [32, 128])
def test_a_quick_trainer_leaves_the_batch_to_fill(slots):
    """Half a batch waits while the other half fills, and the trainer takes rho of the time."""
    assert mean_age(slots, 64, 0.5, 1.0) == pytest.approx(slots / 64 + 0.5, rel=0.02)
