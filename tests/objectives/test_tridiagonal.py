"""Is the tridiagonal system solved as LAPACK solves it, definite or not?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import solve_banded

from simulator.objectives.exact.tridiagonal import solve

numbers = st.floats(-3, 3).filter(lambda value: abs(value) > 1e-3)


@given(diagonal=numbers, beside=numbers, first=numbers, size=st.integers(2, 80))
def test_it_agrees_with_lapack(diagonal, beside, first, size):
    bands = np.full((3, size), beside)
    bands[1] = diagonal
    right = np.zeros(size)
    right[0] = first
    try:
        expected = solve_banded((1, 1), bands, right)
    except np.linalg.LinAlgError:
        expected = np.full(size, np.inf)
    if np.abs(expected).max() > 1e6:  # too near a singular matrix for two ways to agree
        return
    found = solve(diagonal, beside, first, size)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_a_single_equation():
    assert solve(4.0, 1.0, 2.0, 1).tolist() == [0.5]


@pytest.mark.parametrize(("diagonal", "beside", "size"), [(0.0, 0.0, 3), (1.0, 1.0, 2)])
def test_a_singular_matrix_is_refused(diagonal, beside, size):
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        solve(diagonal, beside, 1.0, size)
