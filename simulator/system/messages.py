"""How does the library report without ending?  By its logger, whose messages commands print."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LOG = logging.getLogger("straggle")


class _Lines(logging.Handler):
    """A line of stderr for each message."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"straggle: {record.getMessage()}", file=sys.stderr)


@contextmanager
def printed() -> Iterator[None]:
    """Print messages while the block runs."""
    before, LOG.handlers, LOG.propagate = LOG.handlers, [_Lines()], False
    try:
        yield
    finally:
        LOG.handlers, LOG.propagate = before, True
