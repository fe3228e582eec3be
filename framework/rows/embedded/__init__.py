"""The frame engine in the same process: DuckDB, fed with sound records."""
