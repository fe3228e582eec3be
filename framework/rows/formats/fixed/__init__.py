"""Fixed width: each line is a record, whose fields have their places in it."""
