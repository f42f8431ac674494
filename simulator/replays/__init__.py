"""What is done once more with a finished run: its policies, their films, a single gradient."""
