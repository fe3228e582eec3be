"""The copy that replaces a table: columns that no load writes keep their type, or the copy is refused."""

from __future__ import annotations

from typing import Any

import pytest

from framework.errors import SchemaChangeError
from framework.model.column_type import parse_type
from framework.model.names import TableName
from framework.model.observation import Observation, ObservedTable, TableColumn, TableDesign
from framework.plan.table_copy import copy_statements


def created(type_text: str, encoding: str | None = None) -> Any:
    columns = (
        TableColumn("id", parse_type("integer"), "integer", nullable=False, is_distkey=True),
        TableColumn("x", None, type_text, nullable=True, encoding=encoding),
    )
    observed = Observation(
        ObservedTable(TableName("public", "t"), columns),
        frozenset(),
        frozenset(),
        design=TableDesign("etl", True, False, "key", (), ()),
    )
    (create,), _ = copy_statements(observed, (), "0" * 32)
    columns_of: Any = create.values["columns"]
    return columns_of[1]


@pytest.mark.parametrize(
    "type_text", ["binary varying(200)", "geometry", "geography", "hllsketch", "time with time zone"]
)
def test_a_type_that_the_catalog_spells_out_is_kept(type_text: str) -> None:
    assert created(type_text).type_text == type_text


@pytest.mark.parametrize("type_text", ["binary varying", "interval", "interval day to second", "_int4"])
def test_a_type_of_which_the_catalog_leaves_something_out_is_refused(type_text: str) -> None:
    with pytest.raises(SchemaChangeError, match=f"the column 'x' is {type_text}, whose values Feedway cannot keep"):
        created(type_text)


@pytest.mark.parametrize(
    ("type_text", "encoding", "kept"),
    [
        ("binary varying(9)", "lzo", None),
        ("binary varying(9)", "zstd", "zstd"),
        ("geometry", "none", None),
        ("geometry", "zstd", "zstd"),
    ],
)
def test_an_encoding_that_is_the_usual_one_of_its_type_is_not_written(
    type_text: str, encoding: str, kept: str | None
) -> None:
    assert created(type_text, encoding).encoding == kept
