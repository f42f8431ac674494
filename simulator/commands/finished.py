"""What can be done with a finished run?  Verify, evaluate, film, trace, and replay a gradient."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.commands.arguments import numbers_of
from simulator.mistakes import Mistake, check_argument, labels_of
from simulator.results import results
from simulator.results.results import Results

if TYPE_CHECKING:
    import pandas as pd

    from simulator.replays.reproduction import Reproduction
    from simulator.replays.video import Filmed
    from simulator.trace.chrome_trace import Written
    from simulator.verification.report import Report


def verify(run: Results | str | Path) -> "Report":
    """``straggle verify``: check a run against the rules of its schedule, from its files alone.

    ``run`` is a result of ``run``, or a result directory.  The report is ``clean`` or lists
    ``problems``, and prints as the command does.
    """
    from simulator.verification import verify_directory

    directory = _directory_of("verify", run)
    _demand_plugins(directory)
    return verify_directory(directory)


def evaluate(
    run: Results | str | Path,
    *,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    episodes: int = 100,
    evaluation_seed: int = 0,
) -> "pd.DataFrame":
    """``straggle evaluate``: play the final policies again; a row per method and seed."""
    import pandas as pd

    from simulator.replays import evaluation

    if episodes < 1:
        raise Mistake(f"evaluate: episodes = {episodes}: must be at least 1")
    found, labels = _results_of("evaluate", run), labels_of("evaluate", methods)
    chosen = evaluation.select(found, labels, numbers_of("evaluate", seeds))
    return pd.DataFrame(evaluation.evaluate(chosen, episodes, evaluation_seed))


def film(
    run: Results | str | Path,
    out: str | Path,
    *,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    episodes: int = 1,
    evaluation_seed: int = 0,
) -> "list[Filmed]":
    """``straggle evaluate --video``: film the final policies; the films go to ``out``."""
    from simulator.replays import evaluation, video

    found, labels = _results_of("film", run), labels_of("film", methods)
    chosen = evaluation.select(found, labels, numbers_of("film", seeds))
    return list(video.film(chosen, Path(out), episodes, evaluation_seed))


def timeline(
    run: Results | str | Path,
    out: str | Path,
    *,
    methods: str | Sequence[str] | None = None,
    seed: int | None = None,
    begin: float = 0.0,
    until: float = math.inf,
    workers: Sequence[int] | None = None,
) -> "Written":
    """``straggle timeline``: write what each worker did to the file ``out``, as a Chrome trace."""
    from simulator.trace import chrome_trace

    ranges = None if workers is None else [range(worker, worker + 1) for worker in workers]
    found, labels = _results_of("timeline", run), labels_of("timeline", methods)
    wanted = chrome_trace.excerpt(found, labels, seed, ranges, begin, until)
    return chrome_trace.write(wanted, Path(out))


def replay(
    run: Results | str | Path, ticket: str, *, method: str | None = None, seed: int | None = None
) -> "Reproduction":
    """``straggle replay``: compute one gradient, such as ``"3.7.0"``, again, alone."""
    from simulator.replays import reproduction

    found = _results_of("replay", run)
    check_argument("replay: ticket", ticket, str, "write it as 'WORKER.VERSION.INDEX'")
    return reproduction.reproduce(found, reproduction.choose(found, ticket, method, seed))


def _demand_plugins(directory: Path) -> None:
    try:
        manifest = results.manifest_in(directory)
    except Mistake:  # the report judges a broken manifest
        return
    results.demand_plugins(directory, manifest)


def _results_of(function: str, run: Results | str | Path) -> Results:
    return run if isinstance(run, Results) else results.load(_directory_of(function, run))


def _directory_of(function: str, run: Results | str | Path) -> Path:
    remedy = "give what run returns, or the path of a result directory"
    check_argument(f"{function}: run", run, (str, Path, Results), remedy)
    return run.directory if isinstance(run, Results) else Path(run)
