"""The command line ``straggle``.

Nothing is imported before :func:`main` begins, so that it handles an interrupt from the start.
"""

import gc
import sys

ALLOCATIONS = 50_000
"""Allocations between two garbage collections: a start allocates much and leaves none."""


def main() -> None:
    """Run the command line; report a mistake in one line and end with an exit code."""
    gc.set_threshold(ALLOCATIONS)
    interrupted = code = 130
    interrupts = None
    try:
        from simulator.system.interrupts import Interrupts

        with Interrupts() as interrupts:
            from simulator.cli.command_line import run_command

            code = run_command(sys.argv[1:], interrupts)
    except KeyboardInterrupt:  # before the command began
        sys.stderr.write("straggle: interrupted\n")
    if interrupts and code == interrupted:
        code = interrupts.exit_code
        interrupts.force_exit()
    raise SystemExit(code)
