"""Errors of a COPY from Parquet, laid out as Redshift does.

Source: https://github.com/aws/amazon-redshift-python-driver/issues/107 and captures of others
    (message `Spectrum Scan Error`, everything else in the detail)
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from framework.sandbox.data_api.target_table import TargetColumn
from framework.sandbox.redshift_sql import Refused

INCOMPATIBLE = 15007
MANIFEST = 15003

_RULE = "-" * 47


@dataclass(frozen=True)
class LoadError:
    """What sys_load_error_detail keeps of an error: the file's address, the table's column, code and text."""

    file: str
    column: TargetColumn
    code: int
    message: str


class ScanError(Refused):
    """A COPY that Spectrum does not go on with; `logged` is None where the warehouse logs nothing of it."""

    def __init__(self, message: str, detail: str, logged: LoadError | None) -> None:
        super().__init__(message, "XX000", detail)
        self.logged = logged


def scan_error(context: str, code: int = INCOMPATIBLE) -> Refused:
    """Return the error for a staging file that cannot be loaded, of which nothing is logged."""
    return _error("Spectrum Scan Error", context, code, "dory_util.cpp:1450")


def column_error(context: str, column: TargetColumn, file: str) -> Refused:
    """Return the error for a column of a staging file, which is logged."""
    logged = LoadError(file, column, INCOMPATIBLE, context)
    return _error("Spectrum Scan Error", context, INCOMPATIBLE, "dory_util.cpp:1450", logged)


def manifest_error(context: str) -> Refused:
    """Return the error for a manifest entry that lacks something."""
    return _error("Spectrum Scan Error", context, MANIFEST, "spectrum_manifest.cpp:189")


def _error(message: str, context: str, code: int, location: str, logged: LoadError | None = None) -> Refused:
    lines = [
        "",
        _RULE,
        f"error:  {message}",
        f"code:      {code}",
        f"context:   {context}",
        "query:     0",
        f"location:  {location}",
        f"process:   worker_thread [pid={os.getpid()}]",
        _RULE,
    ]
    return ScanError(message, "\n  ".join(lines), logged)
