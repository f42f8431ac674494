"""How are figures drawn while a command runs?  By a process that starts with the command.

Importing matplotlib takes longer than simulating a small run.  The process imports it on another
core, waits for pictures, draws them, and ends.  It also ends with its parent, which closes its
input, and leaves Ctrl-C to the parent.
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
    """Draws pictures into files; a context manager, which ends the process."""

    def __init__(self, formats: Sequence[str]) -> None:
        self._formats = tuple(formats)
        self._process: subprocess.Popen[bytes] | None = None
        # A process does not pay if matplotlib is loaded already, or without a second core.
        if self._formats and MODULE not in sys.modules and cores() > 1:
            with undisturbed():
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )

    @property
    def wanted(self) -> bool:
        return bool(self._formats)

    def __enter__(self) -> "Painter":
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def paint(self, pictures: Mapping[str, "Picture"], directory: Path) -> None:
        """Start drawing; ``finish`` waits for the files."""
        self._order = pictures, directory, self._formats
        if self._process is not None:
            assert self._process.stdin is not None
            try:
                pickle.dump(self._order, self._process.stdin)
                self._process.stdin.close()
            except BrokenPipeError:  # the process was killed: finish() draws here
                pass

    def finish(self) -> list[Path]:
        """Wait for the files and return their paths; raises an error of the drawing."""
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
    """Draw one order, and answer with the paths or an error."""
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
