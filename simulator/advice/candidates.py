"""Which methods are compared?  Each at a range of batches.

A method's size is the one setting of its story without a default, if it is an integer: the batch of
Rennala, the threshold of Ringmaster, the local steps of FedSVRPG-M.  A method whose story needs
other settings is only compared where a scenario gives them.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from algorithms.methods import METHODS
from simulator.mistakes import Mistake, did_you_mean
from simulator.scenario.prescription import settings_of
from simulator.scenario.scenario import Scenario

MULTIPLES = 0.25, 0.5, 1, 2, 4, 8, 16
"""Sizes, as multiples of the number of workers."""
SMALL = 1, 4, 16, 64
"""Further sizes, where they are below all of those."""
LARGEST = 100_000
"""Larger sizes than this and than the number of workers would take long to simulate."""
PLACEHOLDERS = 0.1, 1
"""Values of settings that change no schedule, such as the length of a step."""


class Candidate(NamedTuple):
    """A method with one size; ``setting`` is None of a method that has none."""

    method: str
    setting: str | None
    size: int | None
    scenario: Scenario

    @property
    def name(self) -> str:
        return self.method + (f", {self.setting} = {self.size}" if self.setting else "")

    @property
    def schedule(self) -> Hashable:
        """Equal of candidates that share a schedule: their stories and settings are the same."""
        method = METHODS[self.scenario.methods[self.method].method]
        settings = settings_of(self.scenario, self.method)
        names = signature(method.aggregation).parameters
        return method.aggregation, *(repr(settings[name]) for name in names)


def candidates(scenario: Scenario) -> list[Candidate]:
    """Every method of the scenario at every size."""
    found = []
    for label, table in scenario.methods.items():
        alone = scenario.restrict([label], None)
        setting = size_of(table.method)
        if setting is None:
            found.append(Candidate(label, None, None, alone))
            continue
        own = settings_of(scenario, label)[setting]
        for size in sizes(scenario.cluster.workers, own):
            changes: dict[str, Any] = {setting: size}
            if size != own and "initial_batch" in type(table).model_fields:
                changes["initial_batch"] = None
            methods = {label: table.model_copy(update=changes)}
            if not _accepts(table.method, methods[label].settings()):
                continue
            varied = alone.model_copy(update={"methods": methods})
            found.append(Candidate(label, setting, size, varied))
    return found


def _accepts(method: str, settings: Mapping[str, Any]) -> bool:
    """Whether a size suits the method's other settings."""
    try:
        METHODS[method].aggregate(settings)
    except ValueError:
        return False
    return True


def size_of(method: str) -> str | None:
    """The name of a method's size.

    >>> size_of("rennala-nigt"), size_of("fedbuff"), size_of("afedpg")
    ('batch', 'buffer', None)
    """
    needed = signature(METHODS[method].aggregation).parameters.values()
    sizes = [each.name for each in needed if _is_needed(each) and _is_whole(each.annotation)]
    return sizes[0] if len(sizes) == 1 else None


def sizes(workers: int, own: int | None = None) -> list[int]:
    """The sizes to compare, and the scenario's own.

    >>> sizes(10), sizes(1)
    ([1, 2, 5, 10, 20, 40, 80, 160], [1, 2, 4, 8, 16])
    >>> sizes(100_000)
    [1, 4, 16, 64, 25000, 50000, 100000]
    """
    usual = {max(1, round(workers * multiple)) for multiple in MULTIPLES}
    usual = {size for size in usual if size <= max(LARGEST, workers)}
    small = {size for size in SMALL if size < min(usual)}
    return sorted(usual | small | ({own} if own else set()))


def _is_whole(kind: Any) -> bool:
    return kind is int or (get_origin(kind) is Annotated and get_args(kind)[0] is int)


def _is_needed(parameter: Parameter) -> bool:
    return parameter.default is parameter.empty


# Methods that a file does not name


def tables_of(names: Iterable[str], workers: int) -> dict[str, dict[str, Any]]:
    """Tables of registered methods; their sizes and numbers do not matter."""
    found = {}
    for name in names:
        if name not in METHODS:
            raise Mistake(f"--methods {name}: no such method; {did_you_mean(name, METHODS)}")
        if lacking := _lacking(name):
            needed = f"its schedule depends on {', '.join(lacking)}"
            raise Mistake(f"--methods {name}: {needed}; give it a table [methods.{name}]")
        found[name] = _filled(name, workers)
    return found


def known() -> Sequence[str]:
    """The registered methods whose schedule depends on a size alone."""
    return [name for name in METHODS if not _lacking(name)]


def _lacking(name: str) -> list[str]:
    """The settings of its story that are needed beside a size."""
    story = signature(METHODS[name].aggregation).parameters.values()
    needed = [each.name for each in story if _is_needed(each)]
    size = size_of(name)
    return [each for each in needed if each != size]


def _filled(name: str, workers: int) -> dict[str, Any]:
    needed = [each for each in METHODS[name].parameters().values() if _is_needed(each)]
    size = size_of(name)
    return {
        each.name: workers if each.name == size else PLACEHOLDERS["int" in str(each.annotation)]
        for each in needed
    }
