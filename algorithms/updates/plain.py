"""Plain ascent, the step of all the methods named ``-pg``."""

from algorithms.updates.rule import Length, Rule


def sgd(step: Length) -> Rule:
    """Plain ascent: theta + step * g."""
    return Rule(
        init=lambda point: point,
        query=lambda point: point,
        iterate=lambda point: point,
        update=lambda point, gradient, dispatched: point + step * gradient,
    )
