"""Is each worker's `communicating` the seconds in which it sends or receives and does nothing else?

Where each gradient is sent by itself nobody is ever idle: a worker computes, sends what it has
computed, receives the answer, or is away.  In rounds the intervals are known: of receiving from the
orders and the starts, of sending from the batches and the network's formulas.
"""

import numpy as np

from simulator.cluster.law import Floats
from simulator.verification import batches, transfers
from simulator.verification.evidence import RELATIVE, WORKERS, Evidence
from simulator.verification.orders import receiving
from simulator.verification.report import Findings
from simulator.verification.spans import Spans, joined, seconds


def never_idle(run: Evidence, found: Findings) -> None:
    """From the accounts alone: what is not `idle` is `communicating`, by the sum of all."""
    if not run.one_by_one:
        return
    idle = run.workers["idle"]
    found.demand(
        "communicating",
        WORKERS,
        np.abs(idle) <= _tolerance(run),
        lambda at: f"idle = {idle[at]:.12g} s, but it always computes, sends or receives",
        "worker {}".format,
    )


def check(run: Evidence, found: Findings) -> None:
    """In rounds: between the least and the most that the files allow, which mostly are one."""
    if run.one_by_one or (run.free and not run.paused):
        return
    if not run.sure_of_rounds:
        found.pass_over(
            "communicating and idle, but for their sum",
            "a worker came back at the very moment that decides whether it takes part in a round",
        )
        return
    if run.shared:
        found.pass_over("communicating and idle, but for bounds", "uploads share an uplink")
    mine = run.workers["communicating"]
    least, most = _seconds(run)
    found.demand(
        "communicating",
        WORKERS,
        (mine >= least - _tolerance(run)) & (mine <= most + _tolerance(run)),
        lambda at: f"communicating = {mine[at]:.12g} s, must be {_span(least[at], most[at])}",
        "worker {}".format,
    )


def _tolerance(run: Evidence) -> float:
    return RELATIVE * max(run.end, 1.0)


def _span(least: float, most: float) -> str:
    return f"{least:.12g}" if least == most else f"{least:.12g} to {most:.12g}"


def _seconds(run: Evidence) -> tuple[Floats, Floats]:
    """The least and the most that each worker can have sent and received, and done nothing else."""
    orders, otherwise = receiving(run), _otherwise(run)
    least, most = (
        seconds(joined(orders, each).until(run.end), otherwise, run.many) for each in _sending(run)
    )
    return least, most


def _otherwise(run: Evidence) -> Spans:
    """Computing, and not being there."""
    tickets, away = run.known(), run.presence
    computing = Spans(tickets.worker, tickets.start, tickets.finish)
    return joined(computing, Spans(away.worker, away.begin, away.end)).until(run.end)


def _sending(run: Evidence) -> tuple[Spans, Spans]:
    """Everybody's part in every all-reduce, the one under way at the end included."""
    tickets = run.known()
    held = tickets.where("used") | batches.under_way(run)
    parts = transfers.participants(run, held, tickets.version)
    sent = transfers.sending(run, parts, run.full)
    return Spans(parts.worker, sent.begin, sent.least), Spans(parts.worker, sent.begin, sent.most)
