"""What: the numbers of gradients and points, in JAX."""
