"""What people write: pipeline specs and environments, checked and turned into values."""
