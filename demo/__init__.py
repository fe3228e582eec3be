"""`make demo`: two feeds that drift, from the lake to the tables, on this machine alone."""
