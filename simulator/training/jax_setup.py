"""How is JAX set up?  Once, before the first array: both precisions, and a compilation cache."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def prepare() -> None:
    """Allow float64 (each objective names its own precision) and cache compiled code.

    The cache lies in ``$STRAGGLE_CACHE``, else in the user's cache directory.
    """
    import jax

    update: Callable[[str, Any], None] = jax.config.update
    update("jax_enable_x64", True)
    update("jax_compilation_cache_dir", str(cache_directory()))
    update("jax_persistent_cache_min_compile_time_secs", 0.0)
    update("jax_persistent_cache_min_entry_size_bytes", -1)


def cache_directory() -> Path:
    if chosen := os.environ.get("STRAGGLE_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "straggle"
