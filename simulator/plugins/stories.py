"""Does a plug-in's story keep to the rules of the vocabulary?  Every call is checked.

Shipped stories are tested instead: checking each of their calls would take time.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from math import inf, isfinite
from typing import Any

from algorithms.methods import METHODS
from algorithms.tickets import Ticket
from algorithms.updates import Rule
from algorithms.vocabulary import (
    Aggregation,
    Cluster,
    Event,
    Needs,
    Request,
    Story,
    no_worker,
)
from simulator.mistakes import Mistake
from simulator.plugins.registry import origins

SILENCE, OF_EACH = 1000, 10
"""Calls in a row, and more calls for each worker, after which a story counts as never waiting."""


def story_of(method: str, settings: Mapping[str, Any]) -> Aggregation:
    """The aggregation of a registered method; a plug-in's calls are checked."""
    aggregation = METHODS[method].aggregate(settings)
    origin = origins.get(("methods", method))
    return aggregation if origin is None else _checked(aggregation, origin.plugin)


def check_parts(name: str, settings: Mapping[str, Any]) -> None:
    """Refuse a plug-in's method whose functions do not make a story and a rule."""
    origin = origins.get(("methods", name))
    if origin is None or None in settings.values():  # theory chooses these settings later
        return
    story, rule = METHODS[name].aggregate(settings), METHODS[name].update_rule(settings)
    place = f"plug-in {origin.plugin}: methods.{name}: its"
    order = "give Method(aggregation, rule, summary) in this order"
    found = f"aggregation makes a {type(story).__name__}, not a story"
    _demand(callable(story), f"{place} {found}; {order}")
    found = f"rule makes a {type(rule).__name__}, not a Rule"
    _demand(isinstance(rule, Rule), f"{place} {found}; {order}")


def _checked(aggregation: Aggregation, plugin: str) -> Aggregation:
    def story(cluster: Cluster) -> Story:
        rules = Rules(cluster)
        inner = aggregation(rules)
        message = f"plug-in {plugin}: a story is no generator; yield cluster.arrival() in it"
        _demand(isinstance(inner, Generator), message)
        answer: Event | None = None
        while True:
            try:
                request = inner.send(answer)
            except StopIteration:
                return
            rules.on_yield()
            answer = yield request
            if answer is not None:
                rules.on_event(answer)

    return story


class Rules:
    """A story's cluster, which refuses calls that break the rules."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.workers = cluster.workers
        self._arrived: set[Ticket] = set()
        """Gradients that no step has used, and that are not dropped."""
        self._kept: frozenset[Ticket] = frozenset()
        self._silence = 0
        self._unyielded = ""
        """The word of a request that the story has not yielded."""

    @property
    def version(self) -> int:
        return self._cluster.version

    def on_yield(self) -> None:
        self._unyielded = ""

    def on_event(self, event: Event) -> None:
        self._silence = 0
        if isinstance(event, Ticket):
            self._arrived.add(event)

    def present(self) -> Sequence[int]:
        return self._cluster.present()

    def broadcast(self, *, quota: int | None = None, upload: bool = False, work: float = 1) -> None:
        self._order(quota, work)
        self._cluster.broadcast(quota=quota, upload=upload, work=work)

    def send(
        self,
        worker: int,
        *,
        quota: int | None = None,
        upload: bool = False,
        work: float = 1,
        limit: float | None = None,
        recall: bool = False,
    ) -> None:
        known = f"there are {self.workers}, from 0"
        _demand(0 <= worker < self.workers, f"an order to worker {worker}: {known}")
        _demand(limit is None or limit > 0, f"limit = {limit}: must be more than 0 seconds")
        self._order(quota, work)
        self._cluster.send(
            worker, quota=quota, upload=upload, work=work, limit=limit, recall=recall
        )

    def refresh(self, worker: int) -> None:
        self._count_call()
        self._cluster.refresh(worker)

    def arrival(self, needs: Needs = no_worker) -> Request:
        self._request("arrival")
        return self._cluster.arrival(needs)

    def drop(self, ticket: Ticket) -> None:
        self._check_arrived([ticket], "drops")
        self._arrived.discard(ticket)
        self._cluster.drop(ticket)

    def all_reduce(self, tickets: Sequence[Ticket]) -> Request:
        self._count_call()
        self._check_arrived(tickets, "reduces")
        self._request("all_reduce")
        return self._cluster.all_reduce(tickets)

    def step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> Request:
        self._check_step(tickets, weights, keep, importance)
        self._request("step")
        return self._cluster.step(tickets, weights, keep, importance)

    def train(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket] = (),
        importance: float | None = None,
    ) -> None:
        self._check_step(tickets, weights, keep, importance)
        self._cluster.train(tickets, weights, keep, importance)

    def _check_step(
        self,
        tickets: list[Ticket],
        weights: list[float],
        keep: Collection[Ticket],
        importance: float | None,
    ) -> None:
        self._count_call()
        step = f"step {self.version + 1}"
        sizes = f"{len(weights)} weights for {len(tickets)} gradients"
        _demand(len(weights) == len(tickets), f"{step}: {sizes}; give one weight for each")
        for weight in weights:
            problem = f"{step}: a weight is {weight!r}; it must be a finite number"
            _demand(_is_finite(weight), problem)
        _demand(len(set(tickets)) == len(tickets), f"{step}: has a gradient twice; name it once")
        fresh = [ticket for ticket in tickets if ticket not in self._kept]
        self._check_arrived(fresh, "closes a step with")
        known = self._kept.union(tickets)
        for ticket in keep:
            _demand(ticket in known, f"{step}: keeps {ticket}, which neither it nor the last has")
        self._arrived.difference_update(tickets)
        good = importance is None or 0 < importance < inf
        _demand(good, f"{step}: importance = {importance}: must be a positive number")
        again = importance is not None and (keep or self._kept.intersection(tickets))
        _demand(not again, f"{step}: keeps or repeats gradients; leave importance or keep out")
        self._kept = frozenset(keep)

    def _order(self, quota: int | None, work: float) -> None:
        self._count_call()
        _demand(quota is None or quota >= 1, f"quota = {quota}: must be 1 or more, or None")
        _demand(0 < work < inf, f"work = {work}: must be a positive number")

    def _check_arrived(self, tickets: Sequence[Ticket], verb: str) -> None:
        for ticket in tickets:
            problem = f"it {verb} {ticket}, which has not arrived, or was used before"
            _demand(ticket in self._arrived, f"{problem}; use each gradient once, or keep it")

    def _request(self, word: str) -> None:
        self._check_yielded()
        self._unyielded = word

    def _check_yielded(self) -> None:
        word = self._unyielded
        _demand(not word, f"it called {word} without yield; write: yield cluster.{word}(…)")

    def _count_call(self) -> None:
        self._check_yielded()
        self._silence += 1
        problem = f"it has made {self._silence:,} calls and waited for nothing"
        most = SILENCE + OF_EACH * self.workers
        _demand(self._silence < most, f"{problem}; yield cluster.arrival() between steps")


def _is_finite(weight: Any) -> bool:
    try:
        return isfinite(weight)
    except TypeError:
        return False


def _demand(good: bool, message: str) -> None:
    if not good:
        raise Mistake(message)
