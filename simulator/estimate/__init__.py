"""The time and memory that a scenario will take, before any work."""
