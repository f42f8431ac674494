"""Which finite Markov decision processes are there, and what are their best values?

In numpy only, so that the constants of a scenario need no JAX.  Rewards lie in [0, 1].
"""

from math import isqrt
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

SLIP = 0.1
"""The probability that another action takes effect, in a chain and in a grid."""


class Mdp(NamedTuple):
    """One process, or one per worker: then all but ``start`` have a first axis of workers."""

    transitions: Floats
    """(S, A, S): the probability of each next state."""
    rewards: Floats
    """(S, A)"""
    start: Floats
    """(S,): the probability of each first state."""


def garnet(random: np.random.Generator, states: int, actions: int, branching: int) -> Mdp:
    """Each state and action has ``branching`` random successors and a random reward.

    The probabilities of the successors are uniform on the simplex.
    """
    order = random.random((states, actions, states)).argsort(-1)
    parts = np.zeros((states, actions, states))
    likely = random.dirichlet(np.ones(branching), (states, actions))
    np.put_along_axis(parts, order[..., :branching], likely, -1)
    return Mdp(parts, random.random((states, actions)), np.full(states, 1 / states))


def chain(states: int, actions: int) -> Mdp:
    """Action 0 goes one state further, all others go back to the first for a reward of 0.1.

    Action 0 has a reward of 1 in the last state, and none before.  With probability ``SLIP`` the
    state changes as by the other action.
    """
    here = np.arange(states)
    further, back = np.zeros((2, states, states))
    further[here, np.minimum(here + 1, states - 1)] = 1
    back[:, 0] = 1
    chosen = np.stack([further] + [back] * (actions - 1), 1)
    opposite = np.stack([back] + [further] * (actions - 1), 1)
    rewards = np.full((states, actions), 0.1)
    rewards[:, 0] = here == states - 1
    return Mdp((1 - SLIP) * chosen + SLIP * opposite, rewards, _first(states))


def grid(states: int) -> Mdp:
    """A square room: up, down, left and right, from one corner to the opposite one.

    A step into a wall stays in place; with probability ``SLIP`` the direction is random.  Any
    action in the goal has a reward of 1 and leads back to the start.
    """
    side = isqrt(states)
    chosen = np.zeros((states, 4, states))
    for state in range(states):
        row, column = divmod(state, side)
        for action, (down, right) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
            to = np.clip([row + down, column + right], 0, side - 1)
            chosen[state, action, to @ [side, 1]] = 1
    transitions = (1 - SLIP) * chosen + SLIP * chosen.mean(1, keepdims=True)
    transitions[-1] = _first(states)
    rewards = np.zeros((states, 4))
    rewards[-1] = 1
    return Mdp(transitions, rewards, _first(states))


def _first(states: int) -> Floats:
    """All probability on the first state."""
    start: Floats = np.eye(states)[0]
    return start


def of_workers(common: Mdp, strength: float, workers: int, seed: int, branching: int) -> Mdp:
    """Each worker's process: ``(1 - strength)`` of the common one and ``strength`` of a garnet.

    A worker's garnet depends on the seed and the worker alone.  With strength 0 there is one
    process for all.
    """
    if strength == 0:
        return Mdp(common.transitions[None], common.rewards[None], common.start)
    states, actions = common.rewards.shape
    own = [garnet(generator(seed, 1 + i), states, actions, branching) for i in range(workers)]
    return Mdp(
        (1 - strength) * common.transitions + strength * np.stack([m.transitions for m in own]),
        (1 - strength) * common.rewards + strength * np.stack([m.rewards for m in own]),
        common.start,
    )


def generator(seed: int, part: int) -> np.random.Generator:
    """The random numbers of one part of a problem: part 0 is common, part 1 + i worker i's."""
    return np.random.default_rng((seed, part))


def value(mdp: Mdp, policy: Floats, discount: float) -> Floats:
    """The expected discounted return of each worker under one policy (S, A)."""
    chained = np.einsum("sa,wsat->wst", policy, mdp.transitions)
    rewards = np.einsum("sa,wsa->ws", policy, mdp.rewards)
    system = np.eye(len(policy)) - discount * chained
    solved: Floats = np.linalg.solve(system, rewards[..., None])[..., 0]
    return solved @ mdp.start


def best_value(mdp: Mdp, discount: float) -> Floats:
    """The largest expected discounted return of each worker, by policy iteration."""
    each = zip(mdp.transitions, mdp.rewards, strict=True)
    return np.array([_best(moves, rewards, discount) for moves, rewards in each]) @ mdp.start


def _best(transitions: Floats, rewards: Floats, discount: float) -> Floats:
    here = np.arange(len(rewards))
    choice = rewards.argmax(1)
    while True:
        system = np.eye(len(rewards)) - discount * transitions[here, choice]
        values: Floats = np.linalg.solve(system, rewards[here, choice])
        ahead = rewards + discount * transitions @ values
        # Without a tolerance, rounding could break a tie in a new way without end.
        better = ahead.max(1) > ahead[here, choice] + 1e-12 * (1 + np.abs(values))
        if not better.any():
            return values
        choice = np.where(better, ahead.argmax(1), choice)
