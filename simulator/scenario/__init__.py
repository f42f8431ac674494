"""What a scenario says, how it is read, and what theory adds to it."""
