"""Measures the signal-to-noise ratio of one gradient of K episodes, with and without a baseline.

python docs/signal_to_noise.py CartPole-v1 50 4096    after 0 and 50 steps, from 4096 episodes each
python docs/signal_to_noise.py Humanoid-v4 50 768

It writes a table in Markdown.  The policies come from synchronous NIGT with 20 equal workers.
The signal is |grad J|: the length of the mean of all rows' gradients, by their precision, corrected
for its error.  The noise is sqrt(E|g - E g|^2) of each row's own gradients.
"""

import sys
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from algorithms.tickets import Ticket
from simulator.scenario import loading
from simulator.training.executor import chunks, padded_tickets
from simulator.training.jax_setup import prepare
from simulator.training.laboratory import Laboratory

ROWS = [(1, "none"), (4, "none"), (4, "leave-one-out"), (16, "none"), (16, "leave-one-out")]


def tables(environment: str, steps: int, **estimator: Any) -> dict[str, Any]:
    """The scenario; ``estimator`` are further keys of its objective."""
    objective = {"kind": "policy-gradient", "environment": environment, "horizon": 200}
    return {
        "seeds": [0],
        "cluster": {"workers": 20, "compute": 1.0},
        "objective": objective | estimator,
        "evaluation": {"every_steps": max(1, steps), "episodes": 100},
        "stop": {"steps": max(1, steps)},
        "methods": {"synchronous-nigt": {"step": 0.02, "momentum": 0.1}},
    }


def policy(environment: str, steps: int) -> tuple[np.ndarray, float]:
    """The point after so many steps, and its return."""
    scenario = loading.check(tables(environment, steps))
    run = Laboratory(scenario.build_objective()).run(scenario)
    if steps:
        return np.asarray(run.point), run.evaluations["return"][-1]
    start = scenario.build_objective().initial_point(jax.random.key(0))
    return np.asarray(start), run.evaluations["return"][0]


def gradients(environment: str, point: np.ndarray, total: int, **estimator: Any) -> np.ndarray:
    """As many gradients as have so many episodes in ``total``."""
    values = loading.check(tables(environment, 0, **estimator)).build_objective()
    tickets = [Ticket(0, 1, index) for index in range(total // estimator["episodes"])]
    root, each = jax.random.key(1)[None], []
    for chunk in chunks(len(tickets)):
        rows, ones = padded_tickets(tickets[chunk], point.dtype)
        points = np.broadcast_to(point, (1, len(rows), len(point)))
        found, _ = values.gradients(root, points, rows, ones[None])
        each.append(np.asarray(found, np.float64)[0, : chunk.stop - chunk.start])
    return np.concatenate(each)


def ratios(environment: str, point: np.ndarray, total: int) -> list[float]:
    """The ratio of every row."""
    means, variances, precisions = [], [], []
    for number, baseline in ROWS:
        each = gradients(environment, point, total, episodes=number, baseline=baseline)
        means.append(each.mean(axis=0))
        variances.append(((each - means[-1]) ** 2).sum() / (len(each) - 1))
        precisions.append(len(each) / variances[-1])
    mean = np.average(means, axis=0, weights=precisions)
    signal = np.sqrt(max(0.0, mean @ mean - 1 / sum(precisions)))
    return [float(signal / np.sqrt(variance)) for variance in variances]


def lines(environment: str, steps: int, total: int) -> Iterator[str]:
    yield "| steps | return | " + " | ".join(f"K = {k}, {name}" for k, name in ROWS) + " |"
    yield "| --- " * (2 + len(ROWS)) + "|"
    for done in (0, steps):
        point, score = policy(environment, done)
        found = ratios(environment, point, total)
        yield f"| {done} | {score:.0f} | " + " | ".join(f"{each:.3f}" for each in found) + " |"


def main(arguments: list[str]) -> None:
    environment, steps, total = arguments
    prepare()
    for line in lines(environment, int(steps), int(total)):
        print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
