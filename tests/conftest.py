"""Every test computes in whatever precision it names; JAX must allow float64 for that."""

import jax

jax.config.update("jax_enable_x64", True)
