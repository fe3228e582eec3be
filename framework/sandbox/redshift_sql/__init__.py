"""Redshift SQL on PostgreSQL: parse a statement by a grammar, and say which statements do the same."""

from framework.sandbox.redshift_sql.compat import SESSION_SETTINGS, compat_sql
from framework.sandbox.redshift_sql.copy_statement import SERIALIZE_TO_JSON
from framework.sandbox.redshift_sql.long_names import FIND_LONG_NAMES, hashes_of, with_long_names
from framework.sandbox.redshift_sql.messages import redshift_message
from framework.sandbox.redshift_sql.parsed import CopyParquet, Parsed
from framework.sandbox.redshift_sql.refusal import Refused, not_supported
from framework.sandbox.redshift_sql.shapes import parse
from framework.sandbox.redshift_sql.translate import FIND_LATE_BINDING_VIEW, to_postgres

__all__ = [
    "FIND_LATE_BINDING_VIEW",
    "FIND_LONG_NAMES",
    "SERIALIZE_TO_JSON",
    "SESSION_SETTINGS",
    "CopyParquet",
    "Parsed",
    "Refused",
    "compat_sql",
    "hashes_of",
    "not_supported",
    "parse",
    "redshift_message",
    "to_postgres",
    "with_long_names",
]
