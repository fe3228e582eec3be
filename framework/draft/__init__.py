"""From sample files to a short spec that loads them."""
