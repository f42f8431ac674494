"""Which warnings of an environment are hidden?"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Hide warnings about outdated versions and models while an environment is made.

    The module of the environment must be imported before.  Without a callback, MuJoCo prints its
    warnings and writes them to a file in the current folder; those of other matters are printed.
    """
    warned: list[str] = []
    mujoco = sys.modules.get("mujoco")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if mujoco is None:
            yield
            return
        before = mujoco.get_mju_user_warning()
        mujoco.set_mju_user_warning(warned.append)
        try:
            yield
        finally:
            mujoco.set_mju_user_warning(before)
    for text in warned:
        if "deprecated" not in text:
            _print(text)


def report_first_warning() -> None:
    """Print the process's first warning of MuJoCo only: a NaN policy causes one per step."""
    if mujoco := sys.modules.get("mujoco"):
        mujoco.set_mju_user_warning(_print_first)


def _print_first(text: str) -> None:
    if not _printed:
        _printed.append(text)
        _print(text)


def _print(text: str) -> None:
    print(f"straggle: MuJoCo: {' '.join(text.split())}", file=sys.stderr)


_printed: list[str] = []
