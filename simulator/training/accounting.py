"""What are the accounts and the real seconds of a run that ends?"""

import time
from collections.abc import Callable, Sequence

from simulator.engine import Simulation
from simulator.scenario.scenario import Scenario
from simulator.schedule import Accounts
from simulator.training.lanes import Lane
from simulator.training.observer import Observer
from simulator.training.record import Run
from simulator.training.recorded import Recorded
from simulator.training.schedules import replay, stop_of, vector_of


class Accounting(Observer):
    """The accounts of runs that share a schedule, set once the runs are in their lanes."""

    schedule: Simulation | Recorded

    def __init__(
        self, scenario: Scenario, runs: Sequence[Run], ended: Callable[[int, Run], None]
    ) -> None:
        """``ended(at, run)`` is called with every run that has ended, and its place."""
        self._scenario, self._runs, self._ended = scenario, runs, ended
        self._going = list(runs)
        self._counted = time.perf_counter()
        self._replayed: Replayed | None = None

    def settle(self, run: Run) -> None:
        if run.end in ("stop", "stalled"):
            run.accounts = self.schedule.accounts()
        elif not run.accounts_are_newest:
            run.accounts = self._accounts_at(run)
        self._share_the_time()
        self._going = [other for other in self._going if other is not run]
        self._ended(next(at for at, other in enumerate(self._runs) if other is run), run)

    def rest(self, lanes: Sequence[Lane]) -> None:
        self._share_the_time()

    def _accounts_at(self, run: Run) -> Accounts:
        """Those at the run's last step, an earlier one of the schedule: it is simulated again."""
        if isinstance(self.schedule, Recorded):
            return self.schedule.accounts_at(run.steps)
        if self._replayed is None or self._replayed.steps > run.steps:
            self._replayed = Replayed(self._scenario, run)
        return self._replayed.accounts_at(run.steps)

    def _share_the_time(self) -> None:
        """Divide the real seconds since the last call among the runs that were going on."""
        now = time.perf_counter()
        for run in self._going:
            run.real_seconds += (now - self._counted) / len(self._going)
        self._counted = now


class Replayed:
    """The schedule of some runs, simulated again from one step to a later one."""

    def __init__(self, scenario: Scenario, run: Run) -> None:
        self.steps = self._wanted = 0
        self._simulation = replay(scenario, run, vector_of(scenario), account_when=self._is_wanted)
        self._stream = self._simulation.steps(stop_of(scenario))
        self._accounts = self._simulation.accounts()

    def accounts_at(self, steps: int) -> Accounts:
        """The accounts at this step, which is at least ``self.steps``."""
        self._wanted = steps
        while self.steps < steps:
            step = next(self._stream)
            self.steps = step.number
            self._accounts = step.accounts or self._accounts
        return self._accounts

    def _is_wanted(self, number: int, time: float) -> bool:
        return number == self._wanted
