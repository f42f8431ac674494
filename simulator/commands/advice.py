"""Which method and batch suit a cluster?  ``straggle advise`` in Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.advice import advise as advising
from simulator.advice import words
from simulator.advice.advise import Advice
from simulator.commands.arguments import checked
from simulator.commands.outcome import Shown
from simulator.scenario.loading import Source
from simulator.text_table import Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class AdviceResults(Shown):
    """A ranking of methods and batches for a cluster, and what would change it."""

    advice: Advice

    @property
    def method(self) -> str:
        """The label of the method that leads."""
        return self.advice.ranking.leader.candidate.method

    @property
    def settings(self) -> dict[str, int]:
        """Its size, by the name of the setting; empty of a method without one."""
        candidate = self.advice.ranking.leader.candidate
        if candidate.setting is None or candidate.size is None:
            return {}
        return {candidate.setting: candidate.size}

    @property
    def frame(self) -> "pd.DataFrame":
        """A row per method and size: the pace of its schedule, and its time."""
        import pandas as pd

        ranking = self.advice.ranking
        return pd.DataFrame(words.rows_of(ranking, ranking.rows))

    @property
    def ranking(self) -> "pd.DataFrame":
        """The rows of the methods' best sizes, the fastest first."""
        import pandas as pd

        ranking = self.advice.ranking
        return pd.DataFrame(words.rows_of(ranking, ranking.best))

    @property
    def changes(self) -> "pd.DataFrame":
        """The upload time and the noise from which another method leads, a row each."""
        import pandas as pd

        columns = ["what", "now", "value", "method", "setting", "size"]
        return pd.DataFrame(words.changes_of(self.advice), columns=columns)

    def _tables(self) -> Sequence[Table]:
        return words.tables(self.advice)

    def _notes(self) -> Sequence[str]:
        return words.notes(self.advice)


def advise(
    source: Source,
    *settings: str,
    methods: str | Sequence[str] | None = None,
    noise: float | None = None,
    probe: bool = False,
    quiet: bool = False,
) -> AdviceResults:
    """``straggle advise``: rank methods and batches for a cluster, without training.

    ``source`` may describe a cluster alone, and ``methods`` may name any registered method.
    ``noise`` is the batch that the noise requires; ``probe`` measures it.

    >>> found = advise({"cluster": {"workers": 4, "compute": [1, 1, 1, 20]}}, noise=10,
    ...     methods=["rennala-pg", "synchronous-pg"], quiet=True)
    >>> found.method, found.ranking["last_worker"].tolist()[-1]
    ('rennala-pg', 3)
    """
    chosen, _ = checked("advise", source, "Scenario", settings, methods)
    return AdviceResults(
        advising.advise(source, settings, methods=chosen, noise=noise, probed=probe, quiet=quiet)
    )


def as_data(results: AdviceResults) -> dict[str, Any]:
    """The outcome as JSON has it."""
    advice = results.advice
    return {
        "method": results.method,
        "settings": results.settings,
        "noise": advice.noise.batch,
        "noise_source": advice.noise.source,
        "ranking": words.rows_of(advice.ranking, advice.ranking.best),
        "candidates": words.rows_of(advice.ranking, advice.ranking.rows),
        "changes": words.changes_of(advice),
        "sentences": results._notes(),
    }
