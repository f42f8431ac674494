"""The tables of objectives in a scenario, one file each; checking one imports no JAX."""
