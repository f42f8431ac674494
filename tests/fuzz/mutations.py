"""How is a valid file spoiled?  By words, values, structure or bytes; by a seed, so that it can be
done once more."""

import json
import re
from random import Random
from typing import Any

WORD = re.compile(r"\"[^\"\n]*\"|[A-Za-z_][A-Za-z0-9_-]*|[-+]?[0-9][0-9_.e+-]*")
WORDS = r"""
nan inf -inf 1e999 -1e-999 1e-300 1e300 1e18 -1 0 -0.0 1 0.5 2147483647 2147483648
9223372036854775807 99999999999999999999999 0x7f 1_0 true "" "x" "../../etc/passwd" "/dev/zero"
"a\u0000b" "\u202e\ud7ff" '' [] {} [[]] [{}] [nan] 1979-05-27 07:32:00 1979-05-27T07:32:00Z "sum"
"CartPole-v1" "Pendulum-v1" "quadratic" "tabular" "linear-quadratic" "random" "progress" "chain"
"ring" "gather" "parameter-server" "finish" "environment-step" "rennala-nigt" "fedbuff"
"NoSuch-v9" "os:CartPole-v1"
"""
TABLES = """\
{law = 1}
{law = "fixed"}
[1, inf]
[1, [2]]
{law = "pareto", minimum = 0, shape = 1e-9}
{law = "power", exponent = 1e9}
{law = "never-finishes", seconds = 1, probability = 1}
{law = "table", times = [0], speeds = [[0]]}
{law = "gamma", mean = 1e-300, shape = 1e300}
{eps = 1e-300}
{eps = 1e300}
{eps = 0.1, factor = 1e300, limit = 1}
{mean = 1e308}"""
LITERALS = (
    *WORDS.split(),
    *TABLES.splitlines(),
    "[" * 3000 + "]" * 3000,
    "{a = " * 3000 + "1" + "}" * 3000,
    "[" + "1, " * 100_000 + "]",
    '"' + "x" * 1_000_000 + '"',
    "9" * 100_000,
)
"""What stands where something else should."""
NAMES = 'x law kind seconds workers theory options * "" é target step'
KEYS = NAMES.split()
ONES = """\
[cluster]
[[cluster]]
[methods]
[x.y.z]
[[objective.workers]]
= 1
]]
cluster.speed = { law = "drift", begin = 1, end = 0 }
seeds = [0, 0]
title = 5"""
LINES = (
    *ONES.splitlines(),
    "a = ",
    '[cluster.speed]\nlaw = "random-walk"\nevery = 1e-9\nsigma = 1\nlow = 0.1\nhigh = 2',
    "\x00",
    "[network]\nupload = 1e300",
    "[cluster.failures]\nmean_time_between_failures = 1e-9",
    "[[cluster.outages]]\nworker = 0\nbegin = 1e308",
    "[evaluation]\nevery_steps = 1",
)
LONG = 10_000
"""Characters; what is longer is not searched for words, which would take longer than to read it."""
VALUES: tuple[Any, ...] = (
    *(None, True, "", "x", "../../../etc/passwd", "/dev/zero", "é\u202e\x1b[2J", "x" * 1_000_000),
    *(0, -1, 1.5, 1e308, -1e308, float("nan"), float("inf"), 2**31, 2**63, 2**64, 10**400),
    *([], {}, [None], [[]], {"": None}, [0] * 100_000, "inf", "nan", "complete", 1e-300),
)


