"""Verification of finished runs from their files alone: invariants, and a replay."""

from simulator.verification.report import Findings, Problem, Report, Unchecked
from simulator.verification.verify import verify, verify_directory

__all__ = ["Findings", "Problem", "Report", "Unchecked", "verify", "verify_directory"]
