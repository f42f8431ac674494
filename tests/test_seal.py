"""Is a change of any byte seen, and no other?"""

import hashlib
import json

from simulator.results.seal import digest, seal


def test_a_digest_is_the_sha256_of_all_bytes(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)
    assert digest(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_seal_covers_every_value_and_no_layout():
    manifest = {"format": 2, "files": {"steps.parquet": "ab"}, "runs": [{"used": 3, "share": 0.1}]}
    sealed = {**manifest, "seal": seal(manifest)}
    again = json.loads(json.dumps(sealed, indent=4, sort_keys=True))
    assert seal(again) == sealed["seal"]
    again["runs"][0]["used"] = 4
    assert seal(again) != sealed["seal"]
    assert seal({**manifest, "files": {}}) != sealed["seal"]
