"""Run log, retry logging, redaction."""
