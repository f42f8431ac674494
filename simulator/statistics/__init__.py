"""Statistics over several seeds; the time to a target may be infinite."""
