"""How does a command line become an exit code?

Exit codes: 0 success; 1 a benchmark regressed or verification failed; 2 a mistake of the user; 3 a
run failed; 130 interrupted; 143 terminated.  Each command imports the heavy packages that it needs,
so that help and checks are instant.
"""

import os
from collections.abc import Sequence
from errno import EISDIR, ELOOP, ENAMETOOLONG, ENOTDIR

import typer

from simulator.cli.app import app, complain
from simulator.mistakes import Mistake
from simulator.system.files import Unwritable
from simulator.system.interrupts import INTERRUPTED, Interrupts
from simulator.system.messages import printed

# Importing these modules adds their commands to the app, in this order.
# isort: off
from simulator.cli import (  # noqa: F401
    run, advice, real, finished, scenarios, campaigns, check, calibration,
)  # fmt: skip
# isort: on

LONGEST_NAME = 200
"""Characters at the end of a file's name that a message shows."""
MISNAMED = {EISDIR, ELOOP, ENAMETOOLONG, ENOTDIR}
"""Errors that another file name avoids; the disk causes all others."""


def run_command(words: Sequence[str], interrupts: Interrupts | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = [word for word in words if word != "--debug"]
    try:
        with printed():
            code = app(arguments or ["--help"], standalone_mode=False)
        if interrupts:
            interrupts.raise_pending()
    except (KeyboardInterrupt, typer.Abort) as interrupt:
        return complain("; ".join(["interrupted", *interrupt.args]), INTERRUPTED)
    except BaseException as error:
        if len(arguments) < len(words) and not _is_misuse(error):
            raise
        return _explain(error, interrupts)
    return code if isinstance(code, int) else 0


def _explain(error: BaseException, interrupts: Interrupts | None) -> int:
    from simulator import plugins

    if _is_misuse(error):
        return complain(error.format_message(), 2)  # type: ignore[attr-defined]
    if isinstance(error, typer.Exit):
        return error.exit_code
    error = plugins.blame(error)
    match error:
        case Mistake(args=lines):
            for line in lines:
                complain(line, 2)
            return 2
        case Unwritable():
            return complain(str(error), 3)
        case SystemExit():
            return error.code if isinstance(error.code, int) else 0
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python flushes stdout when it ends
            return 0
        case OSError(errno=number, strerror=str() as reason):
            named = str(error.filename or "the output")[-LONGEST_NAME:]
            if number in MISNAMED:
                return complain(f"{named}: {reason}; name another file", 2)
            return complain(f"{named}: {reason}", 3)
    if interrupts and interrupts.signal:  # an extension module raised another error instead
        return complain("interrupted", INTERRUPTED)
    kind = type(error).__name__
    return complain(f"internal error: {kind}: {error} (--debug shows where)", 3)


def _is_misuse(error: BaseException) -> bool:
    """Whether the command line itself was wrong: an error of click's, which typer may vendor."""
    return hasattr(error, "format_message")
