"""Starts the Data API as a process: `python -m framework.sandbox.data_api --port P --s3-url URL`.

The database's URL may come from the environment, so that its password is in no process list.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from framework.sandbox.data_api.copy_parquet import ParquetLoader
from framework.sandbox.data_api.runner import Runner
from framework.sandbox.data_api.s3_objects import S3
from framework.sandbox.data_api.server import HOST, DataApiServer
from framework.sandbox.data_api.service import DataApi
from framework.sandbox.data_api.sessions import ConnectionFailed, Sessions
from framework.sandbox.data_api.store import StatementStore
from framework.sandbox.serving import serve_until_signal

DATABASE_URL = "FEEDWAY_SANDBOX_DATABASE_URL"
ACCESS_KEY = "FEEDWAY_SANDBOX_ACCESS_KEY"


def main() -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    arguments = _parse_arguments()
    database_url = arguments.database_url or os.environ.get(DATABASE_URL)
    if not database_url:
        return _fail(f"no database: give --database-url, or set {DATABASE_URL}")
    if ACCESS_KEY not in os.environ:
        return _fail(f"no access key for S3: set {ACCESS_KEY}")
    s3 = S3(arguments.s3_url, os.environ[ACCESS_KEY])
    sessions = Sessions(database_url)
    runner = Runner(StatementStore(time.time), sessions, ParquetLoader(s3).load)
    api = DataApi(runner)
    try:
        server = DataApiServer(arguments.port, api, sessions.answers, arguments.verbose)
    except OSError as error:
        return _fail(f"cannot listen on {HOST}:{arguments.port}: {error.strerror}")
    try:
        sessions.prepare_database()
    except ConnectionFailed as error:
        return _fail(str(error))
    serve_until_signal(server)
    api.stop()
    sessions.close()
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="framework.sandbox.data_api", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--database-url", help=f"postgresql:// URL; better given as {DATABASE_URL}")
    parser.add_argument("--s3-url", required=True, help="endpoint of the S3 server")
    parser.add_argument("--verbose", action="store_true", help="one line per request on stderr")
    return parser.parse_args()


def _fail(message: str) -> int:
    print(f"data api: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
