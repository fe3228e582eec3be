"""The views on a target: those dropped for a change, those that it broke, and those that a spec declares."""
