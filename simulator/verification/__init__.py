"""Is a finished run what it says?  Its schedule's invariants, checked from its files alone.

Nothing here knows the engine: the rules are written once more, from the documents.  One file per
idea: `files` (seals, rows, columns), `clock`, `accounts`, `communication`, `computations`,
`starts`, `fates`, `rounds` and `arrivals` (what each method promises), `transfers`, `presence`,
`points`.
"""

from simulator.verification.report import Findings, Problem, Report, Unchecked
from simulator.verification.verify import verify, verify_directory

__all__ = ["Findings", "Problem", "Report", "Unchecked", "verify", "verify_directory"]
