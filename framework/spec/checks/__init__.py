"""Checks of what people write, each yielding problems with their places."""
