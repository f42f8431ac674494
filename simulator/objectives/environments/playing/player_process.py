"""What does a process do that plays episodes?  ``python -m …player_process FD``, of a socket.

It knows no JAX, computes on one thread, and ends with whoever started it.
"""

import os
import signal
import sys
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from simulator.objectives.environments.playing.player import Player
from simulator.objectives.environments.playing.stage import Raised, told


def main(descriptor: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks is interrupted, and ends this
    with Connection(descriptor) as connection:
        try:
            serve(connection)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            pass  # nobody is there any more
        except Exception as problem:
            connection.send((None, told(problem)))


def serve(connection: Connection) -> None:
    """First the game, then requests in any number; every episode goes back as it ends."""
    player = Player(connection.recv())
    try:
        _play(connection, player)
    except Raised as raised:
        connection.send((player.in_lane(raised.lane), told(raised.__cause__)))


def _play(connection: Connection, player: Player) -> None:
    requests: SimpleQueue[Any] = SimpleQueue()
    # Always listening: two that wait for each other to listen would wait for ever.
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
            os._exit(0)  # whoever asked is gone, and nobody waits for what is under way


if __name__ == "__main__":
    main(int(sys.argv[1]))
