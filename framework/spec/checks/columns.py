"""Checks of column names: where a spec names columns, and whether the names agree with each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from framework.dataclass import dataclass
from framework.model.clean_name import clean_name
from framework.model.column_type import Kind
from framework.model.modes import MODES
from framework.spec.checks.names import (
    cleaned_name_findings,
    column_name_findings,
    file_column_findings,
    table_name_findings,
)
from framework.spec.document import Finding, Path, field_name
from framework.spec.fields import Text, mapping_at, text_at, text_entries, text_field, text_list

_ORDER_BY = re.compile(r"\s*(\S+)(?:\s+(asc|desc))?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class _Names:
    """The spec's changes to the columns of a file."""

    renamed: dict[str, str]
    excluded: frozenset[str]
    metadata: frozenset[str]


def parse_order_by(text: str) -> tuple[str, bool] | None:
    """Return the column of an `order_by` entry and whether it is descending; None for another form."""
    match = _ORDER_BY.fullmatch(text)
    if match is None or (match[2] is None and match[1].lower() in ("asc", "desc")):
        return None
    return match[1], (match[2] or "asc").lower() == "desc"


def column_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the columns that a spec names, and of its keys."""
    names = _Names(
        renamed={str(path[-1]): name for path, name in text_entries(document, "columns", "rename")},
        excluded=frozenset(name for _, name in text_list(document, "columns", "exclude")),
        metadata=frozenset(name for _, name in text_entries(document, "metadata_columns")),
    )
    for field in ("schema", "table"):
        for path, name in text_field(document, "target", field):
            yield from table_name_findings(path, name)
    yield from _order_by_findings(document)
    yield from _used_findings(document, names)
    yield from _rename_findings(document, names)
    yield from _exclude_findings(document, names)
    yield from _metadata_findings(document)
    yield from _typed_findings(document, names)
    yield from _super_findings(document)
    yield from _evolution_findings(document, names)
    yield from _key_findings(document)
    yield from _unnamed_findings(document, names)


def _order_by_columns(document: object) -> list[Text]:
    parsed = [(path, parse_order_by(text)) for path, text in text_list(document, "load", "order_by")]
    return [(path, order[0]) for path, order in parsed if order is not None]


def _order_by_findings(document: object) -> Iterator[Finding]:
    for path, text in text_list(document, "load", "order_by"):
        if parse_order_by(text) is None:
            message = f"load.order_by: {text!r} is not a column with an optional asc or desc"
            yield Finding(path, "spec/order-by", message, "Write, for example, updated_at desc.")


def _used_findings(document: object, names: _Names) -> Iterator[Finding]:
    """Check the columns that the load cannot do without."""
    keys = text_list(document, "load", "keys")
    sort_keys = text_list(document, "target", "sortkey")
    order_by = _order_by_columns(document)
    for columns in (keys, sort_keys, order_by):
        yield from _repeated(columns)
    for path, name in (*keys, *order_by, *sort_keys, *text_field(document, "target", "distkey")):
        yield from _loaded_name((path, name), names)
        yield from _absent((path, name), names)


def _loaded_name(column: Text, names: _Names, *, at_key: bool = False) -> Iterator[Finding]:
    """Yield the problems of a text as the name of a loaded column, from a file or of Feedway's own."""
    path, name = column
    is_chosen = name in names.metadata or name in names.renamed.values()
    findings = column_name_findings if is_chosen else file_column_findings
    yield from findings(path, name, at_key=at_key)


def _absent(column: Text, names: _Names, *, at_key: bool = False) -> Iterator[Finding]:
    """Yield a finding for a column that no load of the spec can have."""
    path, name = column
    if name in names.metadata:
        return
    if name in names.excluded:
        message = f"{field_name(path)}: {name!r} is excluded by columns.exclude"
        yield Finding(path, "spec/excluded-column", message, "Take it out of one of the two.", at_key)
    elif name in names.renamed and name not in names.renamed.values():
        message = f"{field_name(path)}: {name!r} is renamed by columns.rename"
        yield Finding(path, "spec/renamed-column", message, f"Write {names.renamed[name]!r}.", at_key)


def _repeated(columns: Iterable[Text]) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, name in columns:
        if name in seen:
            message = f"{field_name(path)} names {name!r} twice"
            yield Finding(path, "spec/duplicate-column", message, "Name it once.")
        seen.add(name)


def _rename_findings(document: object, names: _Names) -> Iterator[Finding]:
    for path, name in text_entries(document, "columns", "rename"):
        yield from cleaned_name_findings(path, str(path[-1]), at_key=True)
        yield from column_name_findings(path, name)
        if name in names.metadata:
            message = f"columns.rename: {name!r} is a column that Feedway adds"
            fix = "Take another name, or change metadata_columns."
            yield Finding(path, "spec/metadata-column", message, fix)


