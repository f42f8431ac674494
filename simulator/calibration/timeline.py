"""Which complete events does a timeline hold?  Of ``ray timeline``, or any Chrome trace."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.mistakes import Mistake, brief

if TYPE_CHECKING:
    import pandas as pd

MICROSECOND = 1e-6


def read(file: Path, name: str | None) -> "pd.DataFrame":
    """A row per complete event whose name or category has the pattern; workers are pid/tid."""
    import pandas as pd

    events = list(_complete(file))
    pattern = _pattern(name or "")
    chosen = [
        event
        for event in events
        if any(pattern.search(str(event.get(key, ""))) for key in ("name", "cat"))
    ]
    if not chosen:
        if not events:
            raise Mistake(f"{file}: has no complete event (ph = X); must be a Chrome trace")
        names = dict.fromkeys(repr(str(event.get("name"))) for event in events)
        known = f"its events are: {brief(', '.join(names))}"
        raise Mistake(f"{file}: no complete event matches --name {name}; {known}")
    rows = [(f"{e.get('pid')}/{e.get('tid')}", e["ts"], e["dur"]) for e in chosen]
    frame = pd.DataFrame(rows, columns=["worker", "ts", "dur"])
    start, dur = (pd.to_numeric(frame[column], errors="coerce") for column in ("ts", "dur"))
    # The clock of a trace may start anywhere, also below zero.
    start = (start - start.min()) * MICROSECOND
    return pd.DataFrame(
        {"worker": frame["worker"], "start": start, "end": start + dur * MICROSECOND}
    )


def _complete(file: Path) -> Iterator[dict[str, Any]]:
    try:
        data = json.loads(file.read_bytes())
    except OSError as error:
        raise Mistake(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise Mistake(f"{file}: is no JSON: {brief(str(error))}") from None
    events = data.get("traceEvents") if isinstance(data, dict) else data
    if not isinstance(events, list):
        raise Mistake(f"{file}: has no list traceEvents; must be a Chrome trace")
    for event in events:
        if isinstance(event, dict) and event.get("ph") == "X" and {"ts", "dur"} <= event.keys():
            yield event


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise Mistake(f"--name {text}: is no regular expression: {error}") from None
