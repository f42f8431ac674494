"""Which finite Markov decision processes are there, and how well can one do in them?

Numpy only: a scenario's constants are known without JAX.  Rewards lie in [0, 1].
"""

from math import isqrt
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

SLIP = 0.1
"""How often another thing happens than was meant, in a chain and in a grid."""


class Mdp(NamedTuple):
    """One process, or one per worker: then all but ``start`` have the workers in front."""

    transitions: Floats
    """(S, A, S): the probability of each next state."""
    rewards: Floats
    """(S, A)"""
    start: Floats
    """(S,): the probability of each first state."""


def garnet(random: np.random.Generator, states: int, actions: int, branching: int) -> Mdp:
    """From every state each action leads to some few others, drawn at random, as are rewards.

    The probabilities of the ``branching`` successors are uniform on the simplex.
    """
    order = random.random((states, actions, states)).argsort(-1)
    parts = np.zeros((states, actions, states))
    likely = random.dirichlet(np.ones(branching), (states, actions))
    np.put_along_axis(parts, order[..., :branching], likely, -1)
    return Mdp(parts, random.random((states, actions)), np.full(states, 1 / states))


def chain(states: int, actions: int) -> Mdp:
    """Action 0 goes one state further, all others go back to the first for a reward of 0.1.

    Only going on in the last state has a reward of 1.  The other thing happens in ``SLIP``.
    """
    here = np.arange(states)
    further, back = np.zeros((2, states, states))
    further[here, np.minimum(here + 1, states - 1)] = 1
    back[:, 0] = 1
    meant = np.stack([further] + [back] * (actions - 1), 1)
    opposite = np.stack([back] + [further] * (actions - 1), 1)
    rewards = np.full((states, actions), 0.1)
    rewards[:, 0] = here == states - 1
    return Mdp((1 - SLIP) * meant + SLIP * opposite, rewards, _surely(0, states))


def grid(states: int) -> Mdp:
    """A square room: up, down, left and right, from one corner to the opposite one.

    A wall is no way through; in ``SLIP`` a random direction is taken.  Any action in the goal has
    a reward of 1 and leads back to the start.
    """
    side = isqrt(states)
    meant = np.zeros((states, 4, states))
    for state in range(states):
        row, column = divmod(state, side)
        for action, (down, right) in enumerate([(-1, 0), (1, 0), (0, -1), (0, 1)]):
            to = np.clip([row + down, column + right], 0, side - 1)
            meant[state, action, to @ [side, 1]] = 1
    transitions = (1 - SLIP) * meant + SLIP * meant.mean(1, keepdims=True)
    transitions[-1] = _surely(0, states)
    rewards = np.zeros((states, 4))
    rewards[-1] = 1
    return Mdp(transitions, rewards, _surely(0, states))


def _surely(state: int, states: int) -> Floats:
    start: Floats = np.eye(states)[state]
    return start


def of_workers(common: Mdp, strength: float, workers: int, seed: int, branching: int) -> Mdp:
    """Each worker's own: ``(1 - strength)`` of the common one and ``strength`` of a garnet.

    A worker's garnet depends on the seed and the worker alone.  All of strength 0 are one.
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
    """The random numbers of one part of a problem: 0 is what workers share, 1 + i worker i."""
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
        # A tie that rounding breaks each time anew would go on for ever.
        better = ahead.max(1) > ahead[here, choice] + 1e-12 * (1 + np.abs(values))
        if not better.any():
            return values
        choice = np.where(better, ahead.argmax(1), choice)
