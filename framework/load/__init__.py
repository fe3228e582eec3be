"""One load: discover, observe, stage, plan, execute, settle, and the handling of failures."""
