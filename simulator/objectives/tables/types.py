"""Which types do the tables of several objectives share?"""

from typing import Annotated, TypeAlias

from annotated_types import Ge, Gt, Le

Count: TypeAlias = Annotated[int, Ge(1), Le(1_000_000)]
Share: TypeAlias = Annotated[float, Gt(0), Le(1)]
