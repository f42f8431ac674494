"""The command line: ``straggle run | sweep | complexity | validate | list | schema | …``.

Exit codes: 0 all went well; 2 a mistake of the user's; 3 a run failed; 130 interrupted.  Heavy
packages are imported inside the commands that need them, so that help and checks are instant.
"""

import json
import math
import os
import shlex
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from simulator.mistakes import Mistake

if TYPE_CHECKING:
    from simulator.evaluation import Selection
    from simulator.scenario import Scenario

INTERRUPTED = 130
PATIENCE = 3.0
"""Seconds until an interrupted command ends, whatever it still waits for."""

app = typer.Typer(
    help="Compare asynchronous policy-gradient methods on an unequal cluster, in simulated time.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="--debug, anywhere: show the traceback of an error.",
)

ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of a shipped scenario.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Override a key; may be repeated."),
]
SeedsOption = Annotated[
    str | None, typer.Option(metavar="0,1,…", help="Seeds to run instead of the scenario's.")
]
MethodsOption = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Run only these methods of the scenario.")
]


def main() -> NoReturn:
    """Run the command line; every mistake is one line, every end an exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    arguments = arguments or ["--help"]
    code = _guarded(lambda: app(arguments, standalone_mode=False), debug)
    if code == INTERRUPTED:
        # Who interrupts shall not wait for ever: Python's pool of processes may, at its end, for
        # what a process that was ended had half written.
        watchdog = threading.Timer(PATIENCE, os._exit, [code])
        watchdog.daemon = True
        watchdog.start()
    raise SystemExit(code)


def _guarded(act: Callable[[], Any], debug: bool) -> int:
    try:
        code = act()
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BaseException as error:
        if debug and not _is_misuse(error):
            raise
        return _explain(error)
    return code if isinstance(code, int) else 0


def _explain(error: BaseException) -> int:
    if _is_misuse(error):
        return _complain(error.format_message(), 2)  # type: ignore[attr-defined]
    match error:
        case Mistake():
            return _complain(str(error), 2)
        case SystemExit():
            return error.code if isinstance(error.code, int) else 0
        case BrokenPipeError():
            return 0
    kind = type(error).__name__
    return _complain(f"internal error: {kind}: {error} (--debug shows where)", 3)


def _is_misuse(error: BaseException) -> bool:
    """Whether the command line itself was wrong: typer has a class of click's own for that."""
    return hasattr(error, "format_message")


def _complain(message: str, code: int) -> int:
    print(f"straggle: {' '.join(message.split())}", file=sys.stderr)
    return code


