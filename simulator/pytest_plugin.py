"""How do a project's own tests check its benchmarks?  By the fixture ``straggle_benchmarks``.

    def test_no_regression(straggle_benchmarks):
        straggle_benchmarks.check("bench/suite.toml")

Pytest finds it if straggle is installed; nothing is imported until a test uses it.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest


class Benchmarks:
    """Checks suites; paths start at pytest's root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def check(
        self,
        suite: str | Path,
        *,
        baseline: str | Path | None = None,
        only: Sequence[str] | None = None,
        jobs: int | None = None,
    ) -> None:
        """Fail with the differences unless the benchmarks of a suite (or ``only`` some) hold."""
        from simulator import gate
        from simulator.gate import report
        from simulator.mistakes import Mistake

        found = self._root / suite
        try:
            checked = gate.conduct(
                found if found.is_file() else suite,
                baseline=None if baseline is None else self._root / baseline,
                only=only,
                jobs=jobs,
            )
        except Mistake as mistake:
            pytest.fail(str(mistake), pytrace=False)
        if not checked.good:
            pytest.fail(report.text(checked), pytrace=False)


@pytest.fixture(scope="session")
def straggle_benchmarks(pytestconfig: pytest.Config) -> Benchmarks:
    """Suites of straggle benchmarks, compared with their baselines."""
    return Benchmarks(pytestconfig.rootpath)
