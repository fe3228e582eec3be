"""The rows: reading, profiling, casting and staging them, behind one Protocol."""
