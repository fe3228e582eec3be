"""What a load will do to the warehouse, as ordered values, rendered through templates/sql; pure."""
