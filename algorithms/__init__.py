"""What a method decides: when a server step closes, and what it does with the gradients.

Nothing here knows the simulator: no SimPy, no pandas, and no JAX until an update rule is built.
"""
