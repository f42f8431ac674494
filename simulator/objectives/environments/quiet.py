"""Which words of an environment does nobody need to hear?"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Make an environment, whose module is imported, without being told what is outdated in it.

    That there are newer versions is no news to who names this one, and no user can mend an
    attribute in a model of gymnasium's.  MuJoCo prints its warnings itself, and writes them to a
    file in the current folder, unless somebody listens: what is not about age is passed on.
    Errors are raised as always, and say more than the warnings before them.
    """
    heard: list[str] = []
    mujoco = sys.modules.get("mujoco")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if mujoco is None:
            yield
            return
        before = mujoco.get_mju_user_warning()
        mujoco.set_mju_user_warning(heard.append)
        try:
            yield
        finally:
            mujoco.set_mju_user_warning(before)
    for text in heard:
        if "deprecated" not in text:
            print(f"straggle: MuJoCo: {' '.join(text.split())}", file=sys.stderr)


def hear_once() -> None:
    """From now on MuJoCo's first warning is told, and nothing is written to a file.

    A point that is not a number brings one for every step.
    """
    if mujoco := sys.modules.get("mujoco"):
        mujoco.set_mju_user_warning(_first)


def _first(text: str) -> None:
    if not _told:
        _told.append(text)
        print(f"straggle: MuJoCo: {' '.join(text.split())}", file=sys.stderr)


_told: list[str] = []
