"""What does it cost to start?  Nothing heavy is loaded before it is needed.

The import contracts see what is written in each file; only a fresh interpreter shows what is
really loaded.
"""

import json
import subprocess
import sys

HEAVY = {"jax", "pandas", "matplotlib", "scipy", "gymnasium", "pyarrow"}


def loaded_by(lines):
    """The top-level modules that a fresh interpreter holds after these lines, and their output."""
    ending = "import json, sys; print(); print(json.dumps(sorted(sys.modules)))"
    asked = [sys.executable, "-c", f"{lines}\n{ending}"]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    modules = json.loads(done.stdout.splitlines()[-1])
    return {module.split(".")[0] for module in modules}, done.stdout


IN_TURN = """
import io, json, sys
from contextlib import redirect_stdout
reports = []
for name, lines in json.loads({pieces!r}).items():
    before, printed = set(sys.modules), io.StringIO()
    with redirect_stdout(printed):
        exec(lines)
    reports.append((name, sorted(sys.modules.keys() - before), printed.getvalue()))
print(json.dumps(reports))
"""


def loaded_in_turn(pieces):
    """The heavy packages that each of these pieces loads first, and its output, by its name.

    One interpreter does them all: a fresh one for each would take most of the time.
    """
    _, out = loaded_by(IN_TURN.format(pieces=json.dumps(pieces)))
    reports = json.loads(out.splitlines()[0])
    heavy = {
        name: {module.split(".")[0] for module in modules} & HEAVY for name, modules, _ in reports
    }
    return heavy, {name: printed for name, _, printed in reports}


MODULES = [
    "algorithms",
    "algorithms.vocabulary",
    "algorithms.methods",
    "algorithms.updates",
    "simulator",
    "simulator.cluster",
    "simulator.engine",
    "simulator.objectives.catalogue",
    "simulator.scenario.scenario",
    "simulator.scenario.loading",
    "simulator.results.results",
    "simulator.cli",
]
FILES = [
    "from simulator.sweeps import sweep_file; sweep_file.read('straggler-steps')",
    "from simulator.gate import suite_file; suite_file.read('stragglers')",
]


def test_modules_and_files_load_nothing_heavy():
    pieces = [f"import {module}" for module in MODULES]
    heavy, _ = loaded_in_turn({piece: piece for piece in [*pieces, *FILES]})
    assert heavy.pop(FILES[-1]) <= {"scipy"}  # the bounds of its claims
    assert heavy == {piece: set() for piece in [*pieces, *FILES[:-1]]}


def test_naming_and_building_an_aggregation_loads_nothing_heavy():
    modules, printed = loaded_by(
        "from algorithms.methods import METHODS\n"
        "for method in METHODS.values():\n"
        "    assert method.aggregate(dict.fromkeys(method.parameters(), 2))\n"
        "print(len(METHODS))"
    )
    assert int(printed.split()[0]) >= 8
    assert not {*HEAVY, "simpy", "simulator"} & modules


def test_building_a_rule_loads_no_jax():
    lines = "from algorithms.updates import nigt\nassert nigt(step=0.1, momentum=0.5).init"
    assert "jax" not in loaded_by(lines)[0]


def test_simulating_a_schedule_loads_nothing_heavy():
    modules, printed = loaded_by(
        "from simulator.scenario.loading import load\n"
        "from simulator.training.schedules import simulation_of, stop_of, vector_of\n"
        "scenario = load('straggler', ['stop={steps=3}'])\n"
        "vector = vector_of(scenario)\n"
        "simulation = simulation_of(scenario, 'rennala-nigt', 0, vector=vector)\n"
        "print(len(list(simulation.steps(stop_of(scenario)))))"
    )
    assert printed.split()[0] == "3"
    assert not HEAVY & modules


def test_a_notebook_loads_only_the_packages_it_uses():
    heavy, _ = loaded_in_turn(
        {
            "nothing": "import simulator; assert not {'pydantic', 'numpy'} & {*sys.modules}",
            "a scenario": "simulator.Scenario",
            "analysis": "from simulator import analysis, complexity, sweep",
        }
    )
    assert heavy["nothing"] == heavy["a scenario"] == set()
    assert not {"jax", "gymnasium"} & heavy["analysis"]


SIZED = [
    ({"kind": "quadratic"}, set()),
    ({"kind": "tabular", "states": 25}, set()),
    ({"kind": "linear-quadratic", "states": 10, "actions": 10}, set()),
    ({"kind": "policy-gradient", "environment": "CartPole-v1"}, set()),
    ({"kind": "policy-gradient", "environment": "Pendulum-v1"}, set()),
    # Last, since the others must not find gymnasium loaded.
    ({"kind": "policy-gradient", "environment": "Acrobot-v1"}, {"gymnasium"}),
    ({"kind": "policy-gradient", "environment": "MountainCarContinuous-v0"}, {"gymnasium"}),
]


def test_the_size_of_an_objectives_points_is_known_without_jax():
    pieces = {
        str(table): "from simulator.objectives.catalogue import OBJECTIVES\n"
        f"table = OBJECTIVES[{table['kind']!r}](**{table})\n"
        "print(*table.size(workers=2))"
        for table, _ in SIZED
    }
    heavy, printed = loaded_in_turn(pieces)
    for table, allowed in SIZED:
        assert heavy[str(table)] <= allowed, table
        assert int(printed[str(table)].split()[0]) >= 100


COMMANDS = [
    (["--help"], "Usage: straggle"),
    (["run", "--help"], "SCENARIO"),
    (["check", "--help"], "SUITE"),
    (["validate", "straggler"], "straggler: valid"),
    (["list"], "rennala-nigt"),
    (["schema"], '"properties"'),
]


def test_a_command_that_computes_nothing_loads_nothing_heavy():
    pieces = {
        " ".join(arguments): "from simulator.cli import main\n"
        f"sys.argv = {['straggle', *arguments]}\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code"
        for arguments, _ in COMMANDS
    }
    heavy, printed = loaded_in_turn(pieces)
    assert heavy == {" ".join(arguments): set() for arguments, _ in COMMANDS}
    for arguments, answer in COMMANDS:
        assert answer in printed[" ".join(arguments)]
