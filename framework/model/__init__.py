"""Values that every room speaks of: names, types, files, measurements, what was observed. Pure."""
