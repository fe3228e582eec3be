"""Feedway: keeps Amazon Redshift tables in step with the files that land in S3."""

__version__ = "0.1.0"
