"""Every test computes in whatever precision it names; JAX must allow float64 for that."""

import os
from collections.abc import Iterator

import jax
import pytest

jax.config.update("jax_enable_x64", True)


@pytest.fixture(autouse=True)
def what_draws_is_not_handed_on() -> Iterator[None]:
    """A test may choose with what MuJoCo draws, and the choice stands in the environment."""
    before = {name: os.environ.get(name) for name in ("MUJOCO_GL", "PYOPENGL_PLATFORM")}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
