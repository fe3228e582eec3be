"""The Spark frame engine: nothing here is imported before a Spark load really starts."""
