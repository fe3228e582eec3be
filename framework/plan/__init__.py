"""The plan of a load, as values, rendered through templates/sql; pure."""
