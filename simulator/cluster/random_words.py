"""Random words: a function of seed, stream, worker and k.

Each worker owns a SplitMix64 sequence whose start NumPy's ``SeedSequence`` chooses from a seed and
the name of a stream.  Word k needs none of the words before it, so a vector operation makes those
of a hundred thousand workers.  Both algorithms are fixed: a seed means the same numbers on every
machine and with every version of NumPy.
"""

import numpy as np

from simulator.cluster.law import Bits, Floats, Integers

LARGEST = 1 - 2.0**-53  # the middle of the last interval would round up to 1


def keys(seed: int, stream: str, workers: int) -> Bits:
    """The start of every worker's sequence in this stream."""
    source = np.random.SeedSequence([seed, int.from_bytes(stream.encode(), "little")])
    return source.generate_state(workers, np.uint64).astype(np.uint64)


def words(keys: Bits, k: Integers) -> Bits:
    """Word ``k`` of the SplitMix64 sequence that starts at each key (Steele et al., 2014)."""
    word = keys + (k.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Bits = word ^ (word >> np.uint64(31))
    return mixed


def uniforms(bits: Bits) -> Floats:
    """Numbers strictly inside (0, 1), one per word, as inverse distributions need them."""
    middles = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return np.minimum(middles, LARGEST)
