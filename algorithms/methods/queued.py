"""Queued aggregation: workers generate episodes, a queue buffers them, and a trainer steps.

So asynchronous reinforcement learning of language models is run.  Episodes belong to prompts, and a
prompt is complete with its last episode.  The trainer takes complete prompts from the queue, the
oldest first.  Its step lasts as long as the server's update, and meanwhile workers generate.
"""

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Literal, TypeAlias

from algorithms.method import Mark, Method
from algorithms.tickets import Ticket
from algorithms.updates import nigt, sgd
from algorithms.vocabulary import (
    Aggregation,
    Batch,
    Bound,
    Cluster,
    Delay,
    Joined,
    Lost,
    Story,
    Trained,
)

Full: TypeAlias = Literal["wait", "drop-oldest", "drop-newest"]
Update: TypeAlias = Literal["between", "during"]


def queued(
    batch: Batch,
    group: Batch = 1,
    queue: Batch = 1,
    full: Full = "wait",
    depth: Delay | None = None,
    age: Delay | None = None,
    importance: Bound | None = None,
    update: Update = "between",
) -> Aggregation:
    """The mean of ``batch`` episodes, in prompts of ``group``, from a queue of ``queue`` batches.

    If the queue is ``full``, the worker that completes a prompt waits for room, or the oldest or
    newest prompt is dropped.  With ``depth`` workers begin no episode that is more than so many
    steps ahead: 0 is on-policy, 1 one step off.  Prompts older than ``age`` are dropped.  A worker
    gets new points ``between`` its episodes, or also ``during`` one.
    """
    if batch % group:
        raise ValueError(f"batch = {batch}: must be a multiple of group = {group}")
    weights, of_a_batch, capacity = [1 / batch] * batch, batch // group, queue * batch // group

    def story(cluster: Cluster) -> Story:
        rollouts, ready, training = Rollouts(cluster, group), deque[Prompt](), False
        while True:
            if not training:
                if age is not None:
                    drop_old(rollouts, ready, cluster.version - age)
                if training := len(ready) >= of_a_batch:
                    taken = [ready.popleft() for _ in range(of_a_batch)]
                    episodes = [ticket for prompt in taken for ticket in prompt.episodes]
                    cluster.train(episodes, weights, importance=importance)
            rollouts.unblock(len(ready) - capacity)
            rollouts.begin(inf if depth is None else (cluster.version + 1 + depth) * batch)
            match (yield cluster.arrival()):
                case Ticket() as ticket:
                    if prompt := rollouts.end(ticket):
                        ready.append(prompt)
                        if len(ready) > capacity:
                            match full:
                                case "wait":
                                    rollouts.block(ticket.worker)
                                case "drop-oldest":
                                    rollouts.drop(ready.popleft())
                                case "drop-newest":
                                    rollouts.drop(ready.pop())
                case Trained():
                    training = False
                    if update == "during":
                        rollouts.refresh()
                case Lost(worker):
                    rollouts.lose(worker)
                case Joined(worker):
                    rollouts.join(worker)

    return story


@dataclass(eq=False)
class Prompt:
    missing: int
    """Episodes that no worker has begun."""
    episodes: list[Ticket] = field(default_factory=list)


class Rollouts:
    """The episodes under way, and the workers without one."""

    def __init__(self, cluster: Cluster, group: int) -> None:
        self._cluster, self._group = cluster, group
        self._idle = deque(cluster.present())
        self._blocked = deque[int | None]()  # workers whose prompts wait for room; None: lost
        self._under_way: dict[int, Prompt] = {}
        self._open = deque[Prompt]()  # prompts with missing episodes
        self._begun = 0  # episodes, but for those that were lost or dropped

    def begin(self, most: float) -> None:
        """Idle workers begin episodes, up to so many in all."""
        while self._idle and self._begun < most:
            if not self._open:
                self._open.append(Prompt(self._group))
            prompt, worker = self._open[0], self._idle.popleft()
            prompt.missing -= 1
            if not prompt.missing:
                self._open.popleft()
            self._under_way[worker] = prompt
            self._begun += 1
            self._cluster.send(worker, quota=1, upload=True)

    def end(self, ticket: Ticket) -> Prompt | None:
        """An episode has arrived; returns its prompt if that is complete."""
        prompt = self._under_way.pop(ticket.worker)
        prompt.episodes.append(ticket)
        self._idle.append(ticket.worker)
        return prompt if len(prompt.episodes) == self._group else None

    def block(self, worker: int) -> None:
        """The prompt that this worker has completed waits for room in the queue."""
        self._idle.remove(worker)
        self._blocked.append(worker)

    def unblock(self, waiting: int) -> None:
        """So many prompts still wait for room."""
        while len(self._blocked) > max(0, waiting):
            worker = self._blocked.popleft()
            if worker is not None:
                self._idle.append(worker)

    def lose(self, worker: int) -> None:
        """A worker fails: another one begins its episode again."""
        if worker in self._idle:
            self._idle.remove(worker)
        elif worker in self._blocked:
            self._blocked[self._blocked.index(worker)] = None
        elif prompt := self._under_way.pop(worker, None):
            if not prompt.missing:
                self._open.appendleft(prompt)
            prompt.missing += 1
            self._begun -= 1

    def join(self, worker: int) -> None:
        self._idle.append(worker)

    def drop(self, prompt: Prompt) -> None:
        for ticket in prompt.episodes:
            self._cluster.drop(ticket)
        self._begun -= self._group

    def refresh(self) -> None:
        for worker in self._under_way:
            self._cluster.refresh(worker)


def drop_old(rollouts: Rollouts, ready: deque[Prompt], oldest: int) -> None:
    """Drop the prompts with an episode from before this version."""
    kept = []
    for prompt in ready:
        if min(ticket.version for ticket in prompt.episodes) < oldest:
            rollouts.drop(prompt)
        else:
            kept.append(prompt)
    ready.clear()
    ready.extend(kept)


METHODS = {
    "queued-pg": Method(
        queued,
        sgd,
        "episodes through a queue to a trainer, plain ascent",
        mark=Mark("#882255", 4),
    ),
    "queued-nigt": Method(
        queued,
        nigt,
        "episodes through a queue to a trainer, normalised",
        mark=Mark("#882255", 0),
    ),
}
