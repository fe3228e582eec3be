"""What Redshift knows of a table and PostgreSQL does not: distribution, sort order, encodings, keys not enforced."""

from __future__ import annotations

from dataclasses import dataclass, field

from framework.sandbox.redshift_sql.postgres_text import RelationName, quote_array, quote_literal
from framework.sandbox.redshift_sql.reader import Reader
from framework.sandbox.redshift_sql.refusal import Refused, not_supported
from framework.sandbox.redshift_sql.word_set import word_set

ENCODINGS = word_set("az64 bytedict delta delta32k lzo mostly8 mostly16 mostly32 raw runlength text255 text32k zstd")


@dataclass(frozen=True)
class Key:
    """A PRIMARY KEY, UNIQUE or FOREIGN KEY constraint."""

    kind: str
    columns: tuple[str, ...]
    name: str | None = None
    references: RelationName | None = None


@dataclass
class TableDesign:
    """Collected while a CREATE TABLE is read."""

    diststyle: str | None = None
    distkey: str | None = None
    sortkey: tuple[str, ...] = ()
    encodings: dict[str, str] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)

    def check(self, columns: tuple[str, ...]) -> None:
        """Refuse a design that contradicts itself or the columns."""
        if self.distkey is not None and self.diststyle not in (None, "KEY"):
            raise Refused(f"Cannot specify DISTKEY column with DISTSTYLE {self.diststyle}", "42601")
        if self.diststyle == "KEY" and self.distkey is None:
            raise Refused("DISTSTYLE KEY needs a DISTKEY column", "42601")
        if sum(key.kind == "PRIMARY KEY" for key in self.keys) > 1:
            raise Refused("multiple primary keys for a table are not allowed", "42P16")
        named = [*self.sortkey, *(name for key in self.keys for name in key.columns)]
        for name in named if self.distkey is None else [self.distkey, *named]:
            if name not in columns:
                raise Refused(f'column "{name}" named in key does not exist', "42703")

    def record(self, table: RelationName) -> str:
        """Return the statement that stores the design; a table that has one keeps it."""
        diststyle = "KEY" if self.distkey is not None else self.diststyle or "AUTO"
        keys = [_key_json(key) for key in self.keys]
        arguments = [
            table.regclass,
            quote_literal(diststyle),
            quote_literal(self.distkey),
            quote_array(self.sortkey),
            quote_array(list(self.encodings)),
            quote_array(list(self.encodings.values())),
            f"array[{', '.join(keys)}]::jsonb[]",
        ]
        return f"call pg_internal.record_table({', '.join(arguments)})"


def _key_json(key: Key) -> str:
    references = "null" if key.references is None else quote_literal(key.references.sql)
    return (
        f"jsonb_build_object('kind', {quote_literal(key.kind)}, 'name', {quote_literal(key.name)}, "
        f"'columns', {quote_array(key.columns)}, 'references', {references})"
    )


def read_encoding(reader: Reader) -> str:
    """Step over an encoding's name."""
    encoding = reader.word()
    if encoding not in ENCODINGS:
        raise Refused(f"encoding type {encoding} is not recognized", "42601")
    return "none" if encoding == "raw" else encoding


def read_attributes(reader: Reader, design: TableDesign) -> None:
    """Step over the attributes after the columns: DISTSTYLE, DISTKEY, SORTKEY, BACKUP, ENCODE AUTO."""
    while True:
        if reader.accept("diststyle"):
            design.diststyle = reader.word().upper()
            if design.diststyle not in ("AUTO", "EVEN", "ALL", "KEY"):
                raise Refused(f"invalid DISTSTYLE {design.diststyle}", "42601")
        elif reader.accept("distkey"):
            (design.distkey,) = _one_column(reader)
        elif reader.accept("interleaved"):
            raise not_supported("INTERLEAVED SORTKEY")
        elif reader.accept("sortkey", "auto") or reader.accept("encode", "auto"):
            pass
        elif reader.accept("compound", "sortkey") or reader.accept("sortkey"):
            design.sortkey = reader.names()
        elif reader.accept("backup"):
            if not (reader.accept("yes") or reader.accept("no")):
                raise reader.error()
        else:
            return


def _one_column(reader: Reader) -> tuple[str]:
    names = reader.names()
    if len(names) != 1:
        raise Refused("only one DISTKEY column is allowed", "42601")
    return (names[0],)
