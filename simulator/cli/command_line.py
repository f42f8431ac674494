"""From the words of a command line to its exit code.

Exit codes: 0 all went well; 1 a benchmark regressed, or what was verified is wrong; 2 a mistake of
the user's; 3 a run failed; 130 interrupted; 143 terminated.  Heavy packages are imported inside the
commands that need them, so that help and checks are instant.
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

# Commands join the app where they are defined, and are shown in this order.
# isort: off
from simulator.cli import (  # noqa: F401
    run, replay, verify, scenarios, campaigns, check, replays,
)  # fmt: skip
# isort: on

LONGEST_NAME = 200
"""Characters of a file's name that are shown: its end."""
MISNAMED = {EISDIR, ELOOP, ENAMETOOLONG, ENOTDIR}
"""What the name of a file can be at fault for; all else is the disk's fault."""


def run_command(words: Sequence[str], interrupts: Interrupts | None = None) -> int:
    """Run one command; its exit code.  ``interrupts`` are what may have been raised in it."""
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
    if _is_misuse(error):
        return complain(error.format_message(), 2)  # type: ignore[attr-defined]
    if isinstance(error, typer.Exit):
        return error.exit_code
    error = _blamed(error)
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
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Python writes what is left at its end
            return 0
        case OSError(errno=number, strerror=str() as reason):
            named = str(error.filename or "the output")[-LONGEST_NAME:]
            if number in MISNAMED:
                return complain(f"{named}: {reason}; name another file", 2)
            return complain(f"{named}: {reason}", 3)
    if interrupts and interrupts.signal:  # an extension module made another error of it
        return complain("interrupted", INTERRUPTED)
    kind = type(error).__name__
    return complain(f"internal error: {kind}: {error} (--debug shows where)", 3)


def _blamed(error: BaseException) -> BaseException:
    """What a plug-in has raised is a mistake that names it."""
    from simulator import plugins

    return plugins.blame(error)


def _is_misuse(error: BaseException) -> bool:
    """Whether the command line itself was wrong: typer has a class of click's own for that."""
    return hasattr(error, "format_message")
