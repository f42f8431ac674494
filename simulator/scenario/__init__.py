"""Scenarios: their tables, how files are read, and the settings that theory chooses."""
