"""How do pictures become a file that moves?

An MP4 where the program ffmpeg is there: small, and written while the pictures come.  A GIF
elsewhere, which needs no more than Pillow, and which everything shows: all pictures share the
colours of the first, so that what stands still costs nothing, and they are held, a byte for each
point, until the end.
"""

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulator.mistakes import Mistake

Picture = NDArray[np.uint8]
"""(height, width, 3), red, green and blue."""


class Film(Protocol):
    """A file in the making."""

    def add(self, picture: Picture) -> None: ...

    def finish(self) -> None: ...

    def give_up(self) -> None: ...


class Recording:
    """``with Recording(stem, rate) as recording``: a file when all went well, else nothing."""

    def __init__(self, stem: Path, rate: float) -> None:
        ffmpeg = shutil.which("ffmpeg")
        self.path = stem.with_name(stem.name + (".mp4" if ffmpeg else ".gif"))
        self._beside = self.path.with_name(self.path.name + ".partial")
        self._film: Film = Mp4(ffmpeg, self._beside, rate) if ffmpeg else Gif(self._beside, rate)

    def __enter__(self) -> "Recording":
        return self

    def add(self, picture: Picture) -> None:
        self._film.add(picture)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._film.finish()
                os.replace(self._beside, self.path)
            else:
                self._film.give_up()
        finally:
            self._beside.unlink(missing_ok=True)


class Gif:
    """Pictures in up to 256 colours.  Its clock has hundredths of a second."""

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._images: list[Any] = []

    def add(self, picture: Picture) -> None:
        from PIL import Image

        image = Image.fromarray(picture)
        if not self._images:
            self._images.append(image.quantize(method=Image.Quantize.FASTOCTREE))
            return
        self._images.append(image.quantize(palette=self._images[0], dither=Image.Dither.NONE))

    def finish(self) -> None:
        first, *others = self._images
        ends = np.round(np.arange(len(self._images) + 1) * 100 / self._rate)
        milliseconds = [int(10 * ticks) for ticks in np.diff(ends)]
        first.save(
            self._path,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=milliseconds,
            loop=0,
            optimize=False,
        )

    def give_up(self) -> None:
        pass


class Mp4:
    """H.264, by the program ffmpeg, to which the pictures are handed as they come."""

    def __init__(self, ffmpeg: str, path: Path, rate: float) -> None:
        self._ffmpeg, self._path, self._rate = ffmpeg, path, rate
        self._process: subprocess.Popen[bytes] | None = None

    def add(self, picture: Picture) -> None:
        if self._process is None:
            height, width, _ = picture.shape
            self._process = self._start(width, height)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(picture).tobytes())
        except BrokenPipeError:
            self.finish()

    def finish(self) -> None:
        assert self._process is not None
        _, words = self._process.communicate()
        if self._process.returncode:
            last = (words.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
            raise Mistake(f"{self._ffmpeg}: cannot write {self._path.stem}: {last}")

    def give_up(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _start(self, width: int, height: int) -> "subprocess.Popen[bytes]":
        even = "pad=ceil(iw/2)*2:ceil(ih/2)*2"  # the colours of H.264 are halved both ways
        # One thread and no word on who wrote it: the same pictures are the same bytes.
        exact = ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact"]
        return subprocess.Popen(
            [
                *(self._ffmpeg, "-loglevel", "error", "-y"),
                *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"),
                *("-r", f"{self._rate:g}", "-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p"),
                *("-vf", even, *exact, "-movflags", "+faststart", "-f", "mp4", str(self._path)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