def text(valid: str, random: Random) -> bytes:
    """A TOML file, once or several times spoiled."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if len(valid) < LONG:
            valid = random.choice((_word, _word, _word, _key, _line))(valid, random)
    encoded = valid.encode("utf-8", "surrogatepass")
    return raw(encoded, random) if random.random() < 0.1 else encoded


def _word(valid: str, random: Random) -> str:
    """A literal in the place of any word: a key, a string, a number."""
    words = list(WORD.finditer(valid))
    values = [
        word
        for word in words
        if "=" in valid[valid.rfind("\n", 0, word.start()) + 1 : word.start()]
    ]
    return _replaced(valid, values or words, random.choice(LITERALS), random)


def _key(valid: str, random: Random) -> str:
    keys = list(re.finditer(r"[\w.-]+(?=\s*=)|(?<=\[)[\w.-]+(?=\])", valid))
    others = [*KEYS, *(key[0] for key in keys)]
    return _replaced(valid, keys, random.choice(others), random)


def _replaced(valid: str, places: list[re.Match[str]], new: str, random: Random) -> str:
    if not places:
        return valid + new
    place = random.choice(places)
    return valid[: place.start()] + new + valid[place.end() :]


def _line(valid: str, random: Random) -> str:
    lines = valid.splitlines()
    at = random.randrange(len(lines) + 1)
    match random.choice(("delete", "repeat", "insert", "move", "cut", "join")):
        case "delete":
            del lines[at : at + random.choice((1, 1, 3, 10))]
        case "repeat":
            lines[at:at] = lines[at : at + 5]
        case "insert":
            lines.insert(at, random.choice(LINES))
        case "move":
            moved = lines[at : at + 1]
            del lines[at : at + 1]
            lines[random.randrange(len(lines) + 1) :] += moved
        case "cut":
            del lines[at:]
        case "join":
            return random.choice(("", " ", "\r\n", "\r")).join(lines)
    return "\n".join(lines)


def plain(value: Any, random: Random) -> Any:
    """Plain data, such as JSON holds, with one value, key or entry replaced."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        rest = {name: each for name, each in value.items() if name != key}
        match random.choice(("within",) * 6 + ("delete", "rename", "add")):
            case "within":
                return {**value, key: plain(value[key], random)}
            case "delete":
                return rest
            case "rename":
                return {**rest, random.choice(KEYS): value[key]}
            case _:
                return {**value, random.choice(KEYS): random.choice(VALUES)}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        match random.choice(("within",) * 4 + ("delete", "repeat")):
            case "within":
                return [*value[:at], plain(value[at], random), *value[at + 1 :]]
            case "delete":
                return value[:at] + value[at + 1 :]
            case _:
                return [*value, value[at]]
    return random.choice(VALUES)


def manifest(valid: bytes, random: Random) -> bytes:
    """A file of JSON."""
    if random.random() < 0.15:
        return raw(valid, random)
    spoiled = json.loads(valid)
    for _ in range(random.choice((1, 1, 2))):
        spoiled = plain(spoiled, random)
    if random.random() < 0.02:
        return b"[" * 100_000
    return json.dumps(spoiled).encode()


def raw(valid: bytes, random: Random) -> bytes:
    """Bytes, of whatever they are."""
    at = random.randrange(len(valid) + 1)
    match random.choice(
        ("flip", "flip", "flip", "cut", "insert", "zero", "empty", "repeat", "swap")
    ):
        case "flip":
            spoiled = bytearray(valid)
            for _ in range(random.choice((1, 1, 2, 8, 64))):
                if spoiled:
                    spoiled[random.randrange(len(spoiled))] = random.randrange(256)
            return bytes(spoiled)
        case "cut":
            return valid[:at]
        case "insert":
            return valid[:at] + random.randbytes(random.choice((1, 4, 100))) + valid[at:]
        case "zero":
            return valid[:at] + bytes(16) + valid[at + 16 :]
        case "empty":
            return b""
        case "repeat":
            return valid[:at] + valid
        case _:
            return valid[at:] + valid[:at]


def csv(valid: str, random: Random) -> bytes:
    """A CSV file: cells, rows and columns."""
    rows = [line.split(",") for line in valid.splitlines()]
    cells = (
        *("nan", "inf", "-1", "1e999", "", "x", '"', "0", "99999999999999999999", "1,1", "\x00"),
        "9" * 5000,
    )
    for _ in range(random.choice((1, 1, 2, 5))):
        row = random.choice(rows)
        match random.choice(("cell", "cell", "row", "column", "name")):
            case "cell" if row:
                row[random.randrange(len(row))] = random.choice(cells)
            case "row":
                rows.insert(random.randrange(len(rows)), list(random.choice(rows)))
            case "column":
                for each in rows:
                    each.append(each[0] if each else "")
            case _:
                rows[0] = random.choice((["worker", "time"], [], [*rows[0], "speed"], ["time"] * 3))
    spoiled = (
        random.choice(("\n", "\n", "\r\n", "\n\n")).join(",".join(row) for row in rows).encode()
    )
    return raw(spoiled, random) if random.random() < 0.2 else spoiled
