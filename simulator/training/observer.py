"""What can observe the training loop?  Code that reads runs and changes no number."""

from collections.abc import Sequence

from simulator.training.lanes import Lane, Turn


class Observer:
    """The moments of a training; every method may be left out."""

    def begin(self, lane: Lane) -> None:
        """The runs are at their initial points."""

    def group(self, lane: Lane, turns: Sequence[Turn]) -> None:
        """A group of steps is computed, and none of them is recorded yet."""

    def step(self, lane: Lane, turn: Turn) -> None:
        """A step is recorded."""

    def rest(self, lanes: Sequence[Lane]) -> None:
        """A group of steps is recorded in every lane, and no other is under way."""

    def end(self, lane: Lane) -> None:
        """The schedule has ended."""

    def interrupted(self, lane: Lane) -> None:
        """The training is interrupted, at any moment."""
