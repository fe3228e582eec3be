"""What tasks compute of rows, in DuckDB: values, measurements, profiles, staging files."""
