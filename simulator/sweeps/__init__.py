"""Which settings are best: sweeps, their scores, and their figures."""
