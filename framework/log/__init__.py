"""What a run says: its log, retried calls, and what of an error may be said."""
