"""How do pictures become a film?  By the program ffmpeg of the package imageio-ffmpeg.

The film is H.264 in an MP4 file, written picture by picture.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulator.mistakes import Mistake
from simulator.system.install import install_command

Picture: TypeAlias = NDArray[np.uint8]
"""(height, width, 3), red, green and blue."""
EVEN = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
"""H.264 halves the colours both ways, so width and height must be even."""
EXACT = ("-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact")
"""One thread and no program name: the same pictures make the same bytes."""


def check_installed() -> None:
    if not find_spec("imageio_ffmpeg"):
        remedy = f"{install_command('video')} installs it"
        raise Mistake(f"--video: imageio-ffmpeg is not installed; {remedy}")


@contextmanager
def recording(path: Path, rate: float) -> Iterator[Callable[[Picture], None]]:
    """Write a film with ``rate`` pictures a second; yields a function that adds a picture."""
    from imageio_ffmpeg import count_frames_and_secs

    pictures = 0
    with ExitStack() as stack:
        film: Generator[None, Picture | None] | None = None

        def add(picture: Picture) -> None:
            nonlocal film, pictures
            if film is None:
                film = stack.enter_context(closing(_open(path, picture, rate)))
            try:
                film.send(np.ascontiguousarray(picture))
            except OSError:  # imageio's text has many lines
                raise _unwritable(path) from None
            pictures += 1

        yield add
    try:  # ffmpeg does not report a full disk at the end of a film
        written = count_frames_and_secs(path)[0]
    except RuntimeError:
        written = 0
    if written != pictures:
        raise _unwritable(path)


def _open(path: Path, picture: Picture, rate: float) -> Generator[None, Picture | None]:
    """A started generator, to which pictures of this size are sent."""
    from imageio_ffmpeg import write_frames

    # imageio hides Ctrl-C from ffmpeg by Python code after the fork, which may deadlock beside JAX.
    os.environ.setdefault("IMAGEIO_FFMPEG_NO_PREVENT_SIGINT", "1")
    film: Generator[None, Picture | None] = write_frames(
        path,
        (picture.shape[1], picture.shape[0]),
        fps=rate,
        quality=None,
        codec="libx264",
        macro_block_size=1,
        ffmpeg_log_level="quiet",
        output_params=["-f", "mp4", "-movflags", "+faststart", "-vf", EVEN, *EXACT],
    )
    film.send(None)
    return film


def _unwritable(path: Path) -> Mistake:
    return Mistake(f"--video: ffmpeg cannot write into {path.parent}; is there room on the disk?")
