"""Replays of finished runs: evaluations and films of their policies, single gradients."""
