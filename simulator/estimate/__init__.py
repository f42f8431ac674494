"""What a scenario will take of time and memory, before any work."""
