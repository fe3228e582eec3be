"""Executors: they run tasks, in threads of this process or in Spark's Python workers."""
