"""What is there to spoil?  Valid files of every kind, made once."""

from pathlib import Path

import pandas as pd

from simulator import run
from simulator.scenario import files

TRACE = "worker,time,speed\n" + "".join(f"{i % 3},{i // 3 * 10},{1 + i % 2}\n" for i in range(30))
OF_A_TRACE = """
seeds = [0]
cluster = { workers = 3, compute = 1, speed = { law = "trace", file = "FILE" } }
objective = { kind = "quadratic", dimension = 4 }
stop = { steps = 10 }
methods.rennala-nigt = { batch = 2, step = 0.1, momentum = 0.5 }
"""
SHORT = (
    "stop={steps=6}",
    "evaluation={every_steps=3, episodes=2}",
    "seeds=[0, 7]",
)
QUADRATIC = 'objective={kind="quadratic", dimension=5}'


def scenarios() -> dict[str, str]:
    """All that are shipped."""
    return {name: path.read_text() for name, path in files.shipped().items()}


def sweeps() -> dict[str, str]:
    return {name: path.read_text() for name, path in files.shipped("sweep").items()} | {
        "list": 'scenario = "one-straggler"\nset = { stop.seconds = 100 }\nseeds = [0, 1]\n'
        "[grid]\nmethods.*.step = [0.1, 0.2]\ncluster.workers = [10]\n"
        "[[list]]\nmethods.rennala-nigt.batch = 5\n[[list]]\nmethods.malenia-nigt.batch = 7\n"
        '[score]\nkind = "average"\nseconds = 50\n',
    }


def suites() -> dict[str, str]:
    return {name: path.read_text() for name, path in files.shipped("suite").items()}


def baselines() -> list[Path]:
    """The files that hold them."""
    folders = [path.parent / "baselines" / path.stem for path in files.shipped("suite").values()]
    return [file for folder in folders for file in sorted(folder.glob("*.json"))]


def lay_out(folder: Path) -> None:
    """Into a folder: a trace of each format, and result directories."""
    (folder / "trace.csv").write_text(TRACE)
    pd.read_csv(folder / "trace.csv").to_parquet(folder / "trace.parquet")
    methods = ["rennala-nigt", "afedpg"]
    run("one-straggler", QUADRATIC, *SHORT, methods=methods, out=folder / "quadratic", quiet=True)
    of_a_trace = folder / "of-a-trace.toml"
    of_a_trace.write_text(OF_A_TRACE.replace("FILE", "trace.csv"))
    run(of_a_trace, out=folder / "with-trace", tickets=True, quiet=True)
    policy = (
        'objective={kind="policy-gradient",environment="CartPole-v1",horizon=5,policy={hidden=[4]}}'
    )
    run(
        "one-straggler",
        policy,
        *SHORT,
        'cluster={workers=2,compute=1,per="environment-step"}',
        "evaluation.metric=return",
        "stop.target=100",
        methods=["rennala-nigt"],
        seeds=[0],
        out=folder / "by-the-step",
        quiet=True,
    )


RESULTS = ("quadratic", "with-trace", "by-the-step")
