"""What is known of one run?  Its rows of every file, and what its scenario says of times."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulator.cluster import Cluster, Vector
from simulator.cluster.law import Floats
from simulator.cluster.network import Transfers
from simulator.scenario.scenario import Scenario
from simulator.verification.attempts import Attempts, attempts
from simulator.verification.families import IN_ROUNDS
from simulator.verification.presence import Presence
from simulator.verification.tickets import Flags, Tickets

STEPS, WORKERS, TICKETS = "steps.parquet", "workers.parquet", "tickets.parquet"
RELATIVE = 1e-9
"""How far apart two ways to the same number may be, where the last bit is not promised."""


def close(mine: Floats, theirs: Floats, scale: float = 1.0) -> Flags:
    """Equal up to rounding."""
    bound = RELATIVE * np.maximum(scale, np.abs(theirs))
    with np.errstate(invalid="ignore"):
        return np.asarray((mine == theirs) | (np.abs(mine - theirs) <= bound))


@dataclass(frozen=True)
class Evidence:
    """One run, as its files tell it: a column is an array, by its name."""

    label: str
    seed: int
    family: str
    settings: Mapping[str, Any]
    scenario: Scenario
    cluster: Cluster
    vector: Vector
    schedule_only: bool
    row: Mapping[str, Any]
    steps: Mapping[str, np.ndarray]
    workers: Mapping[str, np.ndarray]
    tickets: Tickets | None

    @property
    def many(self) -> int:
        """Workers."""
        return self.cluster.workers

    @property
    def closed(self) -> int:
        """Server steps."""
        return len(self.times) - 1

    @property
    def times(self) -> Floats:
        """When each version came to be: that of step 0 is 0."""
        return self.steps["time"]

    @cached_property
    def end(self) -> float:
        """The run's simulated seconds."""
        return float(self.row["simulated_seconds"])

    @cached_property
    def timing(self) -> int:
        """The seed of the times."""
        return self.scenario.timing_seed(self.seed)

    @cached_property
    def presence(self) -> Presence:
        return Presence.of(self.cluster, self.timing, self.end)

    @property
    def lossy(self) -> bool:
        """Whether who goes loses what it has."""
        return bool(self.presence) and self.cluster.outages.work == "lost"

    @property
    def paused(self) -> bool:
        """Whether who goes goes on later."""
        return bool(self.presence) and self.cluster.outages.work == "continued"

    @property
    def exact(self) -> bool:
        """Whether a computation ends at its start plus its seconds, to the bit."""
        return self.cluster.speed is None and not self.paused

    @cached_property
    def uploads(self) -> Transfers:
        return self.cluster.uploads(self.timing, self.vector)

    @cached_property
    def downloads(self) -> Transfers:
        return self.cluster.downloads(self.timing, self.vector)

    @property
    def free(self) -> bool:
        """Whether nothing that is sent takes time."""
        return self.uploads.free and self.downloads.free and self.cluster.network.uplink is None

    @property
    def shared(self) -> bool:
        """Whether uploads share a bandwidth, so that single ends have only bounds."""
        uplink = self.cluster.network.uplink
        return uplink is not None and uplink.contention == "share"

    @property
    def alone(self) -> float:
        """The seconds of a vector on an uplink without others; 0 where there is none."""
        uplink = self.cluster.network.uplink
        return self.vector.bytes / uplink.bandwidth if uplink else 0.0

    @property
    def one_by_one(self) -> bool:
        """Whether each gradient crosses the network by itself."""
        return self.family not in IN_ROUNDS

    @property
    def recalls(self) -> bool:
        return self.cluster.in_flight == "recall"

    @cached_property
    def limits(self) -> Floats:
        """After how many seconds each worker breaks off."""
        limit = self.settings.get("limit", np.inf)
        return np.broadcast_to(np.asarray(limit, float), self.many)

    def known(self) -> Tickets:
        """The tickets, for a check that needs them."""
        assert self.tickets is not None
        return self.tickets

    # Of every ticket

    @cached_property
    def seconds(self) -> Floats:
        """What the cluster's law says of this worker's k-th computation."""
        tickets = self.known()
        drawn = self.cluster.computations(self.timing).each(tickets.worker, tickets.number)
        return drawn * int(self.settings.get("local_steps", 1)) * tickets.length

    @cached_property
    def planned(self) -> Floats:
        """When each computation ends if nobody stops it."""
        tickets = self.known()
        if self.cluster.speed is not None:
            return self._paced()
        return self.after(tickets.start, self.seconds)

    def after(self, begins: Floats, seconds: Floats) -> Floats:
        """So many seconds later for each ticket's worker, who stands still while it is away."""
        ends = begins + seconds
        while self.paused:
            away = self.presence.absent(self.known().worker, begins, ends)
            later = begins + seconds + away
            if (later == ends).all():
                break
            ends = later
        return ends

    def _paced(self) -> Floats:
        """Where the speed changes: the integral of it, without the seconds away."""
        pace = self.cluster.pace(self.timing)
        assert pace is not None
        tickets, away, ends = self.known(), self.presence, []
        rows = zip(tickets.worker.tolist(), tickets.start.tolist(), self.seconds, strict=True)
        for worker, start, seconds in rows:
            begin, left = start, seconds
            end = pace.finish(worker, begin, left)
            while self.paused and end < np.inf:
                who, when = np.array([worker]), np.array([begin])
                gone = float(away.next_begin(who, when)[0])
                if gone >= end:
                    break
                left -= pace.work(worker, gone) - pace.work(worker, begin)
                begin = float(away.back(who, np.array([np.nextafter(gone, np.inf)]))[0])
                end = pace.finish(worker, begin, left) if begin < np.inf else np.inf
            ends.append(end)
        return np.array(ends, float)

    def same(self, mine: Floats, theirs: Floats) -> Flags:
        """Equal: to the bit where that is promised."""
        return np.asarray(mine == theirs) if self.exact else close(mine, theirs)

    @cached_property
    def through(self) -> Flags:
        """Computations that came to their own end, whatever became of them."""
        tickets = self.known()
        ended = tickets.where("used", "dropped", "waiting")
        return ended | (tickets.where("lost") & self.same(tickets.finish, self.planned))

    @cached_property
    def overlong(self) -> Flags:
        """Computations that would take longer than their limit."""
        if self.cluster.speed is None:
            return np.asarray(self.seconds > self.limits[self.known().worker])
        return np.asarray(self.planned > self.broken_off)

    @cached_property
    def broken_off(self) -> Floats:
        """When each computation reaches its limit."""
        tickets = self.known()
        return self.after(tickets.start, self.limits[tickets.worker])

    @cached_property
    def sent(self) -> Flags:
        """Gradients that are uploaded by themselves: not who finishes at an old point."""
        tickets = self.known()
        followed = np.append((tickets.later & ~tickets.first)[1:], False)
        late = (self.family == "ringleader") & tickets.where("dropped") & ~followed
        return np.asarray(self.through & ~late)

    @cached_property
    def arrival(self) -> Floats:
        """When each gradient that is sent by itself reaches the server; NaN if that is unknown."""
        tickets = self.known()
        latency, transit = self.uploads.each(tickets.worker, tickets.rank_among(self.sent))
        if self.cluster.network.uplink is None:
            come = tickets.finish + (latency + transit)
            return np.where(self.sent, come, np.nan)
        alone = tickets.where("used") & (self.steps["tickets"][tickets.step] == 1)
        return np.where(alone, self.times[tickets.step], np.nan)

    @property
    def _forfeiting(self) -> bool:
        """Whether a round goes on without those who were lost."""
        return self.family == "mindflayer" and self.lossy

    @cached_property
    def attempts(self) -> Attempts:
        """MindFlayer's rounds."""
        each = np.broadcast_to(np.asarray(self.settings["attempts"], np.int64), self.many)
        return attempts(self.known(), self.presence, self.times, each)

    @property
    def sure_of_rounds(self) -> bool:
        """Whether it is known who took part in each."""
        return not self._forfeiting or self.attempts.sure

    @cached_property
    def full(self) -> Floats:
        """When the batch of each version was full, the last one's as far as it has come."""
        tickets = self.known()
        if self._forfeiting and self.attempts.sure:
            return self.attempts.over
        held = tickets.where("used", "waiting")
        if self.family == "mindflayer":
            held = held | tickets.where("recalled", "lost")
        full = np.full(self.closed + 1, -np.inf)
        np.maximum.at(full, tickets.version[held], tickets.finish[held])
        return np.where(np.isinf(full), self.times, full)

    @cached_property
    def before_full(self) -> Flags:
        """Computations that ended before their batch was full: at that instant, by worker."""
        tickets, full = self.known(), self.full[self.known().version]
        at_full = tickets.finish == full
        if self.family == "mindflayer":  # full when the last of all has ended
            return np.asarray(tickets.finish <= full)
        closer = np.full(self.closed + 1, -1)
        closing = tickets.where("used", "waiting") & at_full
        np.maximum.at(closer, tickets.version[closing], tickets.worker[closing])
        earlier = at_full & (tickets.worker < closer[tickets.version])
        return np.asarray((tickets.finish < full) | earlier)
