"""The report: pages of HTML about feeds, made of values."""
