"""Pipeline specs and environments, checked and turned into values."""
