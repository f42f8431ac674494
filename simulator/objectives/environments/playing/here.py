"""How are episodes played in the task's own process?  Where it has one core, nothing is quicker.

No process waits for another, and all lanes share each call of the policy.  An environment that
kills its process kills the task: whoever started that does it again, and at last names it.
"""

from collections.abc import Iterator, Sequence

from simulator.objectives.environments.playing.episode import Episode, Game, Request
from simulator.objectives.environments.playing.player import Player
from simulator.objectives.environments.playing.players import Points
from simulator.objectives.environments.playing.stage import Raised, told
from simulator.objectives.objective import Broken


class Here:
    """One player, which is made when the first episode is asked for."""

    def __init__(self, game: Game) -> None:
        self._game = game
        self._player: Player | None = None

    def play(self, points: Points, requests: Sequence[Request]) -> Iterator[Episode]:
        """The episodes of requests 0, 1, 2, …, in this order, each as soon as it is there."""
        player = self._player or Player(self._game)
        self._player = None  # after an error there is no telling what the lanes hold
        done = dict[int, Episode]()
        try:
            player.ask(points, requests, forget=True)
            for request in requests:
                while request.number not in done:
                    done.update(player.step())
                yield done.pop(request.number)
        except Raised as raised:
            number = player.in_lane(raised.lane)
            said = f"environment = {self._game.name!r}: {told(raised.__cause__)}"
            raise Broken(said, number) from raised.__cause__
        self._player = player

    def close(self) -> None:
        """Give back what the environments hold."""
        self._player = None
