"""The methods, laws, speeds, objectives and policies of plug-ins.

A plug-in is a module with a dictionary for each registry that it extends: ``METHODS``, ``LAWS``,
``SPEEDS``, ``OBJECTIVES``, ``POLICIES``, ``WRAPPERS`` or ``SINKS``.  It may also register
environments with gymnasium.  The command line (``--plugin``), ``$STRAGGLE_PLUGINS`` or the entry
points of an installed distribution name it.  A scenario never imports anything.
"""

from simulator.plugins.errors import blame, blamed
from simulator.plugins.loading import VARIABLE, demand, load, load_plugin, options_for
from simulator.plugins.registry import (
    PROGRAM,
    REGISTRIES,
    Origin,
    is_portable,
    register,
    title,
    used,
)
from simulator.plugins.stories import check_parts, story_of

__all__ = [
    "PROGRAM",
    "REGISTRIES",
    "VARIABLE",
    "Origin",
    "blame",
    "blamed",
    "check_parts",
    "demand",
    "is_portable",
    "load",
    "load_plugin",
    "options_for",
    "register",
    "story_of",
    "title",
    "used",
]
