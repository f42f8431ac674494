"""Environments: our own in pure JAX, and any gymnasium environment on the host."""
