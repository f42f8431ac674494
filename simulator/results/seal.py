"""Has a file changed since it was written?  Digests of files, and the seal of the manifest.

A manifest names the digest of every file beside it, and its own seal, which covers those: so a
change of a single byte anywhere is seen.  A seal is no signature: who changes a file can seal the
directory anew, and then the invariants of the schedule (`simulator.verification`) have to tell.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal, read a piece at a time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of a manifest without its own ``seal``, however it is laid out.

    >>> seal({"format": 2, "runs": []}) == seal({"runs": [], "format": 2, "seal": "anything"})
    True
    >>> seal({"format": 2}) == seal({"format": 3})
    False
    """
    content = {key: value for key, value in manifest.items() if key != "seal"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
