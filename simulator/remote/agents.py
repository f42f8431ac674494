"""Which cores of the cluster do the jobs?  Those of the agents: new ones for nodes that join.

Agents that are idle stay for a while, since a campaign may have several parts.
"""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulator.campaign.dispatch import Slot
from simulator.campaign.processes import heard
from simulator.campaign.runner import Act, OnItem, Work
from simulator.campaign.task import Job
from simulator.mistakes import Mistake
from simulator.remote import away
from simulator.remote.agent import Agent, Setup
from simulator.remote.connection import check_installed

MOMENT = 1.0
"""Seconds between two looks for cores that have joined."""
PATIENCE = 60.0
"""Seconds without any core until the campaign gives up."""
REST = 20.0
"""Seconds for which idle agents stay."""


def capacity(ray: Any, most: int | None) -> int:
    """The cores of the cluster, at most so many."""
    return min(int(ray.cluster_resources().get("CPU", 0)), most or 10**9)


class Agents:
    """The agents of all cores that are used."""

    remedy = "without --on ray it is done on this machine"

    def __init__(self, ray: Any, most: int | None, carried: Setup, token: Path | None) -> None:
        self._ray, self._most, self._setup, self._token = ray, most, carried, token
        self._actor = ray.remote(num_cpus=1, max_concurrency=4, scheduling_strategy="SPREAD")(Agent)
        self._all: list[_Agent] = IDLE.taken(carried)
        for agent in self._all:
            agent.token = token
        self._looked, self._alive = -MOMENT, time.monotonic()

    def free(self, left: int) -> Sequence[Slot]:
        now = time.monotonic()
        if now - self._looked >= MOMENT:
            self._looked = now
            while len(self._all) < min(left, capacity(self._ray, self._most)):
                carried = self._ray.put(self._setup)
                self._all.append(_Agent(self._ray, self._actor.remote(carried), self._token))
            self._check_alive(now)
        return [agent for agent in self._all if agent.ready and not agent.doing]

    def taken(self) -> Sequence["_Agent"]:
        return [agent for agent in self._all if agent.doing]

    def wait(self, seconds: float | None = None) -> Sequence[Slot]:
        asked = {agent.asked: agent for agent in self._all if agent.asked is not None}
        if not asked:
            time.sleep(min(seconds or MOMENT, MOMENT))
            return []
        first, _ = self._ray.wait([*asked], num_returns=1, timeout=min(seconds or MOMENT, MOMENT))
        done, _ = self._ray.wait([*asked], num_returns=len(asked), timeout=0)
        answered = [asked[ref] for ref in {*first, *done}]
        for agent in answered:
            if not agent.ready and not agent.greet():
                self.replace(agent)
        return [agent for agent in answered if agent.doing]

    def replace(self, dead: Slot) -> None:
        self._all = [agent for agent in self._all if agent is not dead]
        if isinstance(dead, _Agent):
            dead.end()
        self._looked = -MOMENT

    def end(self) -> None:
        idle = [agent for agent in self._all if agent.ready and not agent.doing]
        for agent in self._all:
            if agent not in idle:
                agent.end()
        IDLE.keep(self._setup, idle)

    def _check_alive(self, now: float) -> None:
        if any(agent.ready for agent in self._all):
            self._alive = now
        elif now - self._alive > PATIENCE:
            raise Mistake(
                f"--on ray: the cluster has had no free core for {PATIENCE:.0f} s; "
                "add a node, or free one; the same command continues"
            )


class _Agent:
    """An agent, as the driver sees it."""

    kind: str | None

    def __init__(self, ray: Any, actor: Any, token: Path | None) -> None:
        self._ray, self._actor, self.token = ray, actor, token
        self.doing, self.kind, self._fate = "", None, ""
        self.ready = False
        self.asked: Any = actor.hello.remote()
        """The question that it has not answered yet."""

    def greet(self) -> bool:
        """Take its first answer; False if it died before."""
        try:
            self._ray.get(self.asked)
        except self._ray.exceptions.RayActorError as error:
            check_installed(error)
            return False
        except self._ray.exceptions.OutOfMemoryError:
            return False
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        self.ready, self.asked = True, None
        return True

    def begin(self, act: "Act[Work]", name: str, work: Work) -> None:
        from multiprocessing.reduction import ForkingPickler

        self.doing, self._fate = name, ""
        message: Any = (act, name, work)
        if isinstance(work, Job):
            message = (away.perform, name, away.pack(act, work, self.token))  # type: ignore[arg-type]
        self._actor.begin.remote(bytes(ForkingPickler.dumps(message)))
        self.asked = self._actor.hear.remote()

    def hear(self, on_item: OnItem) -> bool:
        import pickle

        try:
            messages, self._fate = self._ray.get(self.asked)
        except self._ray.exceptions.OutOfMemoryError:  # Ray ended the agent, to save its node
            self._fate = "as its node ran out of memory (ray start --num-cpus=N lends fewer cores)"
            return False
        except self._ray.exceptions.RayError:
            return False
        for message in messages:
            self.doing = heard(pickle.loads(message), self.doing, on_item)
        if self._fate and self.doing:
            return False
        self.asked = self._actor.hear.remote() if self.doing else None
        return True

    def fate(self) -> str:
        return self._fate

    def interrupt(self) -> None:
        self._actor.interrupt.remote()

    def end(self) -> None:
        self._ray.kill(self._actor)


class _Idle:
    """Agents between two parts of a campaign."""

    def __init__(self) -> None:
        self._lock, self._agents = threading.Lock(), list[_Agent]()
        self._setup: Setup | None = None
        self._timer = threading.Timer(0, self.end)

    def taken(self, setup: Setup) -> "list[_Agent]":
        """The idle agents, if they were started with the same setup."""
        self._timer.cancel()
        if setup != self._setup:
            self.end()
        with self._lock:
            found, self._agents = self._agents, []
            return found

    def keep(self, setup: Setup, agents: "list[_Agent]") -> None:
        with self._lock:
            self._agents, self._setup = agents, setup
        self._timer = threading.Timer(REST, self.end)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        with self._lock:
            found, self._agents = self._agents, []
        for agent in found:
            agent.end()


IDLE = _Idle()
