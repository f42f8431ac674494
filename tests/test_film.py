"""Is a film what was handed to it, picture by picture and second by second?"""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from simulator.mistakes import Mistake
from simulator.replays.film import Recording

WRITER = """#!{python}
import json, pathlib, sys
read = len(sys.stdin.buffer.read())
pathlib.Path(sys.argv[-1]).write_text(json.dumps([read, sys.argv[1:]]))
"""
QUITTER = """#!{python}
import sys
from itertools import pairwise
print("[a warning]\\nUnknown encoder 'libx264'", file=sys.stderr)
sys.exit(8)
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """The only folder where programs are looked for; it is empty."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def pretend(programs, script):
    """Put a program of this name where programs are."""
    program = programs / "ffmpeg"
    program.write_text(script.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)


def pictures(number):
    """A white square wanders over black."""
    for place in range(number):
        picture = np.zeros((30, 41, 3), np.uint8)
        picture[10:20, place : place + 10] = 255
        yield picture


def recorded(stem, shown, rate):
    with Recording(stem, rate) as recording:
        for picture in shown:
            recording.add(picture)
    return recording.path


def decoded(path):
    """The pictures of a film, and for how many milliseconds each is seen."""
    with Image.open(path) as film:
        for at in range(film.n_frames):
            film.seek(at)
            yield np.asarray(film.convert("RGB")), film.info["duration"]


@pytest.mark.parametrize("rate", [4, 20, 25, 30])
def test_a_gif_holds_every_picture_for_its_time(programs, tmp_path, rate):
    path = recorded(tmp_path / "film", pictures(30), rate)
    assert path == tmp_path / "film.gif"
    seen = list(decoded(path))
    for (picture, _), expected in zip(seen, pictures(30), strict=True):
        np.testing.assert_array_equal(picture, expected)
    ends = np.cumsum([milliseconds for _, milliseconds in seen])
    np.testing.assert_allclose(ends, np.arange(1, 31) * 1000 / rate, rtol=0, atol=5)


def test_a_picture_that_stands_still_is_seen_as_long(programs, tmp_path):
    (picture,) = pictures(1)
    (seen,) = decoded(recorded(tmp_path / "film", [picture] * 30, 30))
    assert seen[1] == 1000


def test_the_same_pictures_are_the_same_bytes(programs, tmp_path):
    one, two = (recorded(tmp_path / name, pictures(9), 25) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes() != recorded(tmp_path / "slow", pictures(9), 20).read_bytes()


def test_ffmpeg_is_handed_every_byte(programs, tmp_path):
    """The size and the rate too: it cannot see them in the bytes."""
    pretend(programs, WRITER)
    path = recorded(tmp_path / "film", pictures(7), 12.5)
    assert path == tmp_path / "film.mp4"
    read, arguments = json.loads(path.read_text())
    assert read == 7 * 30 * 41 * 3
    said = dict(pairwise(arguments))
    assert (said["-s"], said["-r"], said["-pix_fmt"]) == ("41x30", "12.5", "yuv420p")


def test_what_ffmpeg_cannot_do_is_told_in_one_line(programs, tmp_path):
    pretend(programs, QUITTER)
    with pytest.raises(
        Mistake, match=r"ffmpeg: cannot write film\.mp4: Unknown encoder 'libx264'$"
    ):
        recorded(tmp_path / "film", pictures(3), 25)
    with pytest.raises(Mistake, match=r"Unknown encoder"):  # more than fits into the pipe
        recorded(tmp_path / "film", list(pictures(30)) * 100, 25)
    assert [path.name for path in tmp_path.iterdir()] == ["programs"]


@pytest.mark.parametrize("script", [None, WRITER])
def test_half_a_film_is_none(programs, tmp_path, script):
    if script:
        pretend(programs, script)

    def broken():
        yield from pictures(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recorded(tmp_path / "film", broken(), 25)
    assert [path.name for path in tmp_path.iterdir()] == ["programs"]
