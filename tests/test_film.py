"""Is a film what was handed to it, picture by picture and second by second?"""

import numpy as np
import pytest
from imageio_ffmpeg import read_frames

from simulator.mistakes import Mistake
from simulator.replays import film
from simulator.replays.film import recording


def pictures(number):
    """A white square wanders over black."""
    for place in range(number):
        picture = np.zeros((30, 41, 3), np.uint8)
        picture[10:20, place : place + 10] = 255
        yield picture


def recorded(path, shown, rate):
    with recording(path, rate) as add:
        for picture in shown:
            add(picture)
    return path


@pytest.mark.parametrize("rate", [4, 12.5, 30])
def test_a_film_holds_every_picture_for_its_time(tmp_path, rate):
    path = recorded(tmp_path / "film", pictures(30), rate)
    frames = read_frames(path)
    about = next(frames)
    assert (about["codec"], about["fps"], about["duration"]) == ("h264", rate, 30 / rate)
    assert about["size"] == (42, 30)  # its sides are even
    for frame, expected in zip(frames, pictures(30), strict=True):
        seen = np.frombuffer(frame, np.uint8).reshape(30, 42, 3)[:, :41]
        assert np.abs(seen.astype(float) - expected).mean() < 5


def test_a_picture_that_stands_still_is_seen_as_long(tmp_path):
    (picture,) = pictures(1)
    path = recorded(tmp_path / "film", [picture] * 30, 30)
    assert next(read_frames(path))["duration"] == 1


def test_the_same_pictures_are_the_same_bytes(tmp_path):
    one, two = (recorded(tmp_path / name, pictures(9), 25) for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes() != recorded(tmp_path / "slow", pictures(9), 20).read_bytes()


@pytest.mark.parametrize("number", [3, 3000])  # of these a pipe cannot hold the bytes
def test_unwritable_films_are_refused_in_one_line(tmp_path, number):
    with pytest.raises(Mistake, match=r"^--video: ffmpeg cannot write into .*room on the disk\?$"):
        recorded(tmp_path / "nowhere" / "film", list(pictures(30)) * (number // 3), 25)


def test_a_missing_imageio_names_its_remedy(monkeypatch):
    monkeypatch.setattr(film, "find_spec", lambda name: None)
    with pytest.raises(Mistake, match=r"imageio-ffmpeg is not installed; .*video"):
        film.check_installed()
