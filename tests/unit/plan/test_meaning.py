"""No name and no text changes what a statement means: every template, with ordinary names and with hostile ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from sqlglot.dialects.redshift import Redshift

from framework.model.column_type import parse_type
from framework.model.files import FileIdentity
from framework.model.names import TableName, identifier
from framework.model.observation import AuditRow, Grant
from framework.plan.journal_rows import JournalRow
from framework.plan.render import render
from framework.plan.steps import Statement
from tests.hostile import NAMES, TEXTS

FOLDER = Path(__file__).resolve().parents[3] / "templates" / "sql"
TEMPLATES = sorted(path.name.removesuffix(".sql.j2") for path in FOLDER.iterdir())
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SQL_BY_INTENTION = {"definition": "select 1", "default_sql": "0", "statement": "select 1"}
"""What is SQL in the spec, a test of a feed or the catalog, and goes into a statement as it is."""
_NAMED = ("counts", "losers", "winners", "staged", "replaced", "name", "new_name", "owner", "successor", "prunable")
_LOGGED = ("kind", "column", "from", "to", "reason", "decided_by", "evidence")
ASKED_FOR = ("select_history", "select_newest_load", "guard_order", "select_later_files")
"""They leave a condition out where its text is empty."""


def values(template: str, name: str, text: str) -> Mapping[str, Any]:
    """Return all that templates take, with the name and the text in every place that takes any."""
    table = TableName(name, name)
    identity = FileIdentity(text, text, text, 7)
    audit = AuditRow(text, text, text, text, NOON, None, identity, NOON, 1, table, "FAILED", text, text, text)
    order = SimpleNamespace(column=name, descending=True)
    column = SimpleNamespace(name=name, type=parse_type("varchar(9)"), nullable=False, encoding=None, default=None)
    names = dict.fromkeys(_NAMED, name)
    texts = dict.fromkeys(("comment", "copy_role", "manifest_url", "pipeline", "run_id", "source"), text)
    tables = dict.fromkeys(("table", "target", "staging", "matches", "view", "relation", "copy", "job_sts"), table)
    rows: Any = {
        "insert_job_sts": [audit, audit],
        "insert_ledger": [SimpleNamespace(**vars(audit) | {"source": SimpleNamespace(sha256=text, key=text)})] * 2,
        "insert_column_spellings": [(name, text, text)] * 2,
        "insert_given_rows": [[text, None, text]] * 2,
        "insert_loaded_job_sts": [SimpleNamespace(ordinal=0, rejected=1, audit=audit)] * 2,
    }
    columns: Any = {
        "guard_columns": 4,
        "create_staging_table": [(name, "varchar(9)")] * 9,
        "insert_given_rows": [(name, parse_type(text_type)) for text_type in ("varchar(9)", "date", "super")],
        "copy_rows": [(name, None, False), (name, parse_type("bigint"), False), (name, None, True)],
        "create_wider_copy": [
            SimpleNamespace(name=name, type_text="integer", default="1", nullable=False, encoding="zstd")
        ],
    }
    return {
        **(names | texts | tables | SQL_BY_INTENTION),
        "change": dict.fromkeys(_LOGGED, text),
        "changes": [dict.fromkeys(_LOGGED, text)] * 2,
        "shows_values": True,
        "column": text,
        "distkey": name,
        "is_temporary": True,
        "with_bad_rows": True,
        "types": [(("varchar", text), parse_type("varchar(9)"), [name, text])] * 2,
        "schema": name,
        "control_schema": name,
        "shared": [text, text],
        "sortkey": [name, name],
        "keys": [SimpleNamespace(kind="UNIQUE", columns=[name, name])] if "wider_copy" in template else [name, name],
        "is_from_boolean": True,
        "text_of": None,
        "encoding": "zstd",
        "diststyle": "even",
        "columns_sha256": text,
        "definition_sha256": text,
        "identities": [text, text],
        "earlier": [text, text],
        "generations": [(3, [text, text])],
        "keeps_stored": False,
        "arrived_at": NOON,
        "key": text,
        "correction_mark": "corrected-",
        "utc": [(name, name)] * 2,
        "texts": [(name, name, parse_type("time"))] * 2,
        "has_super": True,
        "columns": columns.get(template, [column] * 9 if template.startswith("create") else [name] * 9),
        "folder": text,
        "limit": 20,
        "query_id": 1004,
        "characters": 20,
        "noted": 20,
        "newest_by": [name, name],
        "outage_mark": "outage: ",
        "since": NOON,
        "until": NOON,
        "source_filename": text,
        "file_name": text,
        "statuses": [text, text],
        "files": [0, 1],
        "built_at": NOON,
        "before": NOON,
        "part_characters": 15_000,
        "parts": 2,
        "etags": [text, text],
        "late_binding": True,
        "grant": Grant("select", name, "group", True),
        "order_by": [name, name] if template == "select_all_rows" else [order, order],
        "pipelines": [text, text],
        "observed_rows": 5,
        "kept": 1,
        "of": 2,
        "relations": [table, table],
        "targets": [table, table],
        "views": [table, table],
        "schemas": [text, text],
        "tables": [table.sql, identifier(name)],
        "type": parse_type("integer"),
        "rows": rows.get(template, 20),
        "row": JournalRow(text, text, table, table, 0, 1, text),
    }


def tokens(template: str, name: str, text: str) -> list[tuple[object, str]]:
    sql = render(Statement(template, values(template, name, text)), "p", "r")
    # The tokenizer takes what follows `lock` as one text.
    sql = sql.replace("\nlock table", "\nlocked table", 1)
    return [(token.token_type, token.text) for token in Redshift().tokenize(sql)]


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("template", TEMPLATES)
@given(name=NAMES, text=TEXTS.filter(lambda text: len(text.encode()) < 2000))
@settings(max_examples=10)
def test_a_hostile_text_stays_one_token_and_reads_back(template: str, name: str, text: str) -> None:
    assume(text or template not in ASKED_FOR)
    ordinary_name, ordinary_text = "ordinary_name", "ordinary_text"
    plain = tokens(template, ordinary_name, ordinary_text)
    # How long a text is, or one with a slash before it, where a statement compares the start or the end of another.
    lengths = {str(len(ordinary_text) + more): str(len(text) + more) for more in (0, 1)}

    expected = [
        (kind, word.replace(ordinary_name, name).replace(ordinary_text, text))
        if ordinary_name in word or ordinary_text in word
        else (kind, lengths.get(word, word))
        for kind, word in plain
    ]
    assert tokens(template, name, text) == expected


def test_every_template_that_takes_a_name_or_text_is_tried_with_one() -> None:
    constant = {
        template
        for template in TEMPLATES
        if not any("ordinary" in word for _, word in tokens(template, "ordinary_name", "ordinary_text"))
    }
    # These take nothing but what Feedway itself counts, the catalog's own tables, a query's id, or SQL by intention.
    constant -= {"select_query_columns", "select_late_binding_views", "run_given_statement"}
    constant -= {"select_load_errors", "select_raw_load_errors"}
    assert all("{{" not in (FOLDER / f"{template}.sql.j2").read_text(encoding="utf-8") for template in constant)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_what_no_statement_can_hold_is_refused(text: str) -> None:
    for name, value in ((text, "t"), ("n", text)):
        with pytest.raises(ValueError, match=r"NUL|surrogates|cannot be a name"):
            tokens("insert_job_sts", name, value)
