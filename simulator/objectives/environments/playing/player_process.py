"""How does a process play episodes for another?  ``python -m …player_process FD``, of a socket.

It imports no JAX, computes on one thread, and ends with its parent.
"""

import os
import signal
import sys
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from simulator.mistakes import one_line
from simulator.objectives.environments.playing.player import Player
from simulator.objectives.environments.playing.stage import Raised


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    with Connection(descriptor) as connection:
        try:
            serve(connection)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            pass  # the parent has ended
        except Exception as problem:
            connection.send((None, one_line(problem)))


def serve(connection: Connection) -> None:
    """Receive the game, then any number of requests; send every episode as it ends."""
    player = Player(connection.recv())
    try:
        _play(connection, player)
    except Raised as raised:
        connection.send((player.in_lane(raised.lane), one_line(raised.__cause__)))


def _play(connection: Connection, player: Player) -> None:
    requests: SimpleQueue[Any] = SimpleQueue()
    # A thread always receives: two processes that both wait to send would never go on.
    Thread(target=_listen, args=(connection, requests), daemon=True).start()
    while True:
        player.ask(*requests.get())
        while player.busy:
            if finished := player.step():
                connection.send(finished)
            while player.has_room and not requests.empty():
                player.ask(*requests.get())


def _listen(connection: Connection, requests: "SimpleQueue[Any]") -> None:
    while True:
        try:
            requests.put(connection.recv())
        except (EOFError, OSError):
            os._exit(0)  # the parent has ended


if __name__ == "__main__":
    main(int(sys.argv[1]))
