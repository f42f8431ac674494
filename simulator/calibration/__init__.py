"""Calibration: from a log of a real cluster to the tables of a scenario."""
