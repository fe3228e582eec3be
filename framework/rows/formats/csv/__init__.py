"""CSV: its header, its records, its encodings."""
