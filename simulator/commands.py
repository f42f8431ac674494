"""What do the commands do, from Python?  The same, and the results are read instead of shown.

``settings`` are those of ``--set``; the others have the names of the commands' options.
"""

import shlex
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from simulator.campaign.run import Wishes
from simulator.campaign.run import run as run_campaign
from simulator.campaign.words import warn
from simulator.mistakes import Mistake, check_argument, labels_of
from simulator.results import results
from simulator.scenario import loading
from simulator.study import study, varying
from simulator.system.memory import give_back

if TYPE_CHECKING:
    import pandas as pd


def run(
    source: str | Path,
    *settings: str,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    out: str | Path | None = None,
    tickets: bool | None = None,
    jobs: int | None = 1,
    quiet: bool = False,
    anyway: bool = False,
) -> results.Results:
    """``straggle run``: every method on every seed, and the results.

    More ``jobs`` than one are processes (None: as many as pay): a script, but no notebook, needs
    ``if __name__ == "__main__":`` for them.

    >>> import tempfile
    >>> short = 'objective={kind="quadratic", dimension=5}', "stop={steps=3}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = run("straggler", *short, methods=["afedpg"], seeds=[7], out=folder, quiet=True)
    >>> found.runs["steps"].tolist(), found.manifest["command"].split()[-4:]
    ([3], ['--methods', 'afedpg', '--seeds', '7'])
    """
    _check_source("run", source, "a scenario")
    for setting in settings:
        check_argument("run: a setting", setting, str, "write it as 'path=value'")
    methods, seeds = labels_of("run", methods), _numbers_of("run", seeds)
    scenario = loading.load(str(source), settings).restrict(methods, seeds)
    warn(scenario)
    words = ["straggle", "run", str(source), *(word for s in settings for word in ("--set", s))]
    words += _chosen(methods, seeds)
    _check_jobs(jobs)
    wishes = Wishes(tickets=tickets, jobs=jobs, fitting=not anyway, quiet=quiet)
    ran = run_campaign(
        scenario, _place(out), Path(source).stem, command=shlex.join(words), wishes=wishes
    )
    give_back()  # a notebook may live for days
    return ran.results


def complexity(
    source: str | Path,
    vary: str = varying.DEFAULT,
    *settings: str,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """``straggle complexity``: when each run reached the target, for every value of a parameter.

    More ``jobs`` than one are processes: a script, but no notebook, needs
    ``if __name__ == "__main__":`` for them.

    >>> import tempfile
    >>> short = 'objective={kind="quadratic", dimension=5}', "stop={steps=3, target=0.5}"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = complexity("sqrt-workers", "cluster.workers=2,4", *short,
    ...         methods=["afedpg"], seeds=[7], out=folder, jobs=1, quiet=True)
    >>> found["value"].tolist()
    [2, 4]
    """
    _check_source("complexity", source, "a scenario")
    for setting in (vary, *settings):
        check_argument("complexity: a setting", setting, str, "write it as 'path=value'")
    _check_jobs(jobs)
    frame, _ = study.conduct(
        str(source),
        varying.read(vary),
        settings=list(settings),
        methods=labels_of("complexity", methods),
        seeds=_numbers_of("complexity", seeds),
        out=_place(out),
        jobs=jobs,
        quiet=quiet,
    )
    return frame


def sweep(
    source: str | Path,
    *,
    methods: str | Sequence[str] | None = None,
    seeds: int | Sequence[int] | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    yes: bool = False,
    quiet: bool = False,
) -> "pd.DataFrame":
    """``straggle sweep``: a row per method, setting and seed, with its score.

    As with ``complexity``, more ``jobs`` than one are processes.

    >>> import tempfile
    >>> text = '''
    ... scenario = "straggler"
    ... set = { objective = { kind = "quadratic" }, stop = { steps = 3, target = 0 } }
    ... grid = { methods.afedpg.step = [0.1, 0.2] }
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "steps.toml"
    ...     _ = file.write_text(text)
    ...     found = sweep(file, methods=["afedpg"], seeds=[7], out=Path(folder) / "out",
    ...         jobs=1, quiet=True)
    >>> found["step"].tolist(), found["steps"].tolist()
    ([0.1, 0.2], [3, 3])
    """
    from simulator.sweep.sweep import conduct

    _check_source("sweep", source, "a sweep file")
    methods, seeds = labels_of("sweep", methods), _numbers_of("sweep", seeds)
    _check_jobs(jobs)
    swept = conduct(
        source,
        methods=methods,
        seeds=seeds,
        out=_place(out),
        jobs=jobs,
        yes=yes,
        quiet=quiet,
        command=shlex.join(["straggle", "sweep", str(source), *_chosen(methods, seeds)]),
    )
    return swept.frame


def _check_source(function: str, source: object, what: str) -> None:
    remedy = f"give the path of {what}, or the name of a shipped one"
    check_argument(f"{function}: source", source, (str, Path), remedy)


def _numbers_of(function: str, seeds: int | Sequence[int] | None) -> list[int] | None:
    """Seeds as a list; a number is one of them, and none are all of the scenario's."""
    remedy = "give whole numbers, 0 or more, such as [0, 1]"
    if seeds is None:
        return None
    numbers: Any = [seeds] if isinstance(seeds, Integral) else seeds
    check_argument(f"{function}: seeds", numbers, Iterable, remedy)
    for seed in numbers:
        check_argument(f"{function}: a seed", seed, Integral, remedy)
        if seed < 0:
            raise Mistake(f"{function}: seeds = {seed}: must be 0 or more")
    return [int(seed) for seed in numbers] or None


def _chosen(methods: Sequence[str] | None, seeds: Sequence[int] | None) -> list[str]:
    """The options that choose these."""
    options = {"--methods": methods, "--seeds": seeds}
    return [w for o, chosen in options.items() if chosen for w in (o, ",".join(map(str, chosen)))]


def _check_jobs(jobs: int | None) -> None:
    if jobs is not None and jobs < 1:
        raise Mistake(f"jobs = {jobs}: must be at least 1")


def _place(out: str | Path | None) -> Path | None:
    check_argument("out", out, (str, Path, NoneType), "give the path of a directory")
    return None if out is None else Path(out)
