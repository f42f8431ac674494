"""Environments with bad manners, for processes to play: ``strange_environments:Deadly-v0``."""

import os
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np


class Counting(gymnasium.Env[np.ndarray, np.ndarray]):
    """Shows a number drawn at its reset and pays the action; ends after ten steps."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))

    def __init__(self, marker: str = "") -> None:
        self.marker = marker

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.left = 10
        return self.np_random.normal(size=1), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        self.left -= 1
        if self.left == 4:
            self.misbehave()
        return self.np_random.normal(size=1), float(action[0]), self.left == 0, False, {}

    def misbehave(self) -> None:
        """Nothing bad here."""


class Deadly(Counting):
    """Takes its process with it; with a marker, a file, only the first one that gets there."""

    def misbehave(self) -> None:
        if self.marker:
            try:
                Path(self.marker).touch(exist_ok=False)
            except FileExistsError:
                return
        os._exit(7)


class Raising(Counting):
    def misbehave(self) -> None:
        raise ArithmeticError("the pole\nsnapped")


class Fatal(Counting):
    """Is dead at its first step."""

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        os._exit(9)


class Sometimes(Counting):
    """In some episodes, which their reset decides, the reward is not a number, or there is none."""

    def __init__(self, wrong: str = "raise", above: float = 1.2) -> None:
        super().__init__()
        self.wrong, self.above = wrong, above

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict]:
        first, about = super().reset(seed=seed, options=options)
        self.is_bad = first[0] > self.above
        return first, about

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        seen, reward, ended, cut, about = super().step(action)
        if self.is_bad and self.left == 3:
            if self.wrong == "raise":
                raise ArithmeticError("the pole snapped")
            reward = float(self.wrong)
        return seen, reward, ended, cut, about


for kind in (Counting, Deadly, Fatal, Raising, Sometimes):
    gymnasium.register(f"{kind.__name__}-v0", kind)
