"""How does a table choose among kinds that plug-ins may add to?  By a column that names the kind.

Kinds are looked up when a value is checked.  So a kind counts from the moment it is registered, and
the tables of kinds that nobody uses are never built.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Union

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from simulator.table import Table


class OneOf:
    """The annotation of a field: one of the tables of ``kinds``, told apart by the column ``tag``.

    ``short`` turns what a user may write instead of a table into one.
    """

    def __init__(
        self,
        tag: str,
        kinds: Callable[[], Iterable[str]],
        table: Callable[[str], type[Table]],
        short: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._tag, self._kinds, self._table, self._short = tag, kinds, table, short

    def check(self, value: Any) -> Table:
        """The table that this value is."""
        value = self._short(value)
        if isinstance(value, Table):
            return value
        if not isinstance(value, Mapping):
            raise PydanticKnownError("dict_type")
        if self._tag not in value:
            raise PydanticKnownError("union_tag_not_found", {"discriminator": self._tag})
        kind, kinds = value[self._tag], list(self._kinds())
        if kind not in kinds:
            expected = ", ".join(kinds)
            told = {"discriminator": self._tag, "tag": str(kind), "expected_tags": expected}
            raise PydanticKnownError("union_tag_invalid", told)
        return self._table(kind).model_validate(value)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        union: Any = Union[tuple(map(self._table, self._kinds()))]  # noqa: UP007
        told_apart = TypeAdapter(Annotated[union, Field(discriminator=self._tag)])
        return handler(told_apart.core_schema)
