"""A proof that no two staging rows have equal keys, which saves the warehouse the search for such rows.

It holds for every equality that a warehouse may have: keys that some collation could take for equal are never proven
different. Keys are compared by their hashes, so that two equal hashes prove nothing either.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain

import duckdb

from framework.model.column_type import Kind
from framework.model.staging import StagingColumn
from framework.rows.sql.expressions import named

MOST_KEYS = 4_000_000
"""Of a load, 8 bytes each; more keys than that are not compared."""
_FEW_KEYS = 20_000
"""Up to here a set takes less time than loading numpy."""
_HASH = "Q"
_EXACT = (
    *(Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.DECIMAL),
    *(Kind.BOOLEAN, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ),
)
_TEXTS = (Kind.CHAR, Kind.VARCHAR)


def hash_keys(
    cursor: duckdb.DuckDBPyConnection, columns: Sequence[StagingColumn], source: str, most: int
) -> bytes | None:
    """Return the hashes of the keys of staging rows; None if keys may be equal that differ, or are more than `most`.

    `source` is the rows' clause FROM.
    """
    keys = [column for column in columns if column.required]
    texts = [named(key.name) for key in keys if key.type.kind in _TEXTS]
    if not keys or any(key.type.kind not in (*_EXACT, *_TEXTS) for key in keys):
        return None
    is_plain = " and ".join(["true", *(f"regexp_full_match({text}, '[ -~]*')" for text in texts)])
    found = cursor.execute(f"select count(*), coalesce(bool_and({is_plain}), true) {source}").fetchone()
    assert found is not None
    rows, are_plain = found
    if rows > most or not are_plain:
        return None
    query = f"select hash({', '.join(map(_compared, keys))}) as hash {source}"
    if rows <= _FEW_KEYS:
        return array(_HASH, chain.from_iterable(cursor.execute(query).fetchall())).tobytes()
    return bytes(cursor.execute(query).fetchnumpy()["hash"].tobytes())


def are_distinct(parts: Sequence[bytes | None]) -> bool:
    """Return whether the keys of all parts are proven to differ."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return False
    hashes = b"".join(known)
    rows = len(hashes) // array(_HASH).itemsize
    if rows <= _FEW_KEYS:
        return len(set(array(_HASH, hashes))) == rows
    # imported where it is used: small loads do without numpy
    import numpy as np

    in_order = np.sort(np.frombuffer(hashes, np.uint64))
    return not bool((in_order[1:] == in_order[:-1]).any())


def _compared(key: StagingColumn) -> str:
    """Return the value that two keys share if any collation takes them for equal: blanks at the end and case aside."""
    name = named(key.name)
    return f"lower(rtrim({name}, ' '))" if key.type.kind in _TEXTS else name
