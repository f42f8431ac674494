"""Environments: our own in pure JAX, and any gymnasium environment on the host."""

from simulator.objectives.environments.catalogue import check_environment

__all__ = ["check_environment"]
