"""Values that every room uses: names, types, files, measurements, observations. Pure."""
