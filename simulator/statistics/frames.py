"""Which rows of a frame does a figure show?  Those of each method, if it is a frame at all."""

from collections.abc import Sequence

import pandas as pd

from simulator.mistakes import Mistake, check_argument, did_you_mean, labels_of
from simulator.results.columns import Columns, columns_of


def check_frame(function: str, name: str, frame: object, example: str) -> None:
    """Refuse what is no data frame, and name one that the function takes."""
    remedy = f"give a data frame, such as {example}"
    check_argument(f"{function}: {name}", frame, pd.DataFrame, remedy)


def rows_of(
    frame: pd.DataFrame, methods: str | Sequence[str] | None = None
) -> dict[str, pd.DataFrame]:
    """The rows of every method that has some, in their own order or the one that is asked for."""
    methods = labels_of("figure", methods)
    there = list(dict.fromkeys(frame["method"])) if "method" in frame else []
    if not there:
        raise Mistake("there is nothing to draw: the frame has no rows of a method")
    for label in methods or ():
        if label not in there:
            raise Mistake(f"method {label!r}: no such method; {did_you_mean(label, there)}")
    return {label: frame[frame["method"] == label] for label in methods or there}


def columns_by_method(
    frame: pd.DataFrame, methods: str | Sequence[str] | None = None
) -> dict[str, Columns]:
    """The same rows as arrays."""
    return {label: columns_of(mine) for label, mine in rows_of(frame, methods).items()}
