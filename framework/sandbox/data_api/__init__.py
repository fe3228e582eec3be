"""A local Redshift Data API: AWS JSON 1.1 over HTTP, its statements run on PostgreSQL.

`python -m framework.sandbox.data_api` starts it as a process of its own. What it answers, and in which
words, follows the Data API; what it does not know it refuses by name.
"""
