"""Timestamps of Parquet files do not depend on the zone of the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

_STAGE = """
import io, json, tempfile
from datetime import datetime, timezone
from pathlib import Path
import pyarrow as pa, pyarrow.parquet
from tests.unit.rows.benches import stage_rows

at = pa.timestamp("us", tz="Europe/Berlin")
noon = datetime(2024, 1, 31, 12, 30, tzinfo=timezone.utc)
table = pa.table({
    "at": pa.array([noon], at),
    "s": pa.array([{"at": noon}], pa.struct([("at", at)])),
    "l": pa.array([[noon]], pa.list_(at)),
    "local": pa.array([{"at": noon.replace(tzinfo=None)}], pa.struct([("at", pa.timestamp("us"))])),
})
target = io.BytesIO()
pyarrow.parquet.write_table(table, target)
rows, _ = stage_rows(target.getvalue(), "format: parquet", {"s": "super"}, Path(tempfile.mkdtemp()))
print(json.dumps(rows))
"""


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "UTC"])
def test_nested_timestamps_are_in_utc(zone: str) -> None:
    environment = {**os.environ, "TZ": zone}

    done = subprocess.run(
        [sys.executable, "-c", _STAGE], capture_output=True, text=True, env=environment, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {
            "at": "2024-01-31 12:30:00+00",
            "s": '{"at":"2024-01-31 12:30:00+00"}',
            "l": '["2024-01-31 12:30:00+00"]',
            "local": '{"at":"2024-01-31 12:30:00"}',
        }
    ]
