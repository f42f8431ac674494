"""How the time to a target grows: studies, their exponents, and their figures."""
