"""Column types, text rules, and the values that observing yields and planning takes; pure."""
