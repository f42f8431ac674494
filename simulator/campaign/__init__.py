"""How commands that train are carried out, continued, and told of."""
