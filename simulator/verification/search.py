"""Where in many sorted rows, worker by worker, is this moment?  For all questions at once."""

from typing import Literal

import numpy as np

from simulator.cluster.law import Floats, Integers


def position(
    workers: Integers,
    moments: Floats,
    among_workers: Integers,
    among_moments: Floats,
    side: Literal["left", "right"],
) -> Integers:
    """How many rows of ``among``, sorted by worker and then moment, are before each question.

    ``np.searchsorted`` for pairs: with ``"right"`` equal rows count as before.

    >>> position(np.array([1, 1]), np.array([2.0, 9.0]), np.array([0, 1]), np.ones(2), "left")
    array([2, 2])
    """
    many, asked = len(among_workers), len(workers)
    last = 1 if side == "right" else -1
    who = np.concatenate([among_workers, workers])
    when = np.concatenate([among_moments, moments])
    questions = np.concatenate([np.zeros(many), np.full(asked, last)])
    order = np.lexsort((questions, when, who))
    before = np.cumsum(order < many)
    found = np.empty(asked, np.int64)
    theirs = order >= many
    found[order[theirs] - many] = before[theirs]
    return found


def occurs(
    workers: Integers, moments: Floats, among_workers: Integers, among_moments: Floats
) -> np.ndarray:
    """Whether each pair is one of those, which need not be sorted."""
    order = np.lexsort((among_moments, among_workers))
    who, when = among_workers[order], among_moments[order]
    left = position(workers, moments, who, when, "left")
    right = position(workers, moments, who, when, "right")
    return right > left
