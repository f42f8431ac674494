"""Traces of runs: what each worker did at every moment, as tracks and for Perfetto."""
