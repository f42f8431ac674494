"""How a method trains on a seed: when and what, joined step by step, and what is kept of it."""
