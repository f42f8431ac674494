"""Runs of every method for the tests of verification, and tampering with what they leave."""

import json
from pathlib import Path

import pandas as pd
import pytest
from compiled import run_in

from simulator.campaign import run as campaign_run
from simulator.results.seal import digest, seal
from simulator.scenario.loading import check
from simulator.system import files

PLAIN, NIGT = {"step": 0.1}, {"step": 0.1, "momentum": 0.5}
MINDFLAYER = {"attempts": [1, 2, 3, 1], "limit": [3.0, 4.0, 5.0, 20.0], "probability": 0.7}
LOCAL = {"local_steps": 2, "local_step": 0.1}
METHODS = {
    "rennala-nigt": {"batch": 5, "initial_batch": 7, **NIGT},
    "rennala-pg": {"batch": 5, **PLAIN},
    "malenia-nigt": {"batch": 6, **NIGT},
    "malenia-pg": {"batch": 9, "initial_batch": 4, **PLAIN},
    "synchronous-nigt": NIGT,
    "synchronous-fedpg": NIGT,
    "synchronous-pg": PLAIN,
    "afedpg": NIGT,
    "vanilla-asynchronous-pg": NIGT,
    "asynchronous-pg": PLAIN,
    "delay-adaptive-pg": PLAIN,
    "ringmaster-pg": {"threshold": 3, **PLAIN},
    "ringmaster-nigt": {"threshold": 4, **NIGT},
    "ringleader-pg": PLAIN,
    "ringleader-nigt": NIGT,
    "mindflayer-pg": {"attempts": 2, "limit": 3.0, "probability": 0.5, **PLAIN},
    "mindflayer-nigt": {**MINDFLAYER, **NIGT},
    "fedbuff": {"buffer": 2, **LOCAL, **PLAIN},
    "fedsvrpg-m": {**LOCAL, **NIGT},
    "fedhapg-m": {**LOCAL, **NIGT},
    "local-sgd": {"batch": 6, "local_step": 0.1, **PLAIN},
    "local-sgd-nigt": {"batch": 6, "local_step": 0.1, **NIGT},
    "async-local-pg": {**LOCAL, **PLAIN},
    "async-local-nigt": {**LOCAL, **NIGT},
    "async-batch-pg": {"worker_batch": 2, **PLAIN},
    "async-batch-nigt": {"worker_batch": 2, **NIGT},
    "queued-pg": {"batch": 6, "group": 3, **PLAIN},
    "queued-nigt": {"batch": 3, "depth": 1, **NIGT},
    "rescaled-pg": PLAIN,
    "rescaled-nigt": NIGT,
}
VARIANTS = {
    "bounded": {"method": "afedpg", "age": 2, "depth": 2, **NIGT},
    "old-dropped": {"method": "queued-pg", "batch": 2, "age": 1, "full": "drop-oldest", **PLAIN},
    "stops": {"method": "ringmaster-pg", "threshold": 3, "stops": True, **PLAIN},
    "earliest": {"method": "rennala-pg", "batch": 6, "count": "earliest-started", **PLAIN},
    "few": {"method": "rennala-pg", "batch": 3, "count": "earliest-started", **PLAIN},
}
RANDOM = {"law": "log-normal", "mean": [1.0, 2.0, 4.0, 9.0], "sigma": 0.5}
UNEQUAL = {"workers": 4, "compute": [1.0, 2.3, 4.0, 9.0]}
QUADRATIC = {"kind": "quadratic", "dimension": 4}


def recorded(directory, methods, cluster=None, *, learn=False, **tables):
    """A sealed result directory; what is not said is short and has only times."""
    plain = {
        "seeds": [0],
        "cluster": {"workers": 4, **(cluster or UNEQUAL)},
        "objective": QUADRATIC,
        "stop": {"seconds": 30.5},
        "methods": methods,
        **tables,
    }
    with pytest.MonkeyPatch.context() as patch:
        # A test verifies the directory itself: twice would take twice as long.
        patch.setattr(campaign_run, "verified", lambda found, quiet: None)
        # Nor does the power go off.
        patch.setattr(files, "_to_the_disk", lambda path: None)
        run_in(directory, check(plain), schedule_only=not learn, tickets=True)
    return sealed(directory)


def sealed(directory):
    """The directory with digests of all its files, and a seal, as if it were untouched."""
    manifest = message(directory)
    files = [path for path in sorted(directory.rglob("*.*")) if path.is_file()]
    names = [path for path in files if path.name != "manifest.json"]
    manifest["files"] = {str(path.relative_to(directory)): digest(path) for path in names}
    manifest["seal"] = seal(manifest)
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


def message(directory):
    return json.loads((directory / "manifest.json").read_text())


def retell(directory, change):
    """Change the manifest."""
    manifest = message(directory)
    change(manifest)
    (directory / "manifest.json").write_text(json.dumps(manifest))


def rewrite(file: Path, change):
    """Change a table: ``change`` returns it, or alters it in place."""
    frame = pd.read_parquet(file)
    changed = change(frame)
    (frame if changed is None else changed).to_parquet(file)
