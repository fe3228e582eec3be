"""CSV: its header, its records, its quoting."""