@app.command()
def run(
    scenario: ScenarioArgument,
    settings: SetOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where results go [results/SCENARIO].")
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    tickets: Annotated[
        bool, typer.Option("--tickets", help="Also record every gradient that was started.")
    ] = False,
    schedule_only: Annotated[
        bool, typer.Option("--schedule-only", help="Only the times: no gradients, no learning.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
) -> int:
    """Run every method of a scenario on every seed; write results and figures."""
    from simulator.loading import load
    from simulator.running import Wishes, run_and_write, warn

    chosen = load(scenario, settings or []).restrict(_words(methods), _seeds(seeds))
    name = Path(scenario).stem
    wishes = Wishes(schedule_only, tickets, quiet=quiet or as_json)
    warn(chosen)
    if schedule_only:
        chosen = _one_of_equal_seeds(chosen, wishes.quiet)
    directory, code = run_and_write(chosen, out, name, command=_command(), wishes=wishes)
    _show(directory, code != INTERRUPTED, quiet, as_json)
    return code


def _one_of_equal_seeds(scenario: "Scenario", quiet: bool) -> "Scenario":
    """Where nothing about the times depends on the seed, every seed has the same schedule."""
    from simulator.remarks import random_times

    alike = scenario.cluster.seed is not None or not random_times(scenario)
    if len(scenario.seeds) == 1 or not alike or scenario.cluster.per != "gradient":
        return scenario
    if not quiet:
        told = "straggle: the times are the same for every seed, so one is simulated"
        print(told, file=sys.stderr)
    return scenario.restrict(None, scenario.seeds[:1])


def _show(directory: Path, to_be_drawn: bool, quiet: bool, as_json: bool) -> None:
    """The table first: figures take a moment."""
    from simulator import report, results, running, summary

    outcome = results.load(directory)
    if not (quiet or as_json):
        _console().print(report.table(outcome))
        print(*report.notes(outcome), f"results: {directory}", sep="\n", flush=True)
    figures = [str(path) for path in sorted(running.draw(outcome))] if to_be_drawn else []
    if as_json:
        rows = summary.as_data(summary.summarise(outcome))
        status = outcome.manifest["status"]
        data = {"directory": str(directory), "status": status, "methods": rows, "figures": figures}
        print(json.dumps(data, indent=2))
    elif figures and not quiet:
        print(*(f"figure:  {figure}" for figure in figures), sep="\n")


@app.command()
def sweep(
    sweep: Annotated[
        str, typer.Argument(metavar="SWEEP", help="A TOML file, or the name of a shipped sweep.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="[results/sweep-NAME]; goes on.")
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Jobs at a time [one per core].")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="However many runs there are.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The best settings as JSON.")] = False,
) -> int:
    """Try settings of every method; keep all runs, and write the best as a scenario."""
    from simulator.sweep import conduct

    try:
        swept = conduct(
            sweep,
            methods=_words(methods),
            seeds=_seeds(seeds),
            out=out,
            jobs=jobs,
            yes=yes,
            quiet=quiet or as_json,
            command=_command(),
        )
    except KeyboardInterrupt:
        return _complain("interrupted; the same command goes on where it was", 130)
    return _show_sweep(swept, quiet, as_json)


def _show_sweep(swept: Any, quiet: bool, as_json: bool) -> int:
    from simulator import tuning

    found = tuning.best_of(swept.frame)
    if as_json:
        print(json.dumps(tuning.as_data(found, swept), indent=2))
    elif not quiet:
        _console().print(*tuning.tables(found, swept.sweep.table.title), sep="\n")
        print(*tuning.notes(found, swept), f"results: {swept.directory}", sep="\n", flush=True)
    drawn = tuning.draw(swept)
    if not (quiet or as_json):
        print(*(f"figure:  {figure}" for figure in drawn), sep="\n")
    return 3 if tuning.hopeless(found) else 0


@app.command()
def complexity(
    scenario: ScenarioArgument,
    vary: Annotated[
        str,
        typer.Option(
            metavar="PATH=START:STOP:logN",
            help="What to vary, or PATH=A,B,…; eps and batch stand for several keys.",
        ),
    ] = "cluster.workers=10:1000:log8",
    settings: SetOption = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="[results/complexity-SCENARIO-PARAMETER]; goes on."),
    ] = None,
    seeds: SeedsOption = None,
    methods: MethodsOption = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Runs at a time [one per core].")] = None,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.9,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no table.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The exponents as JSON.")] = False,
) -> int:
    """Measure how the time to the target grows, beside what theory predicts."""
    from simulator import study, varying

    try:
        frame, directory = study.conduct(
            scenario,
            varying.read(vary),
            settings=settings,
            methods=_words(methods),
            seeds=_seeds(seeds),
            out=out,
            jobs=jobs,
            quiet=quiet or as_json,
        )
    except KeyboardInterrupt:
        return _complain("interrupted; the same command goes on where it was", 130)
    return _show_study(frame, directory, confidence, quiet, as_json)


def _show_study(frame: Any, directory: Path, confidence: float, quiet: bool, as_json: bool) -> int:
    from simulator import growth

    fitted = growth.fitted(frame, confidence)
    if as_json:
        print(json.dumps(growth.as_data(fitted, frame, directory), indent=2))
    elif not quiet:
        _console().print(growth.table(fitted, frame))
        print(*growth.notes(frame, confidence), f"results: {directory}", sep="\n", flush=True)
    drawn = growth.draw(frame, directory, confidence)
    if not (quiet or as_json):
        print(*(f"figure:  {figure}" for figure in drawn), sep="\n")
    return 3 if frame["end"].isin(["failed", "stalled"]).any() else 0


@app.command()
def validate(scenario: ScenarioArgument, settings: SetOption = None) -> None:
    """Check a scenario without running it; say what is known of it, and what theory chooses."""
    from simulator import prescription
    from simulator.loading import load
    from simulator.running import warn

    found = load(scenario, settings or [])
    warn(found)
    runs = len(found.methods) * len(found.seeds)
    methods, workers = ", ".join(found.methods), found.cluster.workers
    print(f"{scenario}: valid; {runs} runs ({methods}), {workers} workers")
    print(*prescription.told(found), sep="\n", end="\n" if found.objective.exact else "")


