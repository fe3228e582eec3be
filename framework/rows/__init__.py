"""Rows: from source files to staging files and measurements."""
