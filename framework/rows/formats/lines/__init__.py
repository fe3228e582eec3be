"""Formats in which each line is a record: where the lines of a split are, and how they are cut."""
