"""Parquet: its footer, its types, and its row groups."""
