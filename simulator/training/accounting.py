"""What is settled when a run ends?  Its accounts then, and the real seconds that it took."""

import time
from collections.abc import Callable, Sequence

from simulator.engine import Simulation
from simulator.scenario.scenario import Scenario
from simulator.schedule import Accounts
from simulator.training.lanes import Lane
from simulator.training.observer import Observer
from simulator.training.record import Run
from simulator.training.schedules import replay, stop_of, vector_of


class Accounting(Observer):
    """Of runs that share a schedule, which is set once the runs are in their lanes."""

    simulation: Simulation

    def __init__(
        self, scenario: Scenario, runs: Sequence[Run], ended: Callable[[int, Run], None]
    ) -> None:
        """``ended`` is called with the place of every run that has ended, and the run."""
        self._scenario, self._runs, self._ended = scenario, runs, ended
        self._going = list(runs)
        self._counted = time.perf_counter()
        self._replayed: Replayed | None = None

    def settle(self, run: Run) -> None:
        """This run has ended."""
        if run.end in ("stop", "stalled"):
            run.accounts = self.simulation.accounts()
        elif not run.accounts_are_newest:
            run.accounts = self._accounts_at(run)
        self._share_the_time()
        self._going = [other for other in self._going if other is not run]
        self._ended(next(at for at, other in enumerate(self._runs) if other is run), run)

    def rest(self, lanes: Sequence[Lane]) -> None:
        self._share_the_time()

    def _accounts_at(self, run: Run) -> Accounts:
        """At the run's last step, which the schedule has left behind: it is simulated again."""
        if self._replayed is None or self._replayed.steps > run.steps:
            self._replayed = Replayed(self._scenario, run)
        return self._replayed.accounts_at(run.steps)

    def _share_the_time(self) -> None:
        """Real seconds are shared by all runs that went on since they were counted last."""
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
        """Of all workers at this step, which is not one before ``self.steps``."""
        self._wanted = steps
        while self.steps < steps:
            step = next(self._stream)
            self.steps = step.number
            self._accounts = step.accounts or self._accounts
        return self._accounts

    def _is_wanted(self, number: int, time: float) -> bool:
        return number == self._wanted
