"""Redshift through the Data API: submitting, observing, and Feedway's own tables."""
