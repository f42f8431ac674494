"""How episodes of gymnasium's environments are played and drawn: on every core, without JAX."""
