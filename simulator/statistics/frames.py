"""The rows of a data frame, by method."""

from collections.abc import Sequence

import pandas as pd

from simulator.mistakes import Mistake, check_argument, did_you_mean, labels_of
from simulator.results.columns import Columns, columns_of


def check_frame(function: str, name: str, frame: object, example: str) -> None:
    """Refuse an argument that is no data frame, and name one that the function takes."""
    remedy = f"give a data frame, such as {example}"
    check_argument(f"{function}: {name}", frame, pd.DataFrame, remedy)


def rows_of(
    frame: pd.DataFrame, methods: str | Sequence[str] | None = None
) -> dict[str, pd.DataFrame]:
    """The rows of every method, in order of appearance or in that of ``methods``."""
    methods = labels_of("figure", methods)
    known = list(dict.fromkeys(frame["method"])) if "method" in frame else []
    if not known:
        raise Mistake("there is nothing to draw: the frame has no rows of a method")
    for label in methods or ():
        if label not in known:
            raise Mistake(f"method {label!r}: no such method; {did_you_mean(label, known)}")
    return {label: frame[frame["method"] == label] for label in methods or known}


def columns_by_method(
    frame: pd.DataFrame, methods: str | Sequence[str] | None = None
) -> dict[str, Columns]:
    return {label: columns_of(rows) for label, rows in rows_of(frame, methods).items()}