@app.command("list")
def list_() -> None:
    """What there is: methods, laws, objectives, environments, shipped scenarios and sweeps."""
    from simulator.listing import listing

    for heading, entries in listing().items():
        width = max(len(name) for name in entries)
        print(f"{heading}")
        for name, line in entries.items():
            print(f"  {name:<{width}}  {line}")


@app.command()
def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="That of a sweep file instead.")] = False,
) -> None:
    """Print the JSON Schema of a scenario file."""
    from simulator.json_schema import json_schema, sweep_schema

    print(json.dumps(sweep_schema() if sweep else json_schema(), indent=2, sort_keys=True))


@app.command()
def evaluate(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")],
    methods: MethodsOption = None,
    seeds: SeedsOption = None,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="How many to play [100], or to film [1].")
    ] = None,
    evaluation_seed: Annotated[int, typer.Option(min=0, help="Of the episodes.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
    video: Annotated[
        bool, typer.Option("--video", help="Film each policy as it was trained, chance included.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where films go [RUN/videos].")
    ] = None,
) -> None:
    """Play the final policies of a run again, and count; or film them."""
    from simulator import evaluation, results

    if out and not video:
        raise Mistake(f"--out {out}: says where films go; add --video")
    chosen = evaluation.select(results.load(directory), _words(methods), _seeds(seeds))
    if video:
        _film(chosen, out or directory / "videos", episodes or 1, evaluation_seed, as_json)
        return
    rows = evaluation.evaluate(chosen, episodes or 100, evaluation_seed)
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        _console().print(evaluation.table(rows))


def _film(chosen: "Selection", folder: Path, episodes: int, seed: int, as_json: bool) -> None:
    from simulator import video

    filmed = []
    for one in video.film(chosen, folder, episodes, seed):
        filmed.append(one.as_data())
        if not as_json:
            print(one, flush=True)
    if as_json:
        print(json.dumps(filmed, indent=2))


@app.command()
def timeline(
    directory: Annotated[Path, typer.Argument(metavar="RUN", help="A result directory.")],
    method: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="Only this method; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the runs [the first].")] = None,
    begin: Annotated[float, typer.Option("--from", help="Simulated seconds.")] = 0.0,
    until: Annotated[
        float | None, typer.Option(help="Simulated seconds; fates are as of then [the end].")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(metavar="0,5-9,…", help="Only these workers, and the server.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to [RUN/timeline.json].")
    ] = None,
) -> None:
    """Write what everybody did, as a Chrome trace, which https://ui.perfetto.dev shows."""
    from simulator import chrome_trace, results

    found, chosen = results.load(directory), _ranges(workers)
    end = math.inf if until is None else until
    wanted = chrome_trace.excerpt(found, method, seed, chosen, begin, end)
    written = chrome_trace.write(wanted, out or directory / "timeline.json", _say)
    print(f"{written.path}: {written.events:,} events, {written.size / 1e6:,.1f} MB")
    print("open it in https://ui.perfetto.dev")


def _say(text: str) -> None:
    print(f"straggle: {text}", file=sys.stderr)


def _ranges(text: str | None) -> list[range] | None:
    """The workers that ``0,5-9`` names."""
    words = _words(text, "--workers")
    if words is None:
        return None
    bounds = [(word.partition("-")[0], word.rpartition("-")[2]) for word in words]
    if not all(first.isdecimal() and last.isdecimal() for first, last in bounds):
        raise Mistake(f"--workers {text}: must be whole numbers and ranges, such as 0,5-9")
    return [range(int(first), int(last) + 1) for first, last in bounds]


def _command() -> str:
    return shlex.join(["straggle", *sys.argv[1:]])


def _console() -> Any:
    from rich.console import Console

    # Piped output has no width of its own: let no column be cut.
    return Console() if sys.stdout.isatty() else Console(width=120)


def _words(text: str | None, option: str = "--methods") -> list[str] | None:
    if text is None:
        return None
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise Mistake(f"{option} {text!r}: names nothing; leave it out for all")
    return words


def _seeds(text: str | None) -> list[int] | None:
    words = _words(text, "--seeds")
    if words is None:
        return None
    if not all(word.isdecimal() for word in words):
        raise Mistake(f"--seeds {text}: must be whole numbers, 0 or more, such as 0,1,2")
    return list(dict.fromkeys(int(word) for word in words))


if __name__ == "__main__":
    main()
