"""How may one worker's environment differ from another's?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Region(NamedTuple):
    """A part of a disk: distances from its centre, and degrees."""

    radius: tuple[float, float]
    angle: tuple[float, float]


@dataclass(frozen=True)
class Variation:
    """One worker's environment; by default the common one."""

    options: Mapping[str, Any] = field(default_factory=dict)
    sign: int = 1
    """The policy sees the observation times this, 1 or -1."""

    flag: float | None = None
    """A number that the policy sees after the observation."""

    mass: float = 1.0
    """Factor on the masses and inertias of a MuJoCo model."""

    gravity: float = 1.0
    target: Region | None = None
    """Where Reacher's target may lie."""
