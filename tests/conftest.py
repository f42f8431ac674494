"""Every test computes in whatever precision it names; JAX must allow float64 for that."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import jax
import pytest

from simulator.system.machine import release_memory
from simulator.training.jax_setup import prepare

# What one test has compiled no other one, and no command that a test runs, compiles again.
CACHE = Path(__file__).resolve().parent.parent / ".pytest_cache" / "compiled"
os.environ.setdefault("STRAGGLE_CACHE", str(CACHE))
# Most of the time of the tests is compiling, and most of that is to make fast what runs once.  At
# night all is compiled as users have it: with XLA_FLAGS that are empty.
COMPILE_QUICKLY = "--xla_backend_optimization_level=0"
if jax.__version_info__ < (0, 12):
    # The older way to emit fused loops takes half the time of the usual one.  XLA ends the process
    # at a flag that it does not know, as later versions do not know this one.
    COMPILE_QUICKLY += " --xla_cpu_use_fusion_emitters=false"
os.environ.setdefault("XLA_FLAGS", COMPILE_QUICKLY)
# The tests of the other files run beside these: no test starts processes for the other cores.
os.environ.setdefault("STRAGGLE_CORES", "1")
prepare()
# The power does not go off between two tests: nothing waits for the disk.
os.fsync = lambda file: None

COMPILING = "/jax/core/compile/backend_compile_duration"
MANY = 100
"""So many compilations take about a quarter of a gigabyte."""
compiled: list[str] = []
"""The compilations since the caches were emptied."""
jax.monitoring.register_event_duration_secs_listener(
    lambda event, *_, **__: compiled.append(event) if event == COMPILING else None
)


@pytest.fixture(autouse=True, scope="module")
def freeze_what_is_imported() -> None:
    """Imported modules are never garbage, and looking through them takes most of a collection."""
    gc.freeze()


@pytest.fixture(autouse=True)
def release_compiled_code() -> Iterator[None]:
    """Keep the test processes small."""
    yield
    if len(compiled) > MANY:
        compiled.clear()
        jax.clear_caches()
        gc.unfreeze()
        release_memory()
        gc.freeze()


@pytest.fixture(autouse=True)
def what_draws_is_not_handed_on() -> Iterator[None]:
    """A test may choose with what MuJoCo draws, and the choice stands in the environment."""
    before = {name: os.environ.get(name) for name in ("MUJOCO_GL", "PYOPENGL_PLATFORM")}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


LONGEST = (
    *("test_plugins.py", "test_verification.py", "test_experiment.py", "test_schedule.py"),
    *("test_shipped.py", "test_docs.py", "test_sweep.py", "test_outages.py"),
    *("test_resume.py", "test_reference.py", "test_collectives.py", "test_lengths.py"),
    *("test_players.py", "test_runs.py", "test_side_by_side.py", "test_methods.py"),
    *("test_cli.py", "test_dry_run.py", "test_ledger.py", "test_failures.py"),
    *("test_report.py", "test_stories.py", "test_heterogeneous.py", "test_verified_seconds.py"),
)
"""Files that take more than ten seconds begin first, so that no process ends long after another."""


def pytest_collection_modifyitems(items: "list[pytest.Item]") -> None:
    places = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