def _exclude_findings(document: object, names: _Names) -> Iterator[Finding]:
    columns = text_list(document, "columns", "exclude")
    yield from _repeated(columns)
    for path, name in columns:
        if name in names.renamed and name not in names.renamed.values():
            message = f"columns.exclude: {name!r} is renamed by columns.rename before"
            yield Finding(path, "spec/renamed-column", message, f"Write {names.renamed[name]!r}.")
        elif name not in names.renamed.values():
            yield from cleaned_name_findings(path, name)


def _metadata_findings(document: object) -> Iterator[Finding]:
    columns = text_entries(document, "metadata_columns")
    for path, name in columns:
        yield from column_name_findings(path, name)
    if len(columns) > 1 and columns[0][1] == columns[1][1]:
        message = f"metadata_columns gives two columns the name {columns[0][1]!r}"
        yield Finding(columns[1][0], "spec/duplicate-column", message, "Rename one, or set it to null.")


def _typed_findings(document: object, names: _Names) -> Iterator[Finding]:
    for name in mapping_at(document, "types", "columns"):
        path = ("types", "columns", name)
        yield from _loaded_name((path, name), names, at_key=True)
        yield from _absent((path, name), names, at_key=True)
        if name in names.metadata:
            message = f"types.columns: {name!r} is a column that Feedway adds, with a type of its own"
            yield Finding(path, "spec/metadata-column", message, "Leave it out.", at_key=True)


def _super_findings(document: object) -> Iterator[Finding]:
    """Yield a finding for each use of a SUPER column that Redshift refuses: it cannot compare such values."""
    declared = mapping_at(document, "types", "columns")
    types = {name: text_at(own, "type") if isinstance(own, dict) else own for name, own in declared.items()}
    keys = text_list(document, "load", "keys")
    sort_keys = text_list(document, "target", "sortkey")
    for path, name in (
        *(*keys, *_order_by_columns(document)),
        *(*sort_keys, *text_field(document, "target", "distkey")),
    ):
        if str(types.get(name)).strip().lower() == Kind.SUPER.value:
            message = f"{field_name(path)}: {name!r} is SUPER, and Redshift cannot compare such values"
            yield Finding(path, "spec/super-key", message, "Take another column, or declare it as varchar.")


def _evolution_findings(document: object, names: _Names) -> Iterator[Finding]:
    for name in mapping_at(document, "evolution", "columns"):
        path = ("evolution", "columns", name)
        yield from column_name_findings(path, name, at_key=True)
        yield from _absent((path, name), names, at_key=True)
        yield from _missing_findings(document, path)
    yield from _missing_findings(document, ("evolution",))


def _missing_findings(document: object, path: Path) -> Iterator[Finding]:
    policy = mapping_at(document, *map(str, path), "missing_columns")
    if policy.get("new_rows") == "reject" and policy.get("stored_rows") == "overwrite":
        message = f"{field_name(path)}.missing_columns: without new rows there is nothing to overwrite stored rows with"
        fix = "Write stored_rows: keep, or reject to reject every file that lacks the column."
        yield Finding((*path, "missing_columns"), "spec/missing-columns", message, fix)


def _key_findings(document: object) -> Iterator[Finding]:
    if text_list(document, "load", "keys"):
        return
    mode = MODES.get(text_at(document, "load", "mode") or "")
    if mode is not None and mode.matches_keys:
        message = "load.keys is missing: an upsert must know which columns identify a row"
        fix = "Add, for example, keys: [customer_id], or load with mode: append or replace."
        yield Finding(("load", "keys"), "spec/keys", message, fix)
    elif text_list(document, "load", "order_by"):
        message = "load.order_by decides between rows with one key, and load.keys is empty"
        yield Finding(("load", "order_by"), "spec/keys", message, "Add load.keys, or leave order_by out.")
    elif text_at(document, "load", "duplicates") == "reject":
        message = "load.duplicates is about rows with one key, and load.keys is empty"
        yield Finding(("load", "duplicates"), "spec/keys", message, "Add load.keys, or leave duplicates out.")


def _unnamed_findings(document: object, names: _Names) -> Iterator[Finding]:
    """Yield a finding for each column that every file must have and that is none of the names which the spec gives."""
    options = mapping_at(document, "source", "options")
    fields = mapping_at(document, "source", "options", "fields")
    where = "fields" if fields else "names"
    written = [name for _, name in text_list(document, "source", "options", "names")]
    cleaned = [clean_name(name, 1) for name in (map(str, fields) if fields else written)]
    has_names = bool(fields) or (isinstance(options.get("header"), bool) and cleaned)
    if not has_names or len(set(cleaned)) < len(cleaned):
        return
    known = {*names.metadata, *(names.renamed.get(name, name) for name in cleaned)}
    for path, name in (*text_list(document, "load", "keys"), *_order_by_columns(document)):
        if name not in known:
            message = f"{field_name(path)}: {name!r} is none of source.options.{where}, so no file has it"
            yield Finding(path, "spec/unnamed-column", message, "Add it there, in its place, or take another column.")
