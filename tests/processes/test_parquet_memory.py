"""The memory that a process takes for bad rows whose texts stand once in a Parquet file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_READ_BAD_ROWS = """
import sys, tempfile
from pathlib import Path
from tests.unit.rows.formats.parquet.test_parquet_size import LONG, open_rows, repeated

rows, _, _ = open_rows(repeated("x" * 1_000_000, 200), "format: parquet", Path(tempfile.mkdtemp()))
assert rows.stage([LONG], None).files[0].rows_bad == 200
assert rows.read_bad_rows([LONG], [0], 3)[2].row == 3
assert rows.quarantine([LONG], [0], "s3://lake/quarantine").rows == 200
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak of memory")
def test_bad_rows_of_long_texts_take_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _READ_BAD_ROWS], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stderr
    # Read together they took 935 MB.
    assert int(done.stdout) < 700
