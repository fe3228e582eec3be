"""The formats of source files."""
