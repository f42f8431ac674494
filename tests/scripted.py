"""A cluster that plays arrivals from a list, and records all calls."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import settings

from algorithms.tickets import Ticket
from algorithms.vocabulary import Joined, Lost, Request, Trained, no_worker

random_but_repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=200)


@dataclass
class Asked(Request):
    word: str
    what: Any

    def __iter__(self):
        return iter((self.word, self.what))


class ScriptedCluster:
    """Writes down what a story says.  A request counts as said only once it is yielded."""

    def __init__(self, workers):
        self.workers = workers
        self.version = 0
        self.there = set(range(workers))
        self.said = []

    def broadcast(self, *, quota=None, upload=False, **more):
        self.said.append(("broadcast", quota, upload, *unusual(**more)))

    def send(self, worker, *, quota=None, upload=False, **more):
        self.said.append(("send", worker, quota, upload, *unusual(**more)))

    def refresh(self, worker):
        self.said.append(("refresh", worker))

    def present(self):
        return sorted(self.there)

    def arrival(self, needs=no_worker):
        # Of all workers, those without which the step cannot close.
        return Asked("arrival", needs(range(self.workers)))

    def drop(self, ticket):
        self.said.append(("drop", ticket))

    def all_reduce(self, tickets):
        return Asked("all_reduce", tickets)

    def step(self, tickets, weights, keep=(), importance=None):
        kept = [set(keep)] if keep else []
        kept += [importance] if importance else []
        self.version += 1
        return Asked("step", (list(tickets), list(weights), *kept))

    def train(self, tickets, weights, keep=(), importance=None):
        more = [importance] if importance else []
        self.said.append(("train", list(tickets), list(weights), *more))


def unusual(work=1, limit=None, recall=False):
    """What of an order most stories leave as it is, where it is otherwise."""
    words = {"work": work, "limit": limit, "recall": recall}
    usual = {"work": 1, "limit": None, "recall": False}
    return [(word, value) for word, value in words.items() if value != usual[word]]


def conversation(aggregation, workers, arrivals):
    """All that is said until the story asks for an arrival after the last one."""
    cluster = ScriptedCluster(workers)
    story = aggregation(cluster)
    arrivals = iter(arrivals)
    answer = None
    while True:
        word, what = story.send(answer)
        # A copy, because a story may go on to change what it named.
        match word:
            case "arrival":
                cluster.said.append((word, set(what)))
            case "step":
                cluster.said.append((word, *what))
            case _:
                cluster.said.append((word, list(what)))
        answer = next(arrivals, None) if word == "arrival" else None
        if word == "arrival" and answer is None:
            return cluster.said
        match answer:
            case Lost(worker):
                cluster.there.discard(worker)
            case Joined(worker):
                cluster.there.add(worker)
            case Trained(version):
                cluster.version = version


def steps(said):
    return [words for words in said if words[0] == "step"]


def tickets_of(*workers, version=0):
    """One ticket per name, each worker's numbered in the order they come."""
    seen = Counter()
    tickets = []
    for worker in workers:
        tickets.append(Ticket(worker, version, seen[worker]))
        seen[worker] += 1
    return tickets
