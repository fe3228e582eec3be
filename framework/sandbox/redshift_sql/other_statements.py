"""Schemas, DROP, TRUNCATE, COMMENT, LOCK, SET, transactions, ANALYZE and VACUUM."""

from __future__ import annotations

from sqlglot.tokenizer_core import TokenType

from framework.sandbox.redshift_sql.parsed import Fixed, Parsed, TransactionControl, fixed
from framework.sandbox.redshift_sql.postgres_text import quote_array, quote_literal, quote_name
from framework.sandbox.redshift_sql.reader import Reader, is_word
from framework.sandbox.redshift_sql.refusal import not_supported
from framework.sandbox.redshift_sql.word_set import word_set

_SWALLOWED_SETTINGS = word_set(
    """
    analyze_threshold_percent application_name auto_mv cast_super_null_on_error describe_field_name_in_uppercase
    downcase_delimited_identifier enable_result_cache_for_session enable_vacuum_boost json_serialization_enable
    max_concurrency_scaling_clusters query_group stored_proc_log_min_messages wlm_query_slot_count
    """
)
_ISOLATION_WORDS = (
    "serializable",
    "read",
    "committed",
    "uncommitted",
    "repeatable",
    "only",
    "write",
    "isolation",
    "level",
)


def parse_create_schema(reader: Reader) -> Parsed:
    """Parse what follows CREATE SCHEMA."""
    if_not_exists = "if not exists " if reader.accept("if", "not", "exists") else ""
    name = quote_name(reader.name())
    owner = f" authorization {quote_name(reader.name())}" if reader.accept("authorization") else ""
    if reader.sees("quota"):
        raise not_supported("CREATE SCHEMA with QUOTA")
    reader.expect_end()
    return fixed("CREATE SCHEMA", f"create schema {if_not_exists}{name}{owner}")


def parse_drop(reader: Reader, kind: str) -> Parsed:
    """Parse what follows DROP TABLE, DROP VIEW or DROP SCHEMA."""
    if_exists = "if exists " if reader.accept("if", "exists") else ""
    relations = reader.relations()
    cascade = reader.accept("cascade")
    if not cascade:
        reader.accept("restrict")
    reader.expect_end()
    names = ", ".join(relation.sql for relation in relations)
    drop = f"drop {kind} {if_exists}{names}{' cascade' if cascade else ''}"
    if kind != "table" or cascade:
        return fixed(f"DROP {kind.upper()}", drop)
    tables = quote_array([relation.sql for relation in relations])
    return fixed("DROP TABLE", f"call pg_internal.check_drop_tables({tables})", drop)


def parse_truncate(reader: Reader) -> Parsed:
    """Parse what follows TRUNCATE."""
    reader.accept("table")
    table = reader.relation()
    reader.expect_end()
    return fixed("TRUNCATE", f"truncate table {table.sql}", commits=True)


def parse_comment(reader: Reader) -> Parsed:
    """Parse what follows COMMENT ON."""
    kind = reader.word()
    match kind:
        case "table" | "view":
            name = reader.relation().sql
        case "schema":
            name = quote_name(reader.name())
        case "column":
            relation, column = reader.column_of_relation()
            name = f"{relation.sql}.{quote_name(column)}"
        case _:
            raise not_supported(f"COMMENT ON {kind.upper()}")
    reader.expect("is")
    comment = None if reader.accept("null") else reader.text()
    reader.expect_end()
    return fixed("COMMENT", f"comment on {kind} {name} is {quote_literal(comment)}")


def parse_lock(reader: Reader) -> Parsed:
    """Parse what follows LOCK; the lock is always ACCESS EXCLUSIVE."""
    reader.accept("table")
    tables = ", ".join(table.sql for table in reader.relations())
    reader.expect_end()
    return fixed("LOCK", f"lock table {tables} in access exclusive mode")


def parse_set(reader: Reader, verb: str) -> Parsed:
    """Parse what follows SET or RESET: Redshift's own settings are read and forgotten."""
    reader.accept("session")
    reader.accept("local")
    name = reader.word()
    value = ""
    if verb == "set":
        if not reader.accept("to") and not reader.accept_mark("="):
            raise reader.error()
        value = _read_setting(reader)
    reader.expect_end()
    if name == "statement_timeout" and value.isdigit():
        return fixed("SET", f"set statement_timeout to {value}")
    if name == "enable_case_sensitive_identifier" and value in ("", "off", "false", "default"):
        return fixed(verb.upper())
    if name == "timezone" and value in ("", "utc", "default"):
        return fixed(verb.upper())
    if name not in _SWALLOWED_SETTINGS:
        raise not_supported(f"{verb.upper()} {name}" + (f" to {value}" if value else ""))
    return fixed(verb.upper())


def _read_setting(reader: Reader) -> str:
    if reader.at_end:
        raise reader.error()
    token = reader.tokens[reader.place]
    if not is_word(token) and token.token_type not in (TokenType.STRING, TokenType.NUMBER):
        raise reader.error()
    reader.place += 1
    return token.text.lower()


def parse_transaction(reader: Reader, control: TransactionControl) -> Parsed:
    """Parse what follows the first word of BEGIN, COMMIT or ROLLBACK.

    Every isolation level means the database's own.
    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html
    """
    if not reader.accept("transaction"):
        reader.accept("work")
    while control == "BEGIN" and not reader.at_end:
        if not reader.accept_mark(",") and not any(reader.accept(word) for word in _ISOLATION_WORDS):
            raise reader.error()
    reader.expect_end()
    return Parsed(control, False, None, False, control, None, Fixed(()))


def parse_analyze(reader: Reader) -> Parsed:
    """Parse what follows ANALYZE."""
    if reader.sees("compression"):
        raise not_supported("ANALYZE COMPRESSION")
    reader.accept("verbose")
    if reader.at_end:
        return fixed("ANALYZE")
    table = reader.relation()
    columns = ""
    if reader.accept_mark("("):
        reader.place -= 1
        columns = f" ({', '.join(quote_name(name) for name in reader.names())})"
    if not reader.accept("predicate", "columns"):
        reader.accept("all", "columns")
    reader.expect_end()
    return fixed("ANALYZE", f"analyze {table.sql}{columns}")


def parse_vacuum(reader: Reader) -> Parsed:
    """Parse what follows VACUUM. Nothing is done but to see that the table is there."""
    for words in (("full",), ("sort", "only"), ("delete", "only"), ("reindex",), ("recluster",)):
        if reader.accept(*words):
            break
    if reader.at_end:
        return fixed("VACUUM", barred="VACUUM")
    table = reader.relation()
    if reader.accept("to"):
        reader.number()
        reader.expect("percent")
    reader.accept("boost")
    reader.expect_end()
    return fixed("VACUUM", f"call pg_internal.check_exists({table.regclass})", barred="VACUUM")
