"""Starts the S3 server as a process: `python -m framework.sandbox.s3_server --port P --buckets DIR --own DIR`.

The access key comes from the environment, so that it is in no process list.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from framework.sandbox.address import LOOPBACK
from framework.sandbox.s3_server.objects import Objects
from framework.sandbox.s3_server.operations import Operations
from framework.sandbox.s3_server.server import S3Server
from framework.sandbox.serving import serve_until_signal

ACCESS_KEY = "FEEDWAY_SANDBOX_ACCESS_KEY"


def main() -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    arguments = _parse_arguments()
    if ACCESS_KEY not in os.environ:
        print(f"s3: no access key: set {ACCESS_KEY}", file=sys.stderr)
        return 1
    objects = Objects(arguments.buckets, arguments.own)
    try:
        server = S3Server(arguments.port, Operations(objects), os.environ[ACCESS_KEY])
    except OSError as error:
        print(f"s3: cannot listen on {LOOPBACK}:{arguments.port}: {error.strerror}", file=sys.stderr)
        return 1
    serve_until_signal(server)
    objects.close()
    return 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="framework.sandbox.s3_server", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    parser.add_argument("--buckets", type=Path, required=True, help="folder that holds a folder per bucket")
    parser.add_argument("--own", type=Path, required=True, help="folder of the server's own, on the same file system")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
