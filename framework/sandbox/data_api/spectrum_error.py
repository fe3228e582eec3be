"""Errors of a COPY from Parquet, laid out as Redshift does.

Source: https://github.com/aws/amazon-redshift-python-driver/issues/107 and captures of others
    (message `Spectrum Scan Error`, everything else in the detail)
"""

from __future__ import annotations

import os

from framework.sandbox.redshift_sql import Refused

INCOMPATIBLE = 15007
MANIFEST = 15003

_RULE = "-" * 47


def scan_error(context: str, code: int = INCOMPATIBLE) -> Refused:
    """Return the error for a staging file that cannot be loaded."""
    return _error("Spectrum Scan Error", context, code, "dory_util.cpp:1450")


def manifest_error(context: str) -> Refused:
    """Return the error for a manifest entry that lacks something."""
    return _error("Spectrum Scan Error", context, MANIFEST, "spectrum_manifest.cpp:189")


def _error(message: str, context: str, code: int, location: str) -> Refused:
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
    return Refused(message, "XX000", "\n  ".join(lines))
