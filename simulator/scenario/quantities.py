"""Which numbers do the tables of a scenario share?"""

from typing import Annotated, TypeAlias

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator

from simulator.mistakes import printable

Count: TypeAlias = Annotated[int, Ge(1), Le(2**31 - 1)]
Workers: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Seed: TypeAlias = Annotated[int, Ge(0), Le(2**32 - 1)]
Seconds: TypeAlias = Annotated[float, Gt(0)]
WorkerNumber: TypeAlias = Annotated[int, Ge(0), Le(999_999)]
Title: TypeAlias = Annotated[str, AfterValidator(printable)]
