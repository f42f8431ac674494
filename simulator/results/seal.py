"""Has a file changed since it was written?  Digests of files, and the seal of the manifest.

A manifest has the digest of every file beside it, and a seal over its own content: so a change of
any byte is found.  A seal is no signature: a forger can seal the directory anew, and then only the
invariants of the schedule (`simulator.verification`) can find the change.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of a manifest without its own ``seal``, whatever its layout.

    >>> seal({"format": 2, "runs": []}) == seal({"runs": [], "format": 2, "seal": "anything"})
    True
    >>> seal({"format": 2}) == seal({"format": 3})
    False
    """
    content = {key: value for key, value in manifest.items() if key != "seal"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
