"""Does verification find careful forgeries that were sealed anew?

Every forgery mends what depends on it: counts, sums and shares agree, and all seals are right.
"""

import shutil

import numpy as np
import pandas as pd
import pytest
from verified import METHODS, RANDOM, message, recorded, retell, sealed

from simulator.verification import verify_directory

NETWORK = {"upload": [0.5, 0.1, 0.9, 0.3], "download": 0.25}
FORGED = ("rennala-nigt", "malenia-pg", "afedpg", "ringmaster-pg", "fedbuff", "mindflayer-pg")


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A run of each method, by its name."""
    folder = tmp_path_factory.mktemp("honest")
    stop = {"seconds": 40.5}
    for name in FORGED:
        methods = {name: METHODS[name]}
        recorded(folder / name, methods, {"compute": RANDOM}, network=NETWORK, stop=stop)
    return folder


class Tables:
    """The tables of one run, to be altered, and written back with all sums mended."""

    def __init__(self, folder):
        self.folder = folder
        (self.file,) = (folder / "tickets.parquet").glob("*.parquet")
        self.tickets = pd.read_parquet(self.file)
        self.steps = pd.read_parquet(folder / "steps.parquet")
        self.workers = pd.read_parquet(folder / "workers.parquet")

    def used(self, at=3):
        """The row of a gradient in the middle of the run."""
        rows = self.tickets.index[self.tickets["outcome"] == "used"]
        return rows[len(rows) // at]

    def mend(self):
        """Make all counts, sums and shares follow from the tickets."""
        fates = self.tickets["outcome"].replace("waiting", "unfinished")
        worker = self.tickets["worker"]
        count = len(self.workers)
        for fate in ("used", "recalled", "dropped", "lost", "unfinished"):
            self.workers[fate] = np.bincount(worker[fates == fate], minlength=count)
        self.workers["started"] = np.bincount(worker, minlength=count)
        lasted = self.tickets["finish"] - self.tickets["start"]
        busy = np.bincount(worker, lasted, count)
        self.workers["idle"] += self.workers["busy"] - busy
        self.workers["busy"] = busy
        vain = fates.isin(["recalled", "dropped", "lost"])
        self.workers["wasted"] = np.bincount(worker[vain], lasted[vain], count).astype(float)
        new = self.tickets["used_in_step"].dropna().astype(int)
        sizes = np.bincount(new, minlength=len(self.steps))
        self.steps["tickets"], self.steps["gradients"] = sizes, np.cumsum(sizes)

    def write(self):
        self.tickets.to_parquet(self.file)
        self.steps.to_parquet(self.folder / "steps.parquet")
        self.workers.to_parquet(self.folder / "workers.parquet")
        sums = self.workers.sum(numeric_only=True)
        end = message(self.folder)["runs"][0]["simulated_seconds"]

        def tell(manifest):
            for run in manifest["runs"]:
                for name in ("started", "used", "recalled", "dropped", "lost", "unfinished"):
                    run[name] = int(sums[name])
                for name in ("busy", "communicating", "down", "idle", "wasted"):
                    run[f"{name}_share"] = float(self.workers[name].mean() / end)

        retell(self.folder, tell)
        sealed(self.folder)


# Forgeries


def all_times_a_little_later(of):
    of.tickets["start"] = np.where(of.tickets["start"] > 0, of.tickets["start"] + 1e-6, 0.0)
    of.tickets["finish"] = np.minimum(of.tickets["finish"] + 1e-6, 40.5)
    of.steps.loc[1:, "time"] += 1e-6


def one_computation_shorter(of):
    of.tickets.loc[of.used(), "finish"] -= 1e-6


def two_tickets_swapped(of):
    """Two workers' gradients change their places in the steps."""
    used = of.tickets[of.tickets["outcome"] == "used"]
    first = used.index[len(used) // 3]
    others = used[used["worker"] != used.loc[first, "worker"]]
    second = others.index[len(others) // 2]
    columns = ["used_in_step", "weight"]
    swapped = of.tickets.loc[[second, first], columns].to_numpy()
    of.tickets.loc[[first, second], columns] = swapped


def two_workers_swapped(of):
    of.tickets["worker"] = of.tickets["worker"].replace({0: 1, 1: 0})


def a_gradient_dropped(of):
    row = of.used()
    of.tickets.loc[row, ["used_in_step", "weight"]] = [None, None]
    of.tickets.loc[row, "outcome"] = "dropped"


def a_gradient_taken_out(of):
    of.tickets = of.tickets.drop(of.used()).reset_index(drop=True)


def an_extra_gradient(of):
    extra = of.tickets.loc[[of.used()]].assign(index=99)
    of.tickets = pd.concat([of.tickets, extra]).sort_values("used_in_step", kind="stable")


def a_recalled_gradient_used(of):
    vain = of.tickets.index[of.tickets["outcome"].isin(["recalled", "dropped", "unfinished"])]
    like = of.tickets.loc[of.used()]
    for name in ("used_in_step", "weight", "outcome"):
        of.tickets.loc[vain[0], name] = like[name]
    of.tickets = of.tickets.sort_values("used_in_step", kind="stable")


def all_weights_larger(of):
    of.tickets["weight"] *= 1.0001


def a_step_earlier(of):
    of.steps.loc[len(of.steps) // 2, "time"] -= 1e-6


def an_older_point(of):
    row = of.used(at=2)
    of.tickets.loc[row, "version"] -= 1
    of.tickets.loc[row, "index"] = 7


def smaller_delays(of):
    of.steps["mean_delay"] *= 0.999


def idling_told_as_communicating(of):
    of.workers["communicating"] += of.workers["idle"] / 2
    of.workers["idle"] /= 2


FORGERIES = [
    all_times_a_little_later,
    one_computation_shorter,
    two_tickets_swapped,
    two_workers_swapped,
    a_gradient_dropped,
    a_gradient_taken_out,
    an_extra_gradient,
    a_recalled_gradient_used,
    all_weights_larger,
    a_step_earlier,
    an_older_point,
    smaller_delays,
    idling_told_as_communicating,
]
NO_CHANGE = {
    (smaller_delays, "rennala-nigt"),
    (smaller_delays, "malenia-pg"),
    (smaller_delays, "mindflayer-pg"),
    (idling_told_as_communicating, "afedpg"),
    (idling_told_as_communicating, "ringmaster-pg"),
    (idling_told_as_communicating, "fedbuff"),
}
"""Without delays, or without idle workers, there is nothing to forge."""


@pytest.mark.parametrize("method", FORGED)
def test_an_unforged_directory_is_clean(method, honest, tmp_path):
    folder = shutil.copytree(honest / method, tmp_path / "same")
    tables = Tables(folder)
    tables.mend()
    tables.write()
    assert verify_directory(folder).problems == []


@pytest.mark.parametrize("method", FORGED)
@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forgery_is_found(forge, method, honest, tmp_path):
    folder = shutil.copytree(honest / method, tmp_path / "forged")
    tables = Tables(folder)
    forge(tables)
    if forge not in (smaller_delays, idling_told_as_communicating):
        tables.mend()
    tables.write()
    found = verify_directory(folder)
    assert not any(problem.check == "seal" for problem in found.problems)
    assert found.clean == ((forge, method) in NO_CHANGE)
