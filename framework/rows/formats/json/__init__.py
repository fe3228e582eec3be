"""JSON: one record per line, the elements of an array, or values that stand one after the other."""
