"""Sweeps: runs of one scenario at many settings, their scores and figures."""
