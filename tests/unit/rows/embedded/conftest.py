"""What tests of the embedded engine's parts share."""

from datetime import UTC, datetime

from framework.model.csv_options import CsvOptions

COMMA = CsvOptions(",", "utf-8", True, ())
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
