"""Does whatever stands on a command line end in one line, if it is not well?"""

import contextlib
import os

import child
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import KEYS, LITERALS

from simulator.campaign import campaign
from simulator.scenario.files import shipped

CASES = int(os.environ.get("STRAGGLE_FUZZ_CASES", "100")) // 10
SHORT = [literal for literal in LITERALS if len(literal) < 1000]
PATHS = (
    *("cluster.workers", "cluster.compute", "cluster.compute[0]", "cluster.compute[-1]", "seeds"),
    *("cluster.speed", "cluster.failures", "network.upload", "network.collective", "objective"),
    *("objective.kind", "objective.dimension", "evaluation", "stop.seconds", "stop.steps", "stop"),
    *("methods.*.step", "methods.*.batch", "methods", "methods.*", "*", "cluster.*", "title", ""),
    *("methods.rennala-nigt.theory", "cluster.outages", "cluster.outages[0].worker", "a[b]", "[0]"),
)
TEXT = st.text(max_size=40)
PATH = st.one_of(st.sampled_from(PATHS), TEXT, st.lists(st.sampled_from(KEYS)).map(".".join))
NUMBER = st.one_of(st.integers().map(str), st.floats().map(repr), st.sampled_from(SHORT), TEXT)
LIST = st.lists(NUMBER, max_size=4).map(",".join)
VARIED = st.one_of(
    st.builds("{}={}".format, PATH, LIST),
    st.builds(
        "{}={}:{}:{}{}".format, PATH, NUMBER, NUMBER, st.sampled_from(["log", "lin", ""]), NUMBER
    ),
    TEXT,
)


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    monkeypatch.setattr(campaign, "conduct", child.enough)


def examples(many):
    return settings(
        max_examples=max(5, many),
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@examples(4 * CASES)
@given(path=PATH, value=st.one_of(NUMBER, LIST.map("[{}]".format)), equals=st.sampled_from("==x"))
def test_set(path, value, equals):
    assert not child.verdict(["validate", "one-straggler", "--set", path + equals + value])


@examples(2 * CASES)
@given(methods=LIST, seeds=LIST)
def test_methods_and_seeds(methods, seeds):
    words = ["run", "one-straggler", "--methods", f"{methods}", "--seeds", f"{seeds}"]
    assert not child.verdict(words)


@examples(2 * CASES)
@given(varied=VARIED)
def test_vary(varied):
    words = ["complexity", "one-straggler", "--vary", varied, "--seeds", "0"]
    assert not child.verdict([*words, "--methods", "afedpg"])


@examples(CASES)
@given(name=st.one_of(TEXT, st.sampled_from([*shipped(), "/", ".", "", "scenarios", "a" * 300])))
def test_names(name):
    with contextlib.suppress(UnicodeEncodeError):  # what no terminal can say
        name.encode()
        assert not child.verdict(["validate", "--", name])


@examples(CASES)
@given(
    words=st.lists(st.one_of(TEXT, st.sampled_from(["run", "--set", "--out", "list"])), max_size=5)
)
def test_any_words(words):
    assert not child.verdict(words)
