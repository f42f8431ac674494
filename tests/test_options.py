"""Do the options that all commands share mean what they should?"""

import pytest
import typer
from test_cli import one_line, straggle

from simulator.cli.app import MOST_SEEDS, app, seeds_of

NO_SEEDS = "must be whole numbers, 0 or more, such as 0,1,2 or 0-4"
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("words", [[], *([command] for command in COMMANDS)], ids=str)
def test_a_single_letter_asks_for_help_too(words):
    short, long = straggle(*words, "-h"), straggle(*words, "--help")
    assert short == long
    assert (short.code, short.err) == (0, "")
    assert "-h, --help" in short.out


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0-4", [0, 1, 2, 3, 4]),
        ("0,3-5", [0, 3, 4, 5]),
        ("7", [7]),
        ("7-7", [7]),
        ("3-5, 4-6, 0", [3, 4, 5, 6, 0]),
        (f"{2**32 - 2}-{2**32 - 1}", [2**32 - 2, 2**32 - 1]),
        (None, None),
    ],
)
def test_seeds_may_be_ranges(text, seeds):
    assert seeds_of(text) == seeds


@pytest.mark.parametrize(
    ("seeds", "why"),
    [
        ("4-0", "4-0 runs backwards; write the smaller seed first"),
        *((text, NO_SEEDS) for text in ("0-", "1-2-x", "1,a", "-1", "1.5", "1 2", "1e3")),
        ("0-99999999999999999999", "must be less than 2^32"),
        ("0-1000000000", f"are more than {MOST_SEEDS:,} seeds"),
    ],
)
def test_seeds_that_make_no_sense_are_refused(seeds, why):
    assert one_line(straggle("run", "straggler", "--seeds", seeds)) == f"--seeds {seeds}: {why}"


def test_a_list_has_no_empty_entry():
    said = one_line(straggle("run", "straggler", "--seeds", "0,,1"))
    assert said == "--seeds '0,,1': has an empty entry; remove a comma"
