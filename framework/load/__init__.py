"""One load: discover, observe, stage, plan, execute, settle, and what goes wrong on the way."""
