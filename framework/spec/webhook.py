"""A webhook of `environments.yml`: where its URL is kept, and what a URL may be. A URL is a secret."""

from __future__ import annotations

import ipaddress
from dataclasses import field
from typing import Literal
from urllib.parse import urlsplit

from framework.dataclass import dataclass

WebhookFormat = Literal["slack", "teams", "json"]

_FORMATS: tuple[tuple[str, WebhookFormat], ...] = (
    ("hooks.slack.com", "slack"),
    ("hooks.slack-gov.com", "slack"),
    # Workflows of Power Automate, which have replaced the connectors of webhook.office.com. Source:
    # https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    ("api.powerplatform.com", "teams"),
    ("logic.azure.com", "teams"),
)


@dataclass(frozen=True)
class Webhook:
    """A server that is sent messages. One of the first three is set: the URL itself, or the place that holds it.

    `env` is the name of an environment variable, `secret_arn` that of a secret of Secrets Manager. `format` is None
    where the URL's host decides.
    """

    url: str | None = field(default=None, repr=False)
    env: str | None = None
    secret_arn: str | None = None
    format: WebhookFormat | None = None


def url_fault(url: str) -> str | None:
    """Return why a text is no URL to send to, without quoting it; None where it is one."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "has blanks, control characters or letters that are not ASCII"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("https", "http") or not host:
        return "is not a URL that begins with https:// and a host"
    if "@" in parts.netloc:
        return "has a user name or a password before its host"
    if parts.scheme == "http" and not is_loopback(url):
        return "begins with http://, which sends it unencrypted"
    return None


def is_loopback(url: str) -> bool:
    """Return whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def format_of(url: str) -> WebhookFormat:
    """Return the format that a URL's host takes: plain JSON where it is neither Slack's nor Teams'."""
    host = urlsplit(url).hostname or ""
    return next((each for known, each in _FORMATS if host == known or host.endswith(f".{known}")), "json")
