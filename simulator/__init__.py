"""A cluster in virtual time that trains real policies."""
