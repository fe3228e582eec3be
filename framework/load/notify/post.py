"""One POST to a webhook. No error names its URL, which is a secret."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any

from framework import __version__
from framework.errors import PipelineError
from framework.spec.webhook import is_loopback


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as the answer: following it would turn the POST into a GET, or send the message elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


def post(url: str, body: bytes, seconds: float) -> None:
    """Send JSON to a URL that `url_fault` has accepted, by the proxy that the environment names.

    `seconds` is the longest wait for each packet, so a call may take longer.

    Raises:
        PipelineError: the server could not be reached, or did not answer with 2xx.
    """
    headers = {"Content-Type": "application/json", "User-Agent": f"feedway/{__version__}"}
    request = urllib.request.Request(url, body, headers, method="POST")
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_loopback(url):
        # A proxy's loopback is not this machine's.
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        urllib.request.build_opener(*handlers).open(request, timeout=seconds).close()
    except urllib.error.HTTPError as error:
        error.close()
        raise PipelineError(_answered(error.code)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PipelineError(_reason(error)) from None


def _answered(status: int) -> str:
    redirect = ", a redirect, which is not followed" if 300 <= status < 400 else ""
    return f"the server answered {status}{redirect}"


def _reason(error: Exception) -> str:
    """Return why a server was not reached; texts that may quote the URL are left out."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    match cause:
        case ssl.SSLCertVerificationError():
            # Behind a comma it names the host.
            return f"its certificate is not trusted: {cause.verify_message.partition(',')[0]}"
        case TimeoutError():
            return "the server did not answer in time"
        case socket.gaierror():
            return "its host is not known"
        case ssl.SSLError():
            return f"TLS failed: {cause.reason}"
        case OSError() if cause.errno is not None:
            return f"the server could not be reached: {os.strerror(cause.errno)}"
    return f"the server could not be reached ({type(cause).__name__})"
