"""Which methods promise the same about their schedule?  All of them by name.

How a point moves makes no difference to a schedule, so methods that differ in that alone are of
one family.  A new method is not verified until it is named here.
"""

FAMILIES = {
    "rennala-nigt": "rennala",
    "rennala-pg": "rennala",
    "malenia-nigt": "malenia",
    "malenia-pg": "malenia",
    "synchronous-nigt": "synchronous",
    "synchronous-fedpg": "synchronous",
    "synchronous-pg": "synchronous",
    "fedsvrpg-m": "synchronous",
    "fedhapg-m": "synchronous",
    "mindflayer-pg": "mindflayer",
    "mindflayer-nigt": "mindflayer",
    "afedpg": "greedy",
    "vanilla-asynchronous-pg": "greedy",
    "asynchronous-pg": "greedy",
    "delay-adaptive-pg": "delay-adaptive",
    "ringmaster-pg": "ringmaster",
    "ringmaster-nigt": "ringmaster",
    "ringleader-pg": "ringleader",
    "ringleader-nigt": "ringleader",
    "fedbuff": "fedbuff",
}
IN_ROUNDS = frozenset({"rennala", "malenia", "synchronous", "mindflayer"})
"""Families that reduce a whole batch; in the others each gradient crosses the network by itself."""
