"""What a load costs, against the same rows copied and merged by hand in the same PostgreSQL."""
