"""Redshift SQL on PostgreSQL: parse a statement by a grammar, and say which statements do the same."""

from framework.sandbox.redshift_sql.compat import SESSION_SETTINGS, compat_sql
from framework.sandbox.redshift_sql.messages import redshift_message
from framework.sandbox.redshift_sql.parsed import CopyParquet, Parsed
from framework.sandbox.redshift_sql.refusal import Refused
from framework.sandbox.redshift_sql.statements import parse
from framework.sandbox.redshift_sql.translate import FIND_LATE_BINDING_VIEW, to_postgres

__all__ = [
    "FIND_LATE_BINDING_VIEW",
    "SESSION_SETTINGS",
    "CopyParquet",
    "Parsed",
    "Refused",
    "compat_sql",
    "parse",
    "redshift_message",
    "to_postgres",
]
