"""How are figures drawn while a command goes on?  By a process that starts with the command.

matplotlib takes longer to import than a small run to be simulated.  The process imports it on
another core, waits for pictures, draws them, and ends.  The parent's end is its end: its input
closes then.  It hears no Ctrl-C, which is the parent's to handle.
"""

import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from simulator.system.interrupts import undisturbed
from simulator.system.machine import cores

if TYPE_CHECKING:
    from simulator.figures.pictures import Picture

MODULE = "matplotlib.figure"


class Painter:
    """Draws pictures into files; use it as a context, so that its process ends."""

    def __init__(self, formats: Sequence[str]) -> None:
        self._formats = tuple(formats)
        self._process: subprocess.Popen[bytes] | None = None
        # Where matplotlib is loaded already, or there is no other core, a process would not pay.
        if self._formats and MODULE not in sys.modules and cores() > 1:
            with undisturbed():
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )

    @property
    def wanted(self) -> bool:
        """Whether there is any format to draw in."""
        return bool(self._formats)

    def __enter__(self) -> "Painter":
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def paint(self, pictures: Mapping[str, "Picture"], directory: Path) -> None:
        """Begin to draw; ``finish`` waits for the files."""
        self._order = pictures, directory, self._formats
        if self._process is not None:
            assert self._process.stdin is not None
            try:
                pickle.dump(self._order, self._process.stdin)
                self._process.stdin.close()
            except BrokenPipeError:  # the process was killed: finish() draws here
                pass

    def finish(self) -> list[Path]:
        """The files that were written; raises what went wrong while they were drawn."""
        if self._process is None:
            return _draw(*self._order)
        assert self._process.stdout is not None
        try:
            answer = pickle.load(self._process.stdout)
        except EOFError:
            return _draw(*self._order)
        if isinstance(answer, Exception):
            raise answer
        return cast(list[Path], answer)


def _draw(pictures: Mapping[str, "Picture"], directory: Path, formats: Sequence[str]) -> list[Path]:
    from simulator.figures.drawing import draw_files, named

    with named(directory):
        directory.mkdir(exist_ok=True)
    return draw_files(pictures, directory, formats)


def main(orders: BinaryIO, answers: BinaryIO) -> None:
    """Draw what is ordered, and answer with the files or with what went wrong."""
    import simulator.figures.drawing  # noqa: F401  # now, before an order arrives

    try:
        order = pickle.load(orders)
    except EOFError:
        return
    try:
        answer: list[Path] | Exception = _draw(*order)
    except Exception as error:
        answer = error
    pickle.dump(answer, answers)
    answers.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
