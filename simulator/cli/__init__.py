"""The command line: ``straggle run | sweep | complexity | check | validate | list | schema | …``.

Exit codes: 0 all went well; 1 a benchmark regressed, or what was verified is wrong; 2 a mistake of
the user's; 3 a run failed; 130 interrupted.  Heavy packages are imported inside the commands that
need them, so that help and checks are instant.
"""

import sys
from collections.abc import Callable
from errno import EISDIR, ELOOP, ENAMETOOLONG, ENOTDIR
from typing import Any, NoReturn

import typer

from simulator.cli import interrupts
from simulator.cli.app import INTERRUPTED, Interrupted, app, complain
from simulator.mistakes import Mistake
from simulator.system.files import Unwritable

# Commands join the app where they are defined, and are shown in this order.
# isort: off
from simulator.cli import (  # noqa: F401
    run, replay, verify, scenarios, campaigns, check, bench, replays,
)  # fmt: skip
# isort: on

LONGEST_NAME = 200
"""Characters of a file's name that are shown: its end."""
MISNAMED = {EISDIR, ELOOP, ENAMETOOLONG, ENOTDIR}
"""What the name of a file can be at fault for; all else is the disk's fault."""


def main() -> NoReturn:
    """Run the command line; every mistake is one line, every end an exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    arguments = arguments or ["--help"]
    with interrupts.all_heard():
        code = _guarded(lambda: app(arguments, standalone_mode=False), debug)
    if code == INTERRUPTED:
        interrupts.end_soon(code)
    raise SystemExit(code)


def _guarded(act: Callable[[], Any], debug: bool) -> int:
    try:
        code = act()
    except (KeyboardInterrupt, Interrupted, typer.Abort):
        return complain("interrupted", INTERRUPTED)
    except BaseException as error:
        if debug and not _is_misuse(error):
            raise
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: BaseException) -> int:
    if _is_misuse(error):
        return complain(error.format_message(), 2)  # type: ignore[attr-defined]
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
            return 0
        case OSError(errno=number, strerror=str() as reason):
            named = str(error.filename or "the output")[-LONGEST_NAME:]
            if number in MISNAMED:
                return complain(f"{named}: {reason}; name another file", 2)
            return complain(f"{named}: {reason}", 3)
    kind = type(error).__name__
    return complain(f"internal error: {kind}: {error} (--debug shows where)", 3)


def _is_misuse(error: BaseException) -> bool:
    """Whether the command line itself was wrong: typer has a class of click's own for that."""
    return hasattr(error, "format_message")
